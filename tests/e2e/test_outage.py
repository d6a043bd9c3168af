"""A real server whose store goes away, hangs or is damaged: what it has read is served, also after a restart."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.asking import module_archive, module_download, module_versions, provider_versions
from tests.e2e.catalogs import a_catalog, a_catalog_module, a_catalog_provider
from tests.e2e.client import Workspace, a_release, client_config, host_of, provider_block
from tests.e2e.process import eventually, serve, up
from tests.server.house import Answer, ask

pytestmark = pytest.mark.e2e

NET, HELLO = "acme/net/generic", "acme/hello"
AGE = "x-gitopsreg-snapshot-age"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a store lies that was published, and a cache that knows nothing of it."""
    catalog = a_catalog(
        tmp_path / "catalog",
        a_catalog_module(NET, "1.0.0", "1.1.0"),
        a_catalog_provider(HELLO, [a_release("1.0.0")]),
    )
    with up(catalog, tmp_path, "--cache", tmp_path / "another") as registry:
        registry.event("reconciled")
    return tmp_path


def _ready(url: str) -> dict[str, Any]:
    answer = ask(url, "/readyz")
    assert answer.status == 200
    body: dict[str, Any] = json.loads(answer.body)
    return body


def _versions(url: str) -> Answer:
    return ask(url, f"/v1/modules/{NET}/versions")


def _metadata_goes_on(url: str) -> None:
    assert module_versions(url, NET) == ["1.0.0", "1.1.0"]
    assert provider_versions(url, HELLO) == ["1.0.0"]
    assert module_download(url, NET, "1.0.0").status == 204


def test_a_store_that_goes_away_and_comes_back(folder: Path) -> None:
    store, away = folder / "store", folder / "away"
    with serve(folder) as server:
        url = server.url
        archive = module_archive(url, NET, "1.0.0")
        client = Workspace(folder / "client", client_config(url))
        client.write(provider_block(f"{host_of(url)}/{HELLO}", "1.0.0"))
        client.init()
        assert AGE not in _versions(url).headers

        store.rename(away)
        eventually(lambda: _ready(url).get("stale"))
        ready = _ready(url)
        assert ready["error"] == "the store no longer has an index"
        assert ready["confirmedSeconds"] > 0
        assert AGE in _versions(url).headers
        _metadata_goes_on(url)
        client.init("-upgrade")
        path, _, query = module_download(url, NET, "1.0.0").headers["x-terraform-get"].partition("?")
        lost = ask(url, f"{path}?{query}")
        assert lost.status == 502
        assert str(folder) not in lost.body.decode()

        away.rename(store)
        eventually(lambda: "error" not in _ready(url) and "stale" not in _ready(url))
        assert AGE not in _versions(url).headers
        assert module_archive(url, NET, "1.0.0") == archive


def test_a_restart_while_the_store_is_gone(folder: Path) -> None:
    store, away = folder / "store", folder / "away"
    with serve(folder) as server:
        before = _versions(server.url)
        assert before.status == 200
    store.rename(away)
    with serve(folder) as server:
        url = server.url
        assert server.event("serving")["snapshot"] == before.headers["x-gitopsreg-snapshot"].removeprefix("sha256:")
        _metadata_goes_on(url)
        assert _versions(url).body == before.body
        assert _versions(url).headers["etag"] == before.headers["etag"]
        eventually(lambda: AGE in _versions(url).headers)
        assert _ready(url)["error"]
        away.rename(store)
        eventually(lambda: _ready(url).keys().isdisjoint({"error", "stale"}))
        assert module_archive(url, NET, "1.0.0")


def test_a_damaged_pointer_stops_no_server_that_knows_better(folder: Path) -> None:
    head = folder / "store/index/head"
    good = head.read_bytes()
    with serve(folder) as server:
        _metadata_goes_on(server.url)
    head.write_bytes(b"\x00 nonsense")
    with serve(folder) as server:
        _metadata_goes_on(server.url)
        error = _ready(server.url)["error"]
        assert error == "the store can't be read; the registry's log says why"
        eventually(lambda: "index/head" in server.errors)
        head.write_bytes(good)
        eventually(lambda: "error" not in _ready(server.url))


def test_without_a_cache_a_damaged_pointer_is_waited_out(folder: Path) -> None:
    head = folder / "store/index/head"
    good = head.read_bytes()
    head.write_bytes(b"\x00 nonsense")
    with serve(folder) as server:
        url = server.url
        answer = _versions(url)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert str(folder) not in answer.body.decode() + ask(url, "/readyz").body.decode()
        assert ask(url, "/healthz").status == 200
        head.write_bytes(good)
        eventually(lambda: _versions(url).status == 200)


def test_a_store_that_hangs_is_told_while_it_does(folder: Path) -> None:
    """Nobody writes into the pipe: whoever reads the pointer waits for ever."""
    head = folder / "store/index/head"
    good = head.read_bytes()
    with serve(folder) as server:
        url = server.url
        _metadata_goes_on(url)
        pipe = folder / "pipe"
        os.mkfifo(pipe)
        pipe.replace(head)
        eventually(lambda: "error" in _ready(url))
        ready = _ready(url)
        assert ready["error"] == "the store has not answered yet"
        assert ready["stale"] is True
        _metadata_goes_on(url)
        assert module_archive(url, NET, "1.0.0")
        whole = folder / "whole"
        whole.write_bytes(good)
        os.link(head, pipe)
        whole.replace(head)
        os.close(os.open(pipe, os.O_WRONLY))
        eventually(lambda: _ready(url).keys().isdisjoint({"error", "stale"}))


def test_a_server_ends_while_its_store_hangs(folder: Path) -> None:
    head = folder / "store/index/head"
    with serve(folder) as server:
        pipe = folder / "pipe"
        os.mkfifo(pipe)
        assert server.url
        pipe.replace(head)
        eventually(lambda: "error" in _ready(server.url))
