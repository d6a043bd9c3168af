import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gitopsreg.errors import UpstreamError
from gitopsreg.index.contents import blobs_of
from gitopsreg.index.model import Blob, ModuleVersion, ProviderVersion
from gitopsreg.model.declaration import OpentofuGitSource, PackageDeclaration
from gitopsreg.model.digest import Sha256
from gitopsreg.transport.remotes import Remotes
from gitopsreg.upstream.base import Release
from gitopsreg.upstream.opentofu_git import OpentofuGit
from tests.builders import a_module_declaration, a_provider_declaration
from tests.file_server import FileServer
from tests.opentofu import a_registry, key_file, module_file, provider_file, release_entry
from tests.releases import AReleaseFolder, a_signer
from tests.repositories import a_repository, commit, git, tag

URL = "https://unused.example.com/"


@pytest.fixture(scope="module")
def remotes() -> Iterator[Remotes]:
    with Remotes(allow_local=True) as opened:
        yield opened


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as running:
        yield running


class House:
    """A registry in Git that records one release, or one module, and what became of it here."""

    def __init__(self, folder: Path, remotes: Remotes) -> None:
        self.folder = folder
        self.remotes = remotes
        self.files: dict[str, str | bytes] = {}

    allow_local = True

    def outcomes(self, declaration: PackageDeclaration) -> list[ModuleVersion | ProviderVersion | UpstreamError]:
        registry = a_registry(self.folder / "registry", self.files)
        cache, forge = self.folder / "cache", str(self.folder / "forge")
        found = OpentofuGit(str(registry), self.remotes, cache, cache, allow_local=self.allow_local, forge=forge)
        upstream = found.upstream(declaration)
        results: list[ModuleVersion | ProviderVersion | UpstreamError] = []
        for wanted, outcome in upstream.releases(upstream.discover().found):
            if isinstance(outcome, Release):
                assert outcome.record.origin.tree == wanted.tree
                assert {payload.blob for payload in outcome.payloads} == set(blobs_of(outcome.record))
                assert all(Sha256.of(b"".join(p.open())) == p.blob.sha256 for p in outcome.payloads)
                results.append(outcome.record)
            else:
                results.append(outcome)
        return results

    def provider(self, **changes: Any) -> ProviderVersion | UpstreamError:
        (result,) = self.outcomes(a_provider_declaration(source=OpentofuGitSource(url=URL), **changes))
        assert not isinstance(result, ModuleVersion)
        return result

    def module(self, **changes: Any) -> list[ModuleVersion | ProviderVersion | UpstreamError]:
        return self.outcomes(a_module_declaration(source=OpentofuGitSource(url=URL), **changes))


@pytest.fixture
def house(tmp_path: Path, remotes: Remotes) -> House:
    return House(tmp_path, remotes)


