import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import IntegrityError, UpstreamUnavailable
from gitopsreg.index.model import ModuleVersion, ProviderVersion, PublicKey, Remote
from gitopsreg.model.address import ModuleAddress, PackageAddress, Platform, ProviderAddress
from gitopsreg.model.constraint import Constraint
from gitopsreg.model.declaration import OpentofuGitSource, PackageDeclaration
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.transport.remotes import Remotes
from gitopsreg.upstream.base import Discovery, Release
from gitopsreg.upstream.opentofu_git import OpentofuGit
from gitopsreg.upstream.opentofu_git_layout import Entry, File
from gitopsreg.upstream.opentofu_git_listing import Listing, Source
from gitopsreg.upstream.opentofu_git_modules import read_module
from gitopsreg.upstream.opentofu_git_providers import read_provider
from gitopsreg.upstream.opentofu_git_reading import MAX_SIZE
from gitopsreg.upstream.opentofu_git_seen import _MANY
from gitopsreg.upstream.signature import read_key
from tests.builders import HELLO, VPC, a_module_declaration, a_provider_declaration
from tests.opentofu import a_registry, a_target, key_file, module_file, provider_entry, provider_file
from tests.releases import a_signer
from tests.repositories import GitServer, commit, git

AKS = ModuleAddress("azure", "aks", "azurerm")
MODULE = Entry(address=VPC, written="Platform/vpc/aws", file=File("modules/p/Platform/vpc/aws.json", "0" * 40))
PROVIDER = Entry(address=HELLO, written="platform/hello", file=File("providers/p/platform/hello.json", "1" * 40))
SOURCE = Source("https://git.example.com/registry.git", "c" * 40, "2026-10-01T12:00:00Z")


@pytest.fixture(scope="module")
def remotes() -> Iterator[Remotes]:
    with Remotes(allow_local=True) as opened:
        yield opened


def gathering(registry: Path | str, remotes: Remotes, cache: Path) -> OpentofuGit:
    return OpentofuGit(str(registry), remotes, cache / "registries", cache / "modules", allow_local=True)


def declared(address: PackageAddress, written: str = "", **changes: Any) -> PackageDeclaration:
    source = OpentofuGitSource(url="https://unused.example.com/", address=written)
    make: Any = a_module_declaration if isinstance(address, ModuleAddress) else a_provider_declaration
    declaration: PackageDeclaration = make(address, source=source, delivery="reference", **changes)
    return declaration


def modules(*entries: Any) -> Listing:
    return read_module(json.dumps({"versions": entries}).encode(), MODULE, SOURCE)


def providers(*entries: Any, **more: Any) -> Listing:
    return read_provider(json.dumps({"versions": entries, **more}).encode(), PROVIDER, SOURCE, no_keys)


def no_keys(_: Version) -> tuple[PublicKey, ...]:
    return ()


def reasons(listing: Listing | Discovery) -> dict[str, str]:
    return {one.ref: one.reason for one in listing.skipped}


