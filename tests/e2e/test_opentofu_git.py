"""Packages of a registry in a Git repository, by reference and stored, as the real terraform installs them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.asking import module_download, module_versions, provider_versions, status
from tests.e2e.catalogs import a_catalog, a_document, a_module, a_namespace, module_content, provider_file
from tests.e2e.client import HERE, Workspace, a_release, client_config, host_of, provider_block
from tests.e2e.process import Gitopsreg, up
from tests.file_server import FileServer
from tests.opentofu import a_registry, key_file, module_file, release_entry
from tests.opentofu import provider_file as upstream_provider
from tests.releases import AReleaseFolder
from tests.repositories import a_repository, commit, git, tag
from tests.server.house import ask

pytestmark = pytest.mark.e2e

NET, LOCAL, HELLO, COPY = "acme/net/generic", "acme/local/generic", "acme/hello", "copies/hello"
WARNING = "This provider has moved"


@dataclass(frozen=True, slots=True)
class House:
    """`modules` is what clients find at https://github.com/Acme/terraform-generic-net."""

    registry: Gitopsreg
    files: FileServer
    release: AReleaseFolder
    modules: Path
    folder: Path

    def client(self, folder: Path) -> Workspace:
        """One whose Git takes the forge for a folder of this machine."""
        forge = f"file://{self.modules.parents[1]}/"
        return Workspace(
            folder,
            client_config(self.registry.url),
            GIT_CONFIG_COUNT="1",
            GIT_CONFIG_KEY_0=f"url.{forge}.insteadOf",
            GIT_CONFIG_VALUE_0="https://github.com/",
        )

    def download(self, address: str) -> Any:
        path = f"/v1/providers/{address}/1.0.0/download/{HERE.replace('_', '/')}"
        return json.loads(ask(self.registry.url, path).body)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    modules = a_repository(folder / "forge/Acme/terraform-generic-net")
    for version in ("1.0.0", "1.1.0"):
        commit(modules, module_content(".", version) | module_content("sub", version))
        tag(modules, f"v{version}")
    release = a_release("1.0.0")
    with FileServer() as files:
        files.files = release.files
        upstream = a_registry(
            folder / "upstream",
            {
                **module_file("Acme/net/generic", "v1.0.0", {"version": "v1.1.0", "commit": _head(modules)}, "v1.x"),
                **upstream_provider("acme/hello", release_entry(release, files.url()), warnings=[WARNING]),
                **key_file("acme/provider.asc", str(release.signer.public)),
            },
        )
        with up(_catalog(folder, upstream, modules), folder, "--allow-local-sources") as registry:
            yield House(registry, files, release, modules, folder)


def _head(repository: Path) -> str:
    return git(repository, "rev-parse", "HEAD")


def _catalog(folder: Path, upstream: Path, modules: Path) -> Path:
    source = {"type": "opentofu-git", "url": f"file://{upstream}"}
    elsewhere = source | {"address": "acme/hello"}
    tags = {"type": "git", "url": f"file://{modules}", "path": "sub"}
    return a_catalog(
        folder / "catalog",
        a_namespace("copies"),
        a_module(NET, source, delivery="reference"),
        a_module(LOCAL, tags, delivery="reference"),
        a_document(provider_file(HELLO), "Provider", "hello", {"source": source, "delivery": "reference"}),
        a_document(provider_file(COPY), "Provider", "hello", {"source": elsewhere}),
    )


def test_a_module_is_fetched_from_its_own_repository(house: House, tmp_path: Path) -> None:
    url = house.registry.url
    assert module_versions(url, NET) == ["1.0.0", "1.1.0"]
    place = "git::https://github.com/Acme/terraform-generic-net"
    assert module_download(url, NET, "1.0.0").headers["x-terraform-get"] == f"{place}?ref=v1.0.0"
    assert module_download(url, NET, "1.1.0").headers["x-terraform-get"] == f"{place}?ref={_head(house.modules)}"
    for number, (source, chosen) in enumerate(((NET, "1.0.0"), (NET, "1.1.0"), (f"{NET}//modules/inner", "1.1.0"))):
        client = house.client(tmp_path / str(number))
        installed = client.get(f"{host_of(url)}/{source}", chosen)
        assert chosen in installed.joinpath("main.tf").read_text()


def test_a_module_of_any_repository_too(house: House, tmp_path: Path) -> None:
    installed = house.client(tmp_path).get(f"{host_of(house.registry.url)}/{LOCAL}", "1.0.0")
    assert installed.name == "sub"
    assert '"1.0.0"' in installed.joinpath("main.tf").read_text()


def test_a_provider_comes_from_where_it_was_released(house: House, tmp_path: Path) -> None:
    url = house.registry.url
    assert provider_versions(url, HELLO) == ["1.0.0"]
    answer = house.download(HELLO)
    assert answer["download_url"] == house.files.url(house.release.zip_name(HERE))
    assert json.loads(ask(url, f"/v1/providers/{HELLO}/versions").body)["warnings"] == [WARNING]
    client = house.client(tmp_path)
    client.write(provider_block(f"{host_of(url)}/{HELLO}"))
    assert house.release.signer.key_id in client.init().output
    assert client.providers == {f"{host_of(url)}/{HELLO}/1.0.0"}


def test_one_that_is_stored_outlives_its_upstream(house: House, tmp_path: Path) -> None:
    url = house.registry.url
    assert "/artifacts/" in house.download(COPY)["download_url"]
    house.files.requests.clear()
    client = house.client(tmp_path)
    client.write(provider_block(f"{host_of(url)}/{COPY}"))
    client.init()
    assert house.files.requests == []


def test_what_was_skipped_is_told(house: House) -> None:
    assert any(item["ref"] == "v1.x" for item in status(house.folder, NET)["skipped"])


def test_nothing_of_what_is_referred_to_is_stored(house: House) -> None:
    blobs = [path for path in (house.folder / "store/blobs").rglob("*") if path.is_file()]
    # The stored copy: SHA256SUMS, its signature and a zip for each platform.
    assert len(blobs) == 2 + len(house.release.platforms)