class TestProviders:
    @pytest.fixture
    def release(self, server: FileServer) -> AReleaseFolder:
        folder = AReleaseFolder("1.0.0")
        server.files = folder.files
        return folder

    def record(self, house: House, release: AReleaseFolder, server: FileServer, **changes: Any) -> None:
        house.files = {
            **provider_file("platform/hello", release_entry(release, server.url(), **changes)),
            **key_file("platform/provider.asc", str(release.signer.public)),
        }

    def test_a_release_is_fetched_verified_and_kept(
        self, house: House, release: AReleaseFolder, server: FileServer
    ) -> None:
        self.record(house, release, server)
        record = house.provider()
        assert isinstance(record, ProviderVersion)
        assert record.checksums == Blob(Sha256.of(release.sums()), len(release.sums()))
        assert [build.filename for build in record.builds] == [release.zip_name(p) for p in sorted(release.platforms)]
        assert all(build.h1.startswith("h1:") for build in record.builds)
        assert [key.key_id for key in record.keys] == [release.signer.key_id]
        assert record.origin.path == "providers/p/platform/hello.json"

    def test_platforms_that_the_registry_never_lists_are_left_out(
        self, house: House, release: AReleaseFolder, server: FileServer
    ) -> None:
        self.record(house, release, server)
        entry = json.loads(str(house.files["providers/p/platform/hello.json"]))
        entry["versions"][0]["targets"] = entry["versions"][0]["targets"][:1]
        house.files["providers/p/platform/hello.json"] = json.dumps(entry)
        record = house.provider()
        assert isinstance(record, ProviderVersion)
        assert len(record.builds) == 1

    def test_a_shasum_that_the_signed_list_does_not_have_is_refused_before_the_zips_come(
        self, house: House, release: AReleaseFolder, server: FileServer
    ) -> None:
        self.record(house, release, server)
        path = "providers/p/platform/hello.json"
        entry = json.loads(str(house.files[path]))
        entry["versions"][0]["targets"][0]["shasum"] = "0" * 64
        house.files[path] = json.dumps(entry)
        error = house.provider()
        assert isinstance(error, UpstreamError)
        assert error.reason == "ChecksumMismatch"
        assert "the registry records" in str(error)
        assert not [request for request in server.requests if request.endswith(".zip")]

    def test_a_zip_that_was_replaced_is_refused(
        self, house: House, release: AReleaseFolder, server: FileServer
    ) -> None:
        self.record(house, release, server)
        server.files = release.files | {release.zip_name(): b"something else"}
        error = house.provider()
        assert isinstance(error, UpstreamError)
        assert error.reason == "ChecksumMismatch"

    def test_a_key_that_the_registry_has_not_does_not_vouch(
        self, house: House, release: AReleaseFolder, server: FileServer
    ) -> None:
        self.record(house, release, server)
        house.files |= key_file("platform/provider.asc", str(a_signer("another").public))
        error = house.provider()
        assert isinstance(error, UpstreamError)
        assert error.reason == "KeyNotTrusted"

    def test_keys_that_the_catalog_names_vouch_instead(
        self, house: House, release: AReleaseFolder, server: FileServer
    ) -> None:
        self.record(house, release, server)
        house.files |= key_file("platform/provider.asc", str(a_signer("another").public))
        record = house.provider(keys=(release.signer.declared(),))
        assert isinstance(record, ProviderVersion)
        assert [key.key_id for key in record.keys] == [release.signer.key_id]

    @pytest.mark.parametrize("gone", ["zip", "sums", "signature", "manifest"])
    def test_a_file_that_is_gone_is_said(
        self, house: House, release: AReleaseFolder, server: FileServer, gone: str
    ) -> None:
        self.record(house, release, server)
        name = {
            "zip": release.zip_name(),
            "sums": release.sums_name,
            "signature": release.signature_name,
            "manifest": release.manifest_name,
        }[gone]
        server.files = {path: data for path, data in release.files.items() if path != name}
        error = house.provider()
        assert isinstance(error, UpstreamError)
        assert (error.reason, name in str(error)) == ("NotFound", True)

    @pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254"])
    def test_what_a_stranger_records_leads_neither_here_nor_to_where_clouds_keep_credentials(
        self, house: House, release: AReleaseFolder, server: FileServer, host: str
    ) -> None:
        house.allow_local = False
        house.files = {
            **provider_file("platform/hello", release_entry(release, f"https://{host}:{server.port}")),
            **key_file("platform/provider.asc", str(release.signer.public)),
        }
        error = house.provider()
        assert isinstance(error, UpstreamError)
        assert f"is refused: its host resolves to {host}" in str(error)
        assert server.requests == []

    def test_a_server_that_drips_costs_the_version(
        self, house: House, release: AReleaseFolder, server: FileServer
    ) -> None:
        self.record(house, release, server)
        server.drip = True
        error = house.provider(timeout=timedelta(seconds=0.3))
        assert isinstance(error, UpstreamError)
        assert error.reason == "Timeout"


class TestModules:
    @pytest.fixture
    def module(self, house: House) -> Path:
        repository = a_repository(house.folder / "forge/platform/terraform-aws-vpc")
        commit(repository, {"main.tf": "# 1.0.0\n"})
        tag(repository, "v1.0.0")
        return repository

    def test_the_tag_is_packed(self, house: House, module: Path) -> None:
        house.files = module_file("platform/vpc/aws", "v1.0.0", "v1.1.0")
        error, record = house.module()
        assert isinstance(record, ModuleVersion)
        assert isinstance(record.archive, Blob)
        assert record.origin.commit == git(module, "rev-parse", "v1.0.0")
        assert record.origin.url == str(module)
        assert isinstance(error, UpstreamError)
        assert str(error) == 'its repository has no tag "v1.1.0"'

    def test_a_tag_that_is_where_it_was_recorded(self, house: House, module: Path) -> None:
        recorded = {"version": "v1.0.0", "commit": git(module, "rev-parse", "v1.0.0")}
        house.files = module_file("platform/vpc/aws", recorded)
        (record,) = house.module()
        assert isinstance(record, ModuleVersion)

    def test_a_tag_that_moved_since_is_refused(self, house: House, module: Path) -> None:
        house.files = module_file("platform/vpc/aws", {"version": "v1.0.0", "commit": "a" * 40})
        (error,) = house.module()
        assert isinstance(error, UpstreamError)
        assert error.reason == "PinMismatch"

    def test_a_repository_that_is_gone_is_said(self, house: House) -> None:
        house.files = module_file("platform/vpc/aws", "v1.0.0")
        with pytest.raises(UpstreamError, match="no folder"):
            house.module()
