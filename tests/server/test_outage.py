"""Stores that are gone, hang or stall: what is loaded is answered, and downloads end in words and in time."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import IncompleteRead
from pathlib import Path

import pytest

from gitopsreg.errors import StorageError
from gitopsreg.index.link_key import ensure_link_key
from gitopsreg.index.model import Delivery
from gitopsreg.protocol.links import LinkSigner, artifact_path
from gitopsreg.server.app import build_app
from gitopsreg.server.hands import Hands
from gitopsreg.server.listen import Listen
from gitopsreg.server.serve import serving
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.settings import Settings
from gitopsreg.storage.base import BlobReader, Token
from gitopsreg.storage.bounded import BoundedReader
from gitopsreg.storage.memory import MemoryStore
from gitopsreg.wiring.application import make_app
from tests.builders import a_module, a_module_version
from tests.server.house import KEY, a_zip, ask, fill, publish_packages, running, store_bytes
from tests.server.linking import Linking

NOW = 1_790_000_000.0
DATA = bytes(600_000)
SIGNER = LinkSigner(KEY)
VERSIONS = "/v1/modules/platform/vpc/aws/versions"
DOWNLOAD = "/v1/modules/platform/vpc/aws/1.0.0/download"


class Stalling(Linking):
    """A store whose second piece never comes, until it is let go on."""

    def size(self, key: str) -> int:
        return self.inner.size(key)

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        yield next(self.inner.chunks(key, start, length))
        self.answers.wait(60)


@dataclass
class Downloads:
    url: str
    store: Linking
    link: str
    reports: list[str]


@contextmanager
def _downloads(kind: type[Linking], patience: float = 0.3) -> Iterator[Downloads]:
    inner, reports = MemoryStore(), list[str]()
    blob = store_bytes(inner, DATA)
    publish_packages(inner, replace(a_module(), versions=(a_module_version(archive=blob),)))
    store = kind(inner)
    link = SIGNER.sign(artifact_path(blob.sha256, "a.zip"), NOW)
    settings = dict(signer=SIGNER, clock=lambda: NOW, report=reports.append, patience=patience)
    try:
        with running(inner, readers={"": store}, **settings) as url:
            yield Downloads(url, store, link, reports)
    finally:
        store.answers.set()


def test_a_store_that_hangs_is_503_and_the_client_may_come_again() -> None:
    with _downloads(Linking) as downloads:
        downloads.store.answers.clear()
        answer = ask(downloads.url, downloads.link)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert "did not answer within 0.3 s" in downloads.reports[0]
        downloads.store.answers.set()
        assert ask(downloads.url, downloads.link).body == DATA


def test_a_store_that_stalls_in_the_middle_breaks_the_download_off() -> None:
    with _downloads(Stalling) as downloads:
        downloads.store.answers.clear()
        with pytest.raises(IncompleteRead):
            ask(downloads.url, downloads.link)
        assert "a download broke off: the store did not answer" in downloads.reports[0]


def test_a_store_that_hangs_before_the_first_piece_is_no_200() -> None:
    class Silent(Linking):
        def size(self, key: str) -> int:
            return self.inner.size(key)

        def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
            self.answers.wait(60)
            yield from self.inner.chunks(key, start, length)

    with _downloads(Silent) as downloads:
        downloads.store.answers.clear()
        assert ask(downloads.url, downloads.link).status == 503


def test_hung_downloads_hold_up_nobody_else() -> None:
    with _downloads(Linking, patience=60) as downloads:
        downloads.store.answers.clear()
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(ask(downloads.url, downloads.link).status))
            for _ in range(80)
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in range(1000):
                if len(downloads.store.read) == 64:
                    break
                threading.Event().wait(0.01)
            for path in (VERSIONS, DOWNLOAD, "/readyz", "/.well-known/terraform.json", "/docs"):
                assert ask(downloads.url, path).status in {200, 204}
            assert ask(downloads.url, downloads.link, "HEAD").status == 200
            assert len(downloads.store.read) == 64
        finally:
            downloads.store.answers.set()
            for thread in threads:
                thread.join()
        assert statuses == [200] * 80


def test_who_finds_no_thread_in_time_is_told_so() -> None:
    import anyio

    go = threading.Event()
    hands, refused = Hands(1, 0.2), list[str]()

    async def scenario() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hands.do, lambda: go.wait(60))
            await anyio.lowlevel.checkpoint()
            try:
                await hands.do(lambda: None)
            except StorageError as error:
                refused.append(str(error))
            finally:
                go.set()

    anyio.run(scenario)
    assert refused == ["1 downloads wait for the store already"]


@pytest.mark.parametrize("path", [DOWNLOAD, "/readyz", "/artifacts"])
def test_clients_do_not_learn_where_the_store_lies(path: str) -> None:
    secret = '"/srv/secret/bucket-7/index/head" could not be read'

    class Telling(MemoryStore):
        telling = False

        def size(self, key: str) -> int:
            raise StorageError(secret)

        def get_with_token(self, key: str) -> tuple[bytes, Token]:
            if self.telling:
                raise StorageError(secret)
            return super().get_with_token(key)

    def signer() -> LinkSigner:
        if path == DOWNLOAD:
            raise StorageError(secret)
        return SIGNER

    store, reports = Telling(), list[str]()
    fill(store)
    snapshots = Snapshots(store, report=reports.append)
    snapshots.refresh()
    store.telling = True
    snapshots.refresh()
    app = build_app(snapshots, {"": store}, signer, clock=lambda: NOW, report=reports.append)
    if path == "/artifacts":
        path = SIGNER.sign(artifact_path(store_bytes(store, a_zip({"a": "b"})).sha256, "a.zip"), NOW)
    with serving(app, Listen("127.0.0.1", 0)) as url:
        body = ask(url, path).body.decode()
    assert "log says why" in body
    assert "secret" not in body
    assert any(secret in report for report in reports)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def _ageing(clock: Clock) -> Iterator[str]:
    store = MemoryStore()
    fill(store)
    snapshots = Snapshots(store, stale_after=30.0, clock=clock)
    snapshots.refresh()
    with serving(build_app(snapshots, {"": store}, SIGNER, clock=lambda: NOW), Listen("127.0.0.1", 0)) as url:
        yield url


@pytest.mark.parametrize("path", [VERSIONS, DOWNLOAD, "/.well-known/terraform.json", "/v1/modules/a/b/c/versions"])
def test_only_a_stale_answer_says_how_old_its_snapshot_is(path: str) -> None:
    clock = Clock()
    with _ageing(clock) as url:
        fresh = ask(url, path)
        clock.now = 145.5
        stale = ask(url, path)
        again = ask(url, path, headers={"If-None-Match": fresh.headers.get("etag", '"none"')})
    assert "x-gitopsreg-snapshot-age" not in fresh.headers
    assert stale.headers["x-gitopsreg-snapshot-age"] == again.headers["x-gitopsreg-snapshot-age"] == "45"
    assert stale.headers.get("etag") == fresh.headers.get("etag")
    assert (stale.status, stale.body) == (fresh.status, fresh.body)
    assert again.status == (304 if "etag" in fresh.headers else 404)


def test_ready_says_that_it_is_stale_and_stays_ready() -> None:
    clock = Clock()
    with _ageing(clock) as url:
        assert "stale" not in json.loads(ask(url, "/readyz").body)
        clock.now = 145.5
        answer = ask(url, "/readyz")
    assert answer.status == 200
    assert json.loads(answer.body)["stale"] is True
    assert json.loads(answer.body)["confirmedSeconds"] == 45.5


def test_while_a_look_hangs_it_is_told_and_the_snapshot_ages() -> None:
    inner, clock = MemoryStore(), Clock()
    fill(inner)
    store = Linking(inner)
    snapshots = Snapshots(store, stale_after=30.0, clock=clock)
    snapshots.refresh()
    store.answers.clear()
    hanging = threading.Thread(target=snapshots.refresh)
    store.read.clear()
    hanging.start()
    try:
        while not store.read:
            threading.Event().wait(0.01)
        assert snapshots.freshness().error == ""
        clock.now = 131.0
        fresh = snapshots.freshness()
        assert (fresh.error, fresh.confirmed, fresh.stale) == ("the store has not answered yet", 31.0, True)
    finally:
        store.answers.set()
        hanging.join()
    assert snapshots.freshness().error == ""


def test_a_store_that_hangs_for_ever_is_asked_again_and_again_by_few_threads() -> None:
    inner, reports = MemoryStore(), list[str]()
    fill(inner)
    store = Linking(inner)
    bounded = BoundedReader(store, 0.05, most=3)
    snapshots = Snapshots(bounded, report=reports.append)
    snapshots.refresh()
    store.answers.clear()
    store.read.clear()
    try:
        for _ in range(8):
            assert snapshots.refresh() is False
        assert bounded.abandoned == len(store.read) == 3
        assert "log says why" in snapshots.freshness().error
        assert len(reports) == 2
    finally:
        store.answers.set()
    while bounded.abandoned:
        threading.Event().wait(0.01)
    assert snapshots.refresh() is False
    assert snapshots.freshness().error == ""


def _settings(folder: Path) -> Settings:
    return Settings(store="file:///nowhere", cache=folder, delivery="proxy")


class Gone(Linking):
    """A store that does not answer at all."""

    def _look(self, key: str) -> BlobReader:
        raise StorageError("the store is gone")


def test_a_server_that_starts_while_the_store_is_gone_answers_from_what_was_kept(tmp_path: Path) -> None:
    store = MemoryStore()
    fill(store)
    ensure_link_key(store)
    answers = []
    readers: list[tuple[BlobReader, int]] = [(store, 200), (Gone(store), 503), (MemoryStore(), 502)]
    for reader, status in readers:
        app, snapshots = make_app(_settings(tmp_path), {"": reader}, trigger=None)
        snapshots.refresh()
        with serving(app, Listen("127.0.0.1", 0)) as url:
            answers.append([(ask(url, path).status, ask(url, path).body) for path in (VERSIONS, DOWNLOAD)])
            ready = json.loads(ask(url, "/readyz").body)
            assert ("error" in ready) == (reader is not store)
            path, _, query = ask(url, DOWNLOAD).headers["x-terraform-get"].partition("?")
            assert ask(url, f"{path}?{query}").status == status
    assert answers[0] == answers[1] == answers[2]
    assert [status for status, _ in answers[0]] == [200, 204]


def test_when_the_store_is_back_its_answer_counts(tmp_path: Path) -> None:
    store = MemoryStore()
    fill(store)
    ensure_link_key(store)
    make_app(_settings(tmp_path), {"": store}, trigger=None)[1].refresh()
    reader = Linking(store)
    reader.answers.clear()
    reader.read = Refusing()
    _, snapshots = make_app(_settings(tmp_path), {"": reader}, trigger=None)
    snapshots.refresh()
    assert snapshots.freshness().error
    first = snapshots.current()
    assert first is not None
    reader.answers.set()
    reader.read = []
    assert snapshots.refresh() is False
    assert snapshots.freshness().error == ""
    publish_packages(store, a_module("9.0.0"))
    assert snapshots.refresh() is True
    assert snapshots.current() is not first


class Refusing(list[str]):
    def append(self, key: str) -> None:
        raise StorageError(f"the store is gone: {key}")


def test_a_first_look_that_fails_with_nothing_kept_is_not_ready(tmp_path: Path) -> None:
    app, snapshots = make_app(_settings(tmp_path), {"": Gone(MemoryStore())}, trigger=None)
    snapshots.refresh()
    with serving(app, Listen("127.0.0.1", 0)) as url:
        answer = ask(url, VERSIONS)
        assert ask(url, "/readyz").status == 503
    assert json.loads(answer.body) == {
        "errors": ["no snapshot is loaded: the store can't be read; the registry's log says why"]
    }


@pytest.mark.parametrize("key", ["index/head", "index/roots", "index/packages", "private/link-key"])
def test_a_cache_that_is_broken_is_ignored(tmp_path: Path, key: str) -> None:
    store = MemoryStore()
    fill(store)
    ensure_link_key(store)
    make_app(_settings(tmp_path), {"": store}, trigger=None)[1].refresh()
    (folder,) = (tmp_path / "server").iterdir()
    broken = folder / key
    for path in [broken] if broken.is_file() else broken.iterdir():
        path.write_bytes(b"torn")
    app, snapshots = make_app(_settings(tmp_path), {"": Gone(store)}, trigger=None)
    snapshots.refresh()
    with serving(app, Listen("127.0.0.1", 0)) as url:
        assert ask(url, VERSIONS).status == (200 if key == "private/link-key" else 503)
        assert ask(url, DOWNLOAD).status == 503
    app, snapshots = make_app(_settings(tmp_path), {"": store}, trigger=None)
    snapshots.refresh()
    with serving(app, Listen("127.0.0.1", 0)) as url:
        assert ask(url, DOWNLOAD).status == 204


def test_delivery_follows_the_settings(tmp_path: Path) -> None:
    app, _ = make_app(replace(_settings(tmp_path), delivery="redirect"), {"": MemoryStore()}, trigger=None)
    assert app.state.house.delivery == Delivery(serve="redirect", ttl=600)
