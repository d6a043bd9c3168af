"""The reconciler and the server as two processes that share nothing but the store."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gitopsreg.reconcile.events import Silent
from gitopsreg.settings import Settings
from gitopsreg.wiring.reconciling import make_reconciler
from tests.e2e.asking import module_versions, reconcile_now
from tests.e2e.catalogs import a_catalog, a_catalog_module
from tests.e2e.client import Workspace, client_config, host_of
from tests.e2e.process import eventually, places, running, serve
from tests.repositories import commit
from tests.server.house import ask

pytestmark = pytest.mark.e2e

NET = "acme/net/generic"
TOKEN = "a token of the receiver"
PUBLISHES = 20


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return a_catalog(tmp_path / "catalog", a_catalog_module(NET, "1.0.0"))


@pytest.mark.pitfall(63)
def test_pitfall_63_a_server_that_started_first_says_503_until_there_is_something(
    catalog: Path, tmp_path: Path
) -> None:
    with serve(tmp_path) as server:
        url = server.url
        assert server.event("serving")["snapshot"] == ""
        early = ask(url, f"/v1/modules/{NET}/versions")
        assert early.status == 503
        assert 0 < int(early.headers["retry-after"]) <= 5
        assert ask(url, "/readyz").status == 503
        assert ask(url, "/healthz").status == 200
        assert ask(url, "/.well-known/terraform.json").status == 200
        watching = ("reconcile", "--watch", "--catalog", catalog, *places(tmp_path), "--interval", "1s")
        with running(*watching, "--output", "json", log=tmp_path / "reconcile.log") as reconciler:
            published = reconciler.event("reconciled")["snapshot"]
            eventually(lambda: ask(url, "/readyz").status == 200)
        ready = json.loads(ask(url, "/readyz").body)
        assert ready["snapshot"] == f"sha256:{published}"
        assert ready["packages"] == 1
        # The reconciler is gone, and what it published is served all the same.
        client = Workspace(tmp_path / "client", client_config(url))
        client.get(f"{host_of(url)}/{NET}", "1.0.0")


def test_webhooks_reach_a_reconciler_of_its_own(catalog: Path, tmp_path: Path) -> None:
    """Polling is far away: only the webhook can bring the commit."""
    watching = ("reconcile", "--watch", "--catalog", catalog, *places(tmp_path), "--interval", "1d")
    hooks = ("--hooks-listen", "127.0.0.1:0", "--receiver", "now=bearer,env:HOOK_TOKEN", "--log-format", "json")
    log = tmp_path / "reconcile.log"
    with (
        running(*watching, *hooks, "--output", "json", log=log, HOOK_TOKEN=TOKEN) as reconciler,
        serve(tmp_path) as server,
    ):
        reconciler.event("reconciled")
        eventually(lambda: ask(server.url, "/readyz").status == 200)
        hooks_url = eventually(lambda: next(_addresses(log), ""))
        commit(catalog, a_catalog_module(NET, "1.0.0", "1.1.0"))
        assert ask(hooks_url, f"/v1/modules/{NET}/versions").status == 404
        reconcile_now(hooks_url, TOKEN)
        eventually(lambda: module_versions(server.url, NET) == ["1.0.0", "1.1.0"])
        assert ask(server.url, "/hooks/now", "POST", {"Authorization": f"Bearer {TOKEN}"}).status == 404


def _addresses(log: Path) -> Iterator[str]:
    """Where it receives webhooks, as its log says."""
    for line in log.read_text().splitlines():
        document = json.loads(line)
        if document["event"] == "receiving webhooks":
            yield document["address"]


def test_clients_never_notice_that_a_snapshot_is_swapped(catalog: Path, tmp_path: Path) -> None:
    """Whoever asks without pause during many publishes gets whole answers only, each newer than the one before."""
    settings = Settings(catalog=str(catalog), store=(tmp_path / "store").as_uri(), cache=tmp_path / "cache")
    with make_reconciler(settings, Silent()) as reconciler:
        reconciler.run()
        with serve(tmp_path) as server, _hammering(server.url, 3) as seen:
            versions = ["1.0.0"]
            for number in range(1, PUBLISHES + 1):
                versions.append(f"1.{number}.0")
                commit(catalog, a_catalog_module(NET, *versions))
                outcome = reconciler.run()
                assert outcome.published
                eventually(lambda: _served(server.url) == outcome.snapshot)  # noqa: B023 - called at once
    for answers in seen:
        assert len(answers) > PUBLISHES
        assert answers == sorted(answers), "an older list came after a newer one"
        assert answers[-1] == PUBLISHES + 1
    assert len({answer for answers in seen for answer in answers}) > PUBLISHES / 2


def _served(url: str) -> str:
    digest: str = json.loads(ask(url, "/readyz").body)["snapshot"]
    return digest.removeprefix("sha256:")


@contextmanager
def _hammering(url: str, clients: int) -> Iterator[list[list[int]]]:
    """Clients that ask for the versions of a module until the block ends; how many versions each was told, in order.

    Each answer must be whole: as its snapshot says, from 1.0.0 to the newest without a gap.
    """
    stop = threading.Event()
    seen: list[list[int]] = [[] for _ in range(clients)]
    errors: list[BaseException] = []
    snapshots: dict[str, int] = {}

    def ask_without_pause(answers: list[int]) -> None:
        parts = urlsplit(url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        try:
            while not stop.is_set():
                answers.append(_complete(connection, snapshots))
            answers.append(_complete(connection, snapshots))
        except BaseException as error:  # noqa: BLE001 - the test's thread raises it
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask_without_pause, args=(answers,)) for answers in seen]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors, errors


def _complete(connection: HTTPConnection, snapshots: dict[str, int]) -> int:
    connection.request("GET", f"/v1/modules/{NET}/versions")
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, body
    listed = [item["version"] for item in json.loads(body)["modules"][0]["versions"]]
    assert listed == [f"1.{number}.0" for number in reversed(range(len(listed)))]
    digest = response.headers["X-Gitopsreg-Snapshot"]
    assert digest.startswith("sha256:")
    assert snapshots.setdefault(digest, len(listed)) == len(listed)
    return len(listed)