class TestModules:
    def test_a_version_is_the_tag_of_the_repository_that_its_name_implies(self) -> None:
        (listed,) = modules({"version": "v1.0.0"}).listed.values()
        record = listed.record
        assert isinstance(record, ModuleVersion)
        url = "https://github.com/Platform/terraform-aws-vpc"
        assert record.archive == Remote(f"git::{url}?ref=v1.0.0")
        assert (record.origin.url, record.origin.ref, record.origin.commit) == (url, "v1.0.0", "")
        assert record.published == SOURCE.time
        assert listed.found.tree == record.origin.tree

    def test_a_recorded_commit_is_what_clients_fetch(self) -> None:
        (listed,) = modules({"version": "v1.0.0", "commit": "a" * 40}).listed.values()
        assert listed.record.origin.commit == "a" * 40
        assert isinstance(listed.record, ModuleVersion)
        assert listed.record.archive == Remote(f"git::https://github.com/Platform/terraform-aws-vpc?ref={'a' * 40}")

    def test_a_plus_is_escaped_since_clients_read_it_as_a_space(self) -> None:
        (listed,) = modules({"version": "v1.0.0+b"}).listed.values()
        assert isinstance(listed.record, ModuleVersion)
        assert listed.record.archive == Remote("git::https://github.com/Platform/terraform-aws-vpc?ref=v1.0.0%2Bb")

    def test_another_commit_is_another_tree(self) -> None:
        trees = {
            listed.found.tree
            for commit in ("a" * 40, "b" * 40, None)
            for listed in modules({"version": "v1.0.0", "commit": commit}).listed.values()
        }
        assert len(trees) == 3
        assert all(len(tree) == 40 for tree in trees)

    @pytest.mark.parametrize(
        ("entry", "called", "why"),
        [
            ({"version": "v1.0.0.1"}, "v1.0.0.1", "is not a version"),
            ({"version": "latest"}, "latest", "is not a version"),
            ({"version": "vv1.0.0"}, "vv1.0.0", "is not a version"),
            ({"version": 1}, "an entry without a version", '"version" is no string'),
            ({}, "an entry without a version", '"version" is missing'),
            ("v1.0.0", "an entry without a version", "no JSON object"),
            ({"version": "v1.0.0", "commit": "abc"}, "v1.0.0", "40 hex digits"),
            ({"version": "v1.0.0", "commit": ["a" * 40]}, "v1.0.0", '"commit" is no string'),
        ],
    )
    def test_what_is_no_version_is_skipped_with_the_reason(self, entry: Any, called: str, why: str) -> None:
        found = modules({"version": "v2.0.0"}, entry)
        assert [version.text for version in found.listed] == ["2.0.0"]
        assert why in reasons(found)[called]

    def test_of_two_entries_for_one_version_the_last_counts(self) -> None:
        found = modules({"version": "v1.0.0"}, {"version": "1.0.0"})
        assert [listed.tag for listed in found.listed.values()] == ["1.0.0"]
        assert reasons(found) == {"v1.0.0": '"1.0.0" names the version 1.0.0 too, and counts'}

    @pytest.mark.parametrize(("tag", "version"), [("v1", "1.0.0"), ("1.0", "1.0.0"), ("v1.02.3-rc.1", "1.2.3-rc.1")])
    def test_short_ones_are_what_clients_ask_for(self, tag: str, version: str) -> None:
        (found,) = modules({"version": tag}).listed.values()
        assert found.record.version.text == version
        assert found.found.ref == tag

    def test_a_short_one_gives_way_to_a_whole_one(self) -> None:
        for entries in (("v1.0.0", "1.0"), ("1.0", "v1.0.0")):
            found = modules(*({"version": tag} for tag in entries))
            assert [listed.tag for listed in found.listed.values()] == ["v1.0.0"]
            assert reasons(found) == {"1.0": '"v1.0.0" names the version 1.0.0 too, and counts'}

    def test_of_versions_that_differ_in_build_metadata_the_first_is_kept(self) -> None:
        found = modules({"version": "1.0.0+b"}, {"version": "1.0.0+a"})
        assert [version.text for version in found.listed] == ["1.0.0+a"]
        assert list(reasons(found)) == ["1.0.0+b"]

    def test_versions_come_oldest_first(self) -> None:
        tags = ["v1.10.0", "v1.2.0", "v2.0.0-rc.1", "v2.0.0"]
        found = modules(*({"version": tag} for tag in tags))
        assert [version.text for version in found.listed] == ["1.2.0", "1.10.0", "2.0.0-rc.1", "2.0.0"]


