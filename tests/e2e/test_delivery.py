"""Clients get the same bytes by links that a store signs as through the server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest

from gitopsreg.server.listen import Listen
from gitopsreg.server.serve import serving
from gitopsreg.settings import Settings
from gitopsreg.storage.filesystem import FilesystemReader
from gitopsreg.wiring.application import make_app
from tests.e2e.client import Workspace, client_config, host_of, module_block, provider_block
from tests.e2e.conftest import Running
from tests.e2e.process import running
from tests.e2e.sample import HELLO, MONO, NET, ODD, ODD_VERSION
from tests.server.linking import Linking, linking
from tests.storage import s3_server

pytestmark = pytest.mark.e2e

Delivered = Literal["redirect", "proxy"]


@contextmanager
def _registry(store: Linking, folder: Path, delivery: Delivered) -> Iterator[str]:
    settings = Settings(store="file:///linking", cache=folder / "cache", delivery=delivery)
    app, snapshots = make_app(settings, {"": store}, trigger=None)
    snapshots.refresh()
    with serving(app, Listen("127.0.0.1", 0)) as url:
        yield url


def _install(url: str, folder: Path) -> Workspace:
    """Everything that the sample has of interest, with the real terraform."""
    host = host_of(url)
    client = Workspace(folder, client_config(url))
    client.write(
        provider_block(f"{host}/{HELLO}", "1.0.0")
        + module_block(f"{host}/{NET}", "1.1.0", "net")
        + module_block(f"{host}/{NET}//modules/inner", "1.0.0", "inner")
        + module_block(f"{host}/{MONO}", "1.0.0", "mono")
        + module_block(f"{host}/{ODD}", ODD_VERSION, "odd")
    )
    client.init()
    return client


def _check(client: Workspace, host: str) -> None:
    assert client.providers == {f"{host}/{HELLO}/1.0.0"}
    assert '"1.1.0"' in client.installed("net").joinpath("main.tf").read_text()
    assert "inner 1.0.0" in client.installed("inner").joinpath("main.tf").read_text()
    assert client.installed("mono").name == "subnets"
    assert client.installed("odd").joinpath("data.bin").read_bytes() == b"plain\n"


@pytest.mark.parametrize("delivery", ["redirect", "proxy"])
def test_terraform_installs_by_either_way(plain: Running, tmp_path: Path, delivery: Delivered) -> None:
    with linking(FilesystemReader(plain.folder / "store")) as store, _registry(store, tmp_path, delivery) as url:
        _check(_install(url, tmp_path), host_of(url))
        fetched = {key for key in store.read if key.startswith("blobs/")}
        linked = {key for key, _ in store.asked}
    assert (len(linked), len(fetched)) == ((7, 0) if delivery == "redirect" else (0, 7))


def test_terraform_installs_from_links_that_s3_signs(plain: Running, tmp_path: Path) -> None:
    address = s3_server.new_address("a/registry")
    store, source = s3_server.open_store(address), FilesystemReader(plain.folder / "store")
    for key in source.keys(""):
        store.put(key, source.get(key))
    command = ("serve", "--store", str(address), "--cache", tmp_path / "cache", "--delivery", "redirect")
    quick = ("--listen", "127.0.0.1:0", "--output", "json")
    with running(*command, *quick, log=tmp_path / "serve.log", **s3_server.CREDENTIALS) as registry:
        _check(_install(registry.url, tmp_path), host_of(registry.url))
        assert "signs no download links" not in registry.errors
