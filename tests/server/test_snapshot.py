"""The served snapshot: swapped whole, kept when the store fails, loaded by one thread at a time."""

import threading
from collections.abc import Iterator

from gitopsreg.errors import KeyMissing, StorageError
from gitopsreg.index.keys import HEAD
from gitopsreg.model.digest import Sha256
from gitopsreg.server.served import withheld
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.storage.base import BlobReader, LinkTerms, Stored, Token
from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_blob, a_module, a_module_version, stored
from tests.protocol.samples import a_provider, a_provider_version, a_snapshot, vpc
from tests.server.house import fill, publish_packages


class Flaky:
    """A reader of a store that can go away, and counts what is read."""

    def __init__(self, store: BlobReader) -> None:
        self.store = store
        self.broken = False
        self.read: list[str] = []

    def _look(self, key: str) -> None:
        if self.broken:
            raise StorageError("the store does not answer")
        self.read.append(key)

    def get(self, key: str) -> bytes:
        self._look(key)
        return self.store.get(key)

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        self._look(key)
        return self.store.get_with_token(key)

    def size(self, key: str) -> int:
        self._look(key)
        return self.store.size(key)

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        self._look(key)
        return self.store.chunks(key, start, length)

    def keys(self, prefix: str) -> Iterator[str]:
        self._look(prefix)
        return self.store.keys(prefix)

    def listing(self, prefix: str) -> Iterator[Stored]:
        self._look(prefix)
        return self.store.listing(prefix)

    def stat(self, key: str) -> Stored:
        self._look(key)
        return self.store.stat(key)

    def link(self, key: str, terms: LinkTerms) -> str | None:
        self._look(key)
        return self.store.link(key, terms)


def _served(snapshots: Snapshots) -> Sha256:
    served = snapshots.current()
    assert served is not None
    return served.snapshot.digest


def test_before_anything_is_published_there_is_none() -> None:
    snapshots = Snapshots(MemoryStore())
    assert snapshots.refresh() is False
    assert snapshots.current() is None
    assert snapshots.freshness().error == ""


def test_what_is_published_is_loaded_and_then_replaced() -> None:
    store = MemoryStore()
    snapshots = Snapshots(store)
    publish_packages(store, a_module("1.0.0"))
    assert snapshots.refresh() is True
    first = _served(snapshots)
    publish_packages(store, a_module("1.0.0", "1.1.0"))
    assert snapshots.refresh() is True
    assert _served(snapshots) != first


def test_an_unchanged_store_is_asked_for_its_pointer_only() -> None:
    store = MemoryStore()
    fill(store)
    reader = Flaky(store)
    snapshots = Snapshots(reader)
    snapshots.refresh()
    reader.read.clear()
    assert snapshots.refresh() is False
    assert reader.read == [HEAD]


def test_a_broken_store_keeps_the_last_snapshot_and_says_so_once() -> None:
    store = MemoryStore()
    fill(store)
    reader, reports, now = Flaky(store), list[str](), [100.0]
    snapshots = Snapshots(reader, report=reports.append, clock=lambda: now[0])
    snapshots.refresh()
    first = _served(snapshots)

    reader.broken = True
    now[0] = 130.0
    assert snapshots.refresh() is False
    assert snapshots.refresh() is False
    assert _served(snapshots) == first
    assert snapshots.freshness().confirmed == 30.0
    assert snapshots.freshness().error == "the store can't be read; the registry's log says why"
    assert reports == ["the snapshot can't be refreshed: the store does not answer"]

    reader.broken = False
    snapshots.refresh()
    assert (snapshots.freshness().confirmed, snapshots.freshness().error) == (0.0, "")


def test_a_torn_index_keeps_the_last_snapshot() -> None:
    store, reports = MemoryStore(), list[str]()
    snapshots = Snapshots(store, report=reports.append)
    publish_packages(store, a_module("1.0.0"))
    snapshots.refresh()
    first = _served(snapshots)
    publish_packages(store, a_module("1.0.0", "1.1.0"))
    for key in list(store.keys("index/packages/")):
        store.put(key, b"torn")
    assert snapshots.refresh() is False
    assert _served(snapshots) == first
    assert "log says why" in snapshots.freshness().error
    assert "torn or altered" in reports[0]


def test_an_index_that_is_gone_keeps_the_last_snapshot() -> None:
    store = MemoryStore()
    fill(store)
    snapshots = Snapshots(store)
    snapshots.refresh()
    store.delete(HEAD)
    assert snapshots.refresh() is False
    assert snapshots.current() is not None
    assert snapshots.freshness().error == "the store no longer has an index"


def test_following_sees_a_publish_by_itself() -> None:
    store = MemoryStore()
    snapshots = Snapshots(store)
    with snapshots.following(0.01):
        assert snapshots.current() is None
        publish_packages(store, a_module("1.0.0"))
        waited = threading.Event()
        for _ in range(1000):
            if snapshots.current() is not None:
                break
            waited.wait(0.01)
        assert snapshots.current() is not None
    assert not [thread for thread in threading.enumerate() if thread.name == "gitopsreg-snapshots"]


class Buggy(MemoryStore):
    bug = False

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        if self.bug:
            raise RuntimeError("nobody thought of this")
        return super().get_with_token(key)


def test_following_outlives_a_bug() -> None:
    store = Buggy()
    fill(store)
    reported = threading.Event()
    reports: list[str] = []

    def report(text: str) -> None:
        reports.append(text)
        reported.set()

    snapshots = Snapshots(store, report=report)
    with snapshots.following(0.01):
        store.bug = True
        assert reported.wait(20)
        assert reports == ["the snapshot can't be refreshed: RuntimeError: nobody thought of this"]
        assert "failed to look" in snapshots.freshness().error
        store.bug = False
        for _ in range(1000):
            if not snapshots.freshness().error:
                break
            threading.Event().wait(0.01)
        assert snapshots.freshness().error == ""


def test_of_many_threads_one_loads() -> None:
    store = MemoryStore()
    fill(store)
    reader = Flaky(store)
    snapshots = Snapshots(reader)
    changed: list[bool] = []
    threads = [threading.Thread(target=lambda: changed.append(snapshots.refresh())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(changed) == [False] * 7 + [True]
    assert len([key for key in reader.read if key.startswith("index/roots/")]) == 1


def test_withheld_are_the_bytes_that_only_blocked_versions_name() -> None:
    blocked = a_provider_version("1.1.0", listing="blocked", builds=())
    snapshot = a_snapshot(vpc(), a_provider(a_provider_version(), blocked))
    contents = (a_module_version("1.4.0").archive, blocked.checksums, blocked.signature)
    expected = {stored(content).sha256.hex for content in contents}
    assert withheld(snapshot) == expected
    assert withheld(a_snapshot(a_module("1.0.0"))) == frozenset()


def test_bytes_shared_with_a_version_that_is_served_are_not_withheld() -> None:
    shared = a_blob(b"shared")
    versions = (a_module_version("1.0.0", archive=shared, listing="blocked"), a_module_version("1.1.0", archive=shared))
    package = a_module()
    snapshot = a_snapshot(type(package)(address=package.address, versions=versions))
    assert withheld(snapshot) == frozenset()


def test_a_missing_document_is_a_storage_error() -> None:
    """What `refresh` relies on."""
    assert issubclass(KeyMissing, StorageError)