class TestProviders:
    def test_a_version_has_what_its_entry_records(self) -> None:
        entry = provider_entry("1.0.0", protocols=["5.0", "6.0"])
        found = providers(entry, warnings=["It moved"])
        (listed,) = found.listed.values()
        record = listed.record
        assert isinstance(record, ProviderVersion)
        assert record.protocols == ("5.0", "6.0")
        assert record.checksums == Remote(entry["shasums_url"])
        assert record.checksums_filename == "terraform-provider-hello_1.0.0_SHA256SUMS"
        assert record.signature == Remote(entry["shasums_signature_url"])
        assert {(b.platform.os, b.platform.arch, b.filename, b.zip) for b in record.builds} == {
            (t["os"], t["arch"], t["filename"], Remote(t["download_url"], Sha256(t["shasum"])))
            for t in entry["targets"]
        }
        assert [str(build.platform) for build in record.builds] == ["darwin_arm64", "linux_amd64"]
        assert (record.origin.url, record.origin.path) == (SOURCE.url, PROVIDER.file.path)
        assert found.warnings == ("It moved",)

    @pytest.mark.parametrize(
        "change",
        [
            {"shasums_url": "https://elsewhere.example.com/x_SHA256SUMS"},
            {"shasums_signature_url": "https://elsewhere.example.com/x_SHA256SUMS.sig"},
            {"protocols": ["6.0"]},
            {"targets": [a_target("a.zip", "linux_amd64", "https://releases.example.com", shasum="0" * 64)]},
        ],
    )
    def test_whatever_changes_it_is_another_tree(self, change: dict[str, Any]) -> None:
        before, after = (next(iter(providers(provider_entry("1.0.0", **c)).listed.values())) for c in ({}, change))
        assert before.found.tree != after.found.tree

    def test_the_order_of_targets_is_no_fact(self) -> None:
        one = provider_entry("1.0.0")
        other = one | {"targets": one["targets"][::-1], "note": "more"}
        assert len({listed.found.tree for e in (one, other) for listed in providers(e).listed.values()}) == 1

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"targets": []}, "no targets"),
            ({"targets": None}, "no targets"),
            ({"targets": "x"}, "no targets"),
            ({"targets": [{}] * 201}, "200 at most"),
            ({"targets": ["x"]}, "a target is no JSON object"),
            ({"protocols": []}, '"protocols" must be a list'),
            ({"protocols": "5.0"}, '"protocols" must be a list'),
            ({"protocols": ["5.0.1"]}, '"protocols" holds "5.0.1"'),
            ({"protocols": [5]}, '"protocols" holds "5"'),
            ({"shasums_url": "http://releases.example.com/a_SHA256SUMS"}, "must be an https URL"),
            ({"shasums_url": "https://user:secret@example.com/a_SHA256SUMS"}, "must be an https URL"),
            ({"shasums_url": "https://releases.example.com/a b"}, "must be an https URL"),
            ({"shasums_url": "https://releases.example.com/"}, "no plain file name"),
            ({"shasums_signature_url": "file:///etc/passwd"}, "must be an https URL"),
            ({"shasums_signature_url": "javascript:alert(1)"}, "must be an https URL"),
            ({"shasums_signature_url": None}, '"shasums_signature_url" is missing'),
        ],
    )
    def test_a_bad_version_is_skipped_with_the_reason(self, change: dict[str, Any], why: str) -> None:
        found = providers(provider_entry("1.0.0"), provider_entry("1.1.0", **change))
        assert [version.text for version in found.listed] == ["1.0.0"]
        assert why in reasons(found)["1.1.0"]

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"shasum": "abc"}, "is not a sha256"),
            ({"os": "Linux"}, "is not a legal operating system"),
            ({"arch": "../x"}, "is not a legal architecture"),
            ({"filename": "../a.zip"}, "no plain file name"),
            ({"download_url": "ftp://example.com/a.zip"}, "must be an https URL"),
            ({"os": "darwin", "arch": "arm64"}, "two targets for darwin_arm64"),
        ],
    )
    def test_one_bad_target_costs_the_version(self, change: dict[str, Any], why: str) -> None:
        entry = provider_entry("1.0.0")
        entry["targets"][0] |= change
        found = providers(entry)
        assert found.listed == {}
        assert why in reasons(found)["1.0.0"]

    def test_an_upper_case_digest_is_one(self) -> None:
        entry = provider_entry("1.0.0")
        entry["targets"][0]["shasum"] = entry["targets"][0]["shasum"].upper()
        assert len(providers(entry).listed) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ManifestInvalid"),
        (b"[]", "ManifestInvalid"),
        (b"{", "ManifestInvalid"),
        (b'{"versions": {}}', "ManifestInvalid"),
        (b'{"versions": "v1.0.0"}', "ManifestInvalid"),
        (b"\xff\xfe", "ManifestInvalid"),
        (b"[" * 100_000, "ManifestInvalid"),
        (b'{"versions": [' + b"1," * 20_000 + b"1]}", "TooLarge"),
    ],
)
def test_a_file_that_is_no_list_of_versions_is_one_error(data: bytes, reason: str) -> None:
    with pytest.raises(IntegrityError) as of_module:
        read_module(data, MODULE, SOURCE)
    with pytest.raises(IntegrityError) as of_provider:
        read_provider(data, PROVIDER, SOURCE, no_keys)
    assert (of_module.value.reason, of_provider.value.reason) == (reason, reason)


