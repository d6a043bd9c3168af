"""A second start on the same store: there at once, whatever the catalog's host does, and nothing is fetched again."""

import socket
from pathlib import Path

import pytest

from tests.e2e.asking import module_archive, module_versions, provider_versions
from tests.e2e.catalogs import a_catalog, a_catalog_module, a_catalog_provider
from tests.e2e.client import Workspace, a_release, client_config, host_of, module_block, provider_block
from tests.e2e.process import eventually, up
from tests.repositories import GitServer
from tests.server.house import ask

pytestmark = pytest.mark.e2e

NET, HELLO = "acme/net/generic", "acme/hello"


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return a_catalog(
        tmp_path / "git" / "catalog",
        a_catalog_module(NET, "1.0.0", "1.1.0"),
        a_catalog_provider(HELLO, [a_release("1.0.0")]),
    )


def test_a_catalog_that_did_not_move_is_not_fetched_again(catalog: Path, tmp_path: Path) -> None:
    with GitServer(catalog.parent) as server:
        with up(server.url("catalog"), tmp_path) as first:
            published = first.event("reconciled")
            before = module_archive(first.url, NET, "1.0.0")
        fetches = server.fetches
        assert fetches > 0
        with up(server.url("catalog"), tmp_path) as second:
            again = second.event("reconciled")
            assert module_archive(second.url, NET, "1.0.0") == before
            asked = len(server.requests)
            eventually(lambda: len(server.requests) > asked + 1)  # polled since, twice
        assert server.fetches == fetches
    assert (again["snapshot"], again["published"]) == (published["snapshot"], False)


def test_a_changed_cache_is_made_again(catalog: Path, tmp_path: Path) -> None:
    """The cache is worth nothing: without it the same catalog gives the same snapshot."""
    with GitServer(catalog.parent) as server:
        with up(server.url("catalog"), tmp_path) as first:
            published = first.event("reconciled")["snapshot"]
        with up(server.url("catalog"), tmp_path, "--cache", tmp_path / "another") as second:
            assert second.event("reconciled")["snapshot"] == published
        with up(server.url("catalog"), tmp_path / "other") as elsewhere:
            assert elsewhere.event("reconciled")["snapshot"] == published


def test_a_catalogs_host_that_stalls_delays_nobody(catalog: Path, tmp_path: Path) -> None:
    with GitServer(catalog.parent) as server:
        with up(server.url("catalog"), tmp_path) as first:
            first.event("reconciled")
        server.stall = True
        asked = len(server.requests)
        url = f"http://127.0.0.1:{_free_port()}"
        with up(server.url("catalog"), tmp_path, "--listen", host_of(url)):
            eventually(lambda: len(server.requests) > asked)
            eventually(lambda: _answers(url))
            assert module_versions(url, NET) == ["1.0.0", "1.1.0"]
            assert provider_versions(url, HELLO) == ["1.0.0"]
            client = Workspace(tmp_path / "client", client_config(url))
            client.write(
                provider_block(f"{host_of(url)}/{HELLO}", "1.0.0") + module_block(f"{host_of(url)}/{NET}", "1.1.0")
            )
            client.init()
            server.stopping.set()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        return ask(url, "/readyz").status == 200
    except ConnectionRefusedError:
        return False
