"""The first snapshot of a large registry is served at once, and its documents are read behind the requests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from gitopsreg.errors import StorageError
from gitopsreg.index import repository
from gitopsreg.index.changed import Changed
from gitopsreg.index.keys import package_key
from gitopsreg.index.model import ModulePackage, Snapshot
from gitopsreg.protocol.links import LinkSigner
from gitopsreg.server.app import build_app
from gitopsreg.server.listen import Listen
from gitopsreg.server.serve import serving
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.storage.base import BlobReader
from gitopsreg.storage.memory import MemoryStore
from tests.builders import VPC, a_module, a_module_version, stored
from tests.index.published import DNS, TIME, publish
from tests.server.house import KEY, ask
from tests.server.linking import Linking

VERSIONS = "/v1/modules/platform/{}/aws/versions"


class Waiting(Linking):
    """What is read behind the requests is not to be had until `behind` is set; nothing is, once the store is `gone`."""

    def __init__(self, inner: BlobReader) -> None:
        super().__init__(inner)
        self.behind = threading.Event()
        self.gone = False

    def get(self, key: str) -> bytes:
        if threading.current_thread().name.startswith("store_"):
            self.behind.wait(20)
        if self.gone:
            raise StorageError("the store is gone")
        return super().get(key)


class Started:
    """Snapshots of which the first was just looked for, and served before its documents were read."""

    def __init__(self, store: BlobReader) -> None:
        self.settled: list[tuple[str, bool]] = []
        self.reports: list[str] = []
        self.snapshots = Snapshots(store, confirmed=self._settle, at_once=0, report=self.reports.append)
        assert self.snapshots.refresh()

    def _settle(self, snapshot: Snapshot, changed: bool) -> None:
        self.settled.append((snapshot.digest.hex, changed))

    @contextmanager
    def serving(self) -> Iterator[str]:
        app = build_app(self.snapshots, {"": MemoryStore()}, LinkSigner(KEY))
        with serving(app, Listen("127.0.0.1", 0), drain=5) as url:
            yield url

    def look_until_settled(self) -> None:
        for _ in range(2_000):
            self.snapshots.refresh()
            if self.settled:
                return
            threading.Event().wait(0.01)
        raise AssertionError("it is never whole")


def a_store() -> tuple[MemoryStore, Snapshot]:
    store = MemoryStore()
    return store, publish(store, a_module("1.0.0", address=VPC), a_module("1.0.0", address=DNS))


def idle() -> None:
    """Until nothing is read behind the requests."""
    for thread in threading.enumerate():
        if thread.name == "gitopsreg-documents":
            thread.join(20)


def test_requests_are_answered_while_the_rest_is_read_and_when_the_store_is_gone() -> None:
    store, published = a_store()
    reader = Waiting(store)
    started = Started(reader)
    with started.serving() as url:
        assert ask(url, VERSIONS.format("vpc")).status == 200
        assert started.settled == [], "a copy must not lead to what is not here"
        reader.behind.set()
        started.look_until_settled()
        reader.gone = True
        assert ask(url, VERSIONS.format("dns")).status == 200
    assert started.settled == [(published.digest.hex, True)]
    reader.gone = False
    started.snapshots.refresh()
    assert started.settled[1:] == [(published.digest.hex, False)]
    assert len([key for key in reader.read if key.startswith("index/packages/")]) == 2


def test_a_store_that_goes_before_all_is_read_is_503_for_what_was_not() -> None:
    store, _ = a_store()
    reader = Waiting(store)
    started = Started(reader)
    with started.serving() as url:
        assert ask(url, VERSIONS.format("vpc")).status == 200
        reader.gone = True
        reader.behind.set()
        answer = ask(url, VERSIONS.format("dns"))
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert ask(url, VERSIONS.format("vpc")).status == 200
        idle()
        assert started.reports == ["documents of packages can't be read: the store is gone"]
        reader.gone = False
        started.look_until_settled()
        assert ask(url, VERSIONS.format("dns")).status == 200


def test_a_damaged_document_costs_its_own_package_until_it_is_mended() -> None:
    store, published = a_store()
    key = package_key(published.entries[DNS].digest)
    whole = store.get(key)
    store.put(key, whole[:-1])
    started = Started(store)
    with started.serving() as url:
        idle()
        assert [ask(url, VERSIONS.format(name)).status for name in ("vpc", "dns")] == [200, 503]
        started.snapshots.refresh()
        idle()
        assert len(started.reports) == 1, "once, not at every look"
        assert f'"{key}" is torn or altered' in started.reports[0]
        assert started.snapshots.freshness().error == "the store can't be read; the registry's log says why"
        store.put(key, whole)
        started.look_until_settled()
        assert ask(url, VERSIONS.format("dns")).status == 200
    assert started.snapshots.freshness().error == ""


def test_sizes_of_what_is_read_late_are_known_then() -> None:
    store, _ = a_store()
    started = Started(store)
    started.look_until_settled()
    served = started.snapshots.current()
    blob = stored(a_module_version("1.0.0").archive)  # both modules have the same
    assert served is not None
    assert served.sizes == {blob.sha256.hex: blob.size}


def test_a_later_snapshot_is_read_before_it_is_served() -> None:
    store, published = a_store()
    started = Started(store)
    started.look_until_settled()
    after = publish(store, a_module("1.0.0", "1.1.0", address=VPC), a_module("1.0.0", address=DNS))
    key = package_key(after.entries[VPC].digest)
    whole = store.get(key)
    store.put(key, b"torn")
    assert started.snapshots.refresh() is False
    served = started.snapshots.current()
    assert served is not None
    assert served.snapshot.digest == published.digest
    store.put(key, whole)
    assert started.snapshots.refresh() is True


def test_a_damaged_document_keeps_no_other_package_from_being_blocked() -> None:
    store, published = a_store()
    key = package_key(published.entries[DNS].digest)
    whole = store.get(key)
    store.put(key, b"torn")
    started = Started(store)
    blocked = replace(a_module_version("1.0.0"), listing="blocked", blocked="it steals")
    base = _republish(store, published, "r1", replace(a_module(address=VPC), versions=(blocked,)))
    with started.serving() as url:
        assert started.snapshots.refresh() is True
        assert ask(url, "/v1/modules/platform/vpc/aws/1.0.0/download").status == 410
        assert _withheld(started) == {stored(blocked.archive).sha256.hex}, "also bytes that only it may share"
    assert Snapshots(store, at_once=0).refresh() is True, "a server that starts serves the others too"
    idle()
    store.put(key, whole)
    _republish(store, base, "r2")
    assert started.snapshots.refresh() is True
    assert _withheld(started) == frozenset(), "both modules have the same bytes"


def _withheld(started: Started) -> frozenset[str]:
    served = started.snapshots.current()
    assert served is not None
    return served.withheld


def _republish(store: MemoryStore, base: Snapshot, revision: str, *changed: ModulePackage) -> Snapshot:
    """As a reconciler does that reads none of what stays."""
    late = repository.load(store, base.digest, ahead=0)
    packages = Changed(late.packages, {package.address: package for package in changed})
    content = repository.Content(revision=revision, time=TIME, hostname=None, namespaces=(), packages=packages)
    return repository.publish(store, content, base=late, head=repository.read_head(store))