plain_values = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
objects = st.dictionaries(st.sampled_from(["version", "targets", "os", "x"]), plain_values, max_size=4)
json_values = plain_values | objects | st.lists(plain_values | objects, max_size=3)


@given(entry=json_values, key=st.sampled_from(sorted(provider_entry("1.0.0"))), value=json_values)
def test_no_entry_is_an_error_of_ours(entry: Any, key: str, value: Any) -> None:
    """Whatever stands in the place of a version, or of a part of it, is read or skipped."""
    found = providers(entry, provider_entry("1.0.0") | {key: value}, provider_entry("9.9.9"))
    assert "9.9.9" in {version.text for version in found.listed}
    assert all(reason for reason in reasons(found).values())
    modules(entry, {"version": "v1.0.0", "commit": value})


class TestLayout:
    def test_packages_are_found_by_their_paths(self, remotes: Remotes, tmp_path: Path) -> None:
        files = {**module_file("Azure/aks/azurerm", "v1.0.0"), **provider_file("acme/hello", provider_entry("1.0.0"))}
        found = gathering(a_registry(tmp_path / "r", files), remotes, tmp_path)
        assert found.addresses() == {AKS: "Azure/aks/azurerm", ProviderAddress("acme", "hello"): "acme/hello"}
        assert found.skipped() == ()

    def test_what_no_catalog_could_declare_is_skipped(self, remotes: Remotes, tmp_path: Path) -> None:
        files: dict[str, str | bytes] = {
            **module_file("acme/dot.ted/aws", "v1.0.0"),
            **module_file("acme/vpc", "v1.0.0"),
            **module_file("acme/vpc/aws", "v1.0.0"),
            **provider_file("acme/under_score", provider_entry("1.0.0")),
            "modules/x/acme/vpc/aws.json": "{}",
            "modules/README.md": "",
            "modules/a/acme/vpc/README.md": "",
            "providers/a/acme/link.json": "-> hello.json",
        }
        found = gathering(a_registry(tmp_path / "r", files), remotes, tmp_path)
        assert list(found.addresses()) == [ModuleAddress("acme", "vpc", "aws")]
        assert {one.ref for one in found.skipped()} == {
            "modules/a/acme/dot.ted/aws.json",
            "modules/a/acme/vpc.json",
            "providers/a/acme/under_score.json",
        }

    def test_of_names_that_differ_in_case_the_lower_stays_and_the_other_can_be_named(
        self, remotes: Remotes, tmp_path: Path
    ) -> None:
        files = {**module_file("azure/aks/azurerm", "v2.0.0"), **module_file("Azure/aks/azurerm", "v1.0.0")}
        found = gathering(a_registry(tmp_path / "r", files), remotes, tmp_path)
        assert found.addresses() == {AKS: "azure/aks/azurerm"}
        (skipped,) = found.skipped()
        assert skipped.ref == "modules/a/Azure/aks/azurerm.json"
        assert '"azure/aks/azurerm", which stays' in skipped.reason
        for written, version in (("", "2.0.0"), ("Azure/aks/azurerm", "1.0.0"), ("AZURE/aks/azurerm", "2.0.0")):
            discovery = found.upstream(declared(AKS, written)).discover()
            assert [one.version.text for one in discovery.found] == [version], written

    def test_a_package_may_have_another_name_here(self, remotes: Remotes, tmp_path: Path) -> None:
        files = module_file("Azure/aks/azurerm", "v1.0.0")
        found = gathering(a_registry(tmp_path / "r", files), remotes, tmp_path)
        assert len(found.upstream(declared(VPC, "azure/aks/azurerm")).discover().found) == 1

    @pytest.mark.parametrize("written", ["", "Azure/vpc/aws", "not an address"])
    def test_what_is_not_there_is_said(self, remotes: Remotes, tmp_path: Path, written: str) -> None:
        files = module_file("Azure/aks/azurerm", "v1.0.0")
        found = gathering(a_registry(tmp_path / "r", files), remotes, tmp_path)
        with pytest.raises(UpstreamUnavailable, match=f'has no module "{written or "platform/vpc/aws"}"') as caught:
            found.upstream(declared(VPC, written))
        assert caught.value.reason == "NotFound"
        assert found.state(declared(VPC, written)) != found.state(declared(AKS))

    def test_what_is_read_ahead_is_bounded(
        self, remotes: Remotes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gitopsreg.upstream.opentofu_git_seen._MOST_AHEAD", 1)
        monkeypatch.setattr("gitopsreg.upstream.opentofu_git_seen._MANY", 0)
        found = gathering(a_registry(tmp_path / "r", module_file("azure/aks/azurerm", "v1.0.0")), remotes, tmp_path)
        found.prepare([declared(AKS)])
        assert found._seen is not None
        assert found._seen._ahead is not None
        assert not found._seen._ahead.wanted
        assert len(found.upstream(declared(AKS)).discover().found) == 1

    def test_a_file_that_is_too_large_is_named(self, remotes: Remotes, tmp_path: Path) -> None:
        registry = a_registry(tmp_path / "r", {"modules/a/acme/vpc/aws.json": b" " * (MAX_SIZE + 1)})
        upstream = gathering(registry, remotes, tmp_path).upstream(declared(ModuleAddress("acme", "vpc", "aws")))
        with pytest.raises(IntegrityError, match=r'^"modules/a/acme/vpc/aws\.json": blob .* is too large') as caught:
            upstream.discover()
        assert caught.value.reason == "TooLarge"

    def test_one_namespace_that_git_would_not_write_costs_one(self, remotes: Remotes, tmp_path: Path) -> None:
        registry = a_registry(tmp_path / "r", module_file("acme/vpc/aws", "v1.0.0"))
        deep = "/".join(["x"] * 12)
        commit(registry, {f"modules/b/bad/{deep}/a.json": "{}"})
        found = gathering(registry, remotes, tmp_path)
        assert list(found.addresses()) == [ModuleAddress("acme", "vpc", "aws")]
        assert "nested too deeply" in found.skipped()[0].reason


class TestKeys:
    @pytest.fixture
    def armor(self) -> str:
        return a_signer().declared().public_key

    def keys(self, found: OpentofuGit, declaration: PackageDeclaration) -> tuple[list[str], Discovery]:
        upstream = found.upstream(declaration)
        discovery = upstream.discover()
        (release,) = (release for _, release in upstream.releases(discovery.found))
        assert isinstance(release, Release)
        assert isinstance(release.record, ProviderVersion)
        return [key.key_id for key in release.record.keys], discovery

    def test_those_of_the_namespace_then_those_of_the_provider(
        self, remotes: Remotes, tmp_path: Path, armor: str
    ) -> None:
        lasting = (Path(__file__).parent / "data/openpgp/lasting.asc").read_text()
        files = {
            **provider_file("platform/hello", provider_entry("1.0.0")),
            **provider_file("platform/other", provider_entry("1.0.0")),
            **key_file("platform/provider.asc", lasting),
            **key_file("platform/hello/provider-1.asc", armor),
            **key_file("platform/README", "no key"),
        }
        found = gathering(a_registry(tmp_path / "r", files), remotes, tmp_path)
        first, second = read_key(lasting).key_id, read_key(armor).key_id
        hello, discovery = self.keys(found, declared(HELLO))
        assert hello == [first, second]
        assert "no public key block" in reasons(discovery)["keys/p/platform/README"]
        assert self.keys(found, declared(ProviderAddress("platform", "other")))[0] == [first]

    def test_hashicorps_providers_are_signed_by_opentofu(self, remotes: Remotes, tmp_path: Path, armor: str) -> None:
        files = {
            **provider_file("hashicorp/aws", provider_entry("1.0.0")),
            **key_file("opentofu/provider.asc", armor),
            **key_file("hashicorp/provider.asc", "never looked at"),
        }
        found = gathering(a_registry(tmp_path / "r", files), remotes, tmp_path)
        keys, discovery = self.keys(found, declared(ProviderAddress("hashicorp", "aws")))
        assert (keys, discovery.skipped) == ([read_key(armor).key_id], ())

    def test_a_new_key_is_a_new_state(self, remotes: Remotes, tmp_path: Path, armor: str) -> None:
        registry = a_registry(tmp_path / "r", provider_file("platform/hello", provider_entry("1.0.0")))
        found = gathering(registry, remotes, tmp_path)
        before = found.state(declared(HELLO))
        assert before == found.upstream(declared(HELLO)).discover().state
        commit(registry, key_file("platform/provider.asc", armor))
        assert found.state(declared(HELLO)) == before
        found.look()
        assert found.state(declared(HELLO)) != before

    def test_keys_that_the_catalog_names_count_instead(self, remotes: Remotes, tmp_path: Path, armor: str) -> None:
        entries = (provider_entry("1.0.0"), provider_entry("2.0.0"))
        files = {**provider_file("platform/hello", *entries), **key_file("platform/provider.asc", armor)}
        found = gathering(a_registry(tmp_path / "r", files), remotes, tmp_path)
        ours = replace(a_signer("ours").declared(), versions=Constraint.parse("< 2.0.0", "provider"))
        keys, discovery = self.keys(found, declared(HELLO, keys=(ours,)))
        assert keys == [read_key(ours.public_key).key_id]
        told = reasons(discovery)
        assert told["2.0.0"] == "none of the keys in verify.keys covers it"
        assert "does not name" in told[read_key(armor).key_id]

    def test_a_key_that_the_catalog_has_revoked_is_not_handed_out(
        self, remotes: Remotes, tmp_path: Path, armor: str
    ) -> None:
        files = provider_file("platform/hello", provider_entry("1.0.0"))
        found = gathering(a_registry(tmp_path / "r", files), remotes, tmp_path)
        revoked, good = replace(a_signer("old").declared(), status="revoked"), a_signer().declared()
        assert self.keys(found, declared(HELLO, keys=(revoked, good)))[0] == [read_key(armor).key_id]


class TestPlatforms:
    def builds(self, remotes: Remotes, folder: Path, **changes: Any) -> tuple[list[list[str]], dict[str, str]]:
        entries = (provider_entry("1.0.0", platforms=["linux_amd64"]), provider_entry("1.1.0"))
        found = gathering(a_registry(folder / "r", provider_file("platform/hello", *entries)), remotes, folder)
        upstream = found.upstream(declared(HELLO, **changes))
        discovery = upstream.discover()
        records = [r.record for _, r in upstream.releases(discovery.found) if isinstance(r, Release)]
        platforms = [[str(b.platform) for b in r.builds] for r in records if isinstance(r, ProviderVersion)]
        return platforms, reasons(discovery)

    def test_a_version_that_lacks_a_required_one_is_skipped(self, remotes: Remotes, tmp_path: Path) -> None:
        builds, skipped = self.builds(remotes, tmp_path, platforms=(Platform("darwin", "arm64"),))
        assert builds == [["darwin_arm64", "linux_amd64"]]
        assert skipped == {"1.0.0": "it has no build for darwin_arm64"}

    def test_only_the_required_ones_where_that_is_wanted(self, remotes: Remotes, tmp_path: Path) -> None:
        only: Any = {"platforms": (Platform("linux", "amd64"),), "completeness": "required-platforms"}
        assert self.builds(remotes, tmp_path, **only)[0] == [["linux_amd64"], ["linux_amd64"]]


class TestLooking:
    @pytest.fixture
    def served(self, tmp_path: Path) -> Iterator[tuple[GitServer, Path]]:
        registry = a_registry(tmp_path / "served/registry", module_file("platform/vpc/aws", "v1.0.0"))
        with GitServer(tmp_path / "served") as server:
            yield server, registry

    def versions(self, found: OpentofuGit, declaration: PackageDeclaration | None = None) -> list[str]:
        return [one.version.text for one in found.upstream(declaration or declared(VPC)).discover().found]

    def test_only_what_moved_is_fetched(self, remotes: Remotes, served: tuple[GitServer, Path], tmp_path: Path) -> None:
        server, registry = served
        found = gathering(server.url("registry/.git"), remotes, tmp_path)
        assert found.look() == git(registry, "rev-parse", "HEAD")
        fetches = server.fetches
        found.look()
        assert server.fetches == fetches
        commit(registry, module_file("platform/vpc/aws", "v1.0.0", "v1.1.0"))
        assert self.versions(found) == ["1.0.0"]
        assert found.look() == git(registry, "rev-parse", "HEAD")
        assert server.fetches > fetches
        assert self.versions(found) == ["1.0.0", "1.1.0"]

    def test_whoever_asks_first_looks(self, remotes: Remotes, served: tuple[GitServer, Path], tmp_path: Path) -> None:
        server, _ = served
        assert self.versions(gathering(server.url("registry/.git"), remotes, tmp_path)) == ["1.0.0"]

    def test_the_namespaces_that_moved_are_told(self, remotes: Remotes, tmp_path: Path) -> None:
        two = {**module_file("platform/vpc/aws", "v1.0.0"), **module_file("Azure/aks/azurerm", "v1.0.0")}
        registry = a_registry(tmp_path / "r", {**two, **provider_file("hashicorp/aws", provider_entry("1.0.0"))})
        found = gathering(registry, remotes, tmp_path)
        first = found.look()
        assert found.moved(first) is None  # nobody has seen anything before it
        found.addresses()
        for files, told in (
            (module_file("Azure/aks/azurerm", "v1.0.0", "v1.1.0"), {"azure"}),
            (key_file("opentofu/provider.asc", "a key"), {"opentofu", "hashicorp"}),
            (module_file("new/vpc/aws", "v1.0.0"), {"new"}),
            ({"README.md": "hello"}, set()),
        ):
            before = found.look()
            commit(registry, files)
            found.look()
            assert found.moved(before) == told
        git(registry, "rm", "-q", "-r", "modules/n")
        commit(registry)
        assert found.moved(first) is None
        before = found.look()
        assert found.moved(git(registry, "rev-parse", "HEAD~1")) == {"new"}
        assert found.moved(before) is None

    def test_of_what_can_not_be_read_nobody_knows_what_moved(self, remotes: Remotes, tmp_path: Path) -> None:
        registry = a_registry(tmp_path / "r", module_file("platform/vpc/aws", "v1.0.0"))
        found = gathering(registry, remotes, tmp_path)
        first = found.look()
        found.addresses()
        commit(registry, {"modules/q/new/vpc/aws.json": "{}"})
        lost = git(registry, "rev-parse", "HEAD:modules/q")
        (registry / ".git/objects" / lost[:2] / lost[2:]).unlink()
        found.look()
        assert found.moved(first) is None

    def test_an_outage_leaves_what_was_seen_last(
        self, remotes: Remotes, served: tuple[GitServer, Path], tmp_path: Path
    ) -> None:
        server, _ = served
        found = gathering(server.url("registry/.git"), remotes, tmp_path)
        found.look()
        server.status = 503
        with pytest.raises(UpstreamUnavailable):
            found.look()
        assert self.versions(found) == ["1.0.0"]

    def test_nobody_who_never_answered_is_believed(
        self, remotes: Remotes, served: tuple[GitServer, Path], tmp_path: Path
    ) -> None:
        server, _ = served
        server.status = 503
        with pytest.raises(UpstreamUnavailable):
            gathering(server.url("registry/.git"), remotes, tmp_path).upstream(declared(VPC))

    def test_a_copy_that_was_cleared_away_is_made_again(
        self, remotes: Remotes, served: tuple[GitServer, Path], tmp_path: Path
    ) -> None:
        server, _ = served
        found = gathering(server.url("registry/.git"), remotes, tmp_path)
        found.look()
        for copy in (tmp_path / "registries").glob("*.git"):
            copy.rename(tmp_path / "gone")
        found.look()
        assert self.versions(found) == ["1.0.0"]

    def test_what_is_prepared_says_the_same(self, remotes: Remotes, tmp_path: Path) -> None:
        registry = a_registry(
            tmp_path / "r",
            {**module_file("platform/vpc/aws", "v1.0.0"), **provider_file("platform/hello", provider_entry("1.0.0"))},
        )
        both = [declared(VPC), declared(HELLO)]
        one, other = gathering(registry, remotes, tmp_path), gathering(registry, remotes, tmp_path)
        one.prepare([*both, declared(AKS)])
        assert [one.upstream(d).discover() for d in both] == [other.upstream(d).discover() for d in both]

    def test_many_that_are_prepared_say_the_same(self, remotes: Remotes, tmp_path: Path) -> None:
        """Enough of them for Git's own program, asked for in another order than they were prepared in."""
        names = [f"platform/m{number}/aws" for number in range(_MANY)]
        files = [module_file(name, "v1.0.0", f"v1.{number}.0") for number, name in enumerate(names)]
        registry = a_registry(tmp_path / "r", {path: text for file in files for path, text in file.items()})
        declarations = [declared(ModuleAddress.parse(name)) for name in names]
        one, other = gathering(registry, remotes, tmp_path), gathering(registry, remotes, tmp_path)
        one.prepare(declarations)
        assert one._seen is not None
        assert one._seen._ahead is not None
        for declaration in reversed(declarations):
            assert one.upstream(declaration).discover() == other.upstream(declaration).discover()

    def test_a_local_one_needs_permission(self, tmp_path: Path) -> None:
        registry = a_registry(tmp_path / "r", module_file("platform/vpc/aws", "v1.0.0"))
        with Remotes() as strict, pytest.raises(UpstreamUnavailable, match="--allow-local-sources"):
            OpentofuGit(str(registry), strict, tmp_path, tmp_path).look()

    def test_one_that_is_empty_is_said(self, remotes: Remotes, tmp_path: Path) -> None:
        (tmp_path / "r").mkdir()
        git(tmp_path / "r", "init", "--quiet")
        with pytest.raises(UpstreamUnavailable):
            gathering(tmp_path / "r", remotes, tmp_path).look()

    def test_a_change_elsewhere_leaves_a_package_its_state(self, remotes: Remotes, tmp_path: Path) -> None:
        registry = a_registry(
            tmp_path / "r", {**module_file("platform/vpc/aws", "v1.0.0"), **module_file("Azure/aks/azurerm", "v1.0.0")}
        )
        found = gathering(registry, remotes, tmp_path)
        before = found.state(declared(VPC)), found.state(declared(AKS))
        commit(registry, module_file("Azure/aks/azurerm", "v1.0.0", "v1.1.0"))
        found.look()
        after = found.state(declared(VPC)), found.state(declared(AKS))
        assert before[0] == after[0]
        assert before[1] != after[1]
