"""Bytes come home verified or not at all; one bad version costs one version."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from gitopsreg.errors import StorageError, UpstreamError
from gitopsreg.index.keys import blob_key
from gitopsreg.model.declaration import Pin
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.reconcile.apply import apply
from gitopsreg.reconcile.draft import draft
from gitopsreg.reconcile.events import Silent
from gitopsreg.reconcile.resolve import Resolved
from gitopsreg.reconcile.sync import Synced, put_blob, sync
from gitopsreg.storage.memory import MemoryStore
from gitopsreg.upstream.base import Found, Payload, Release
from tests.builders import a_blob, a_module_declaration, rules
from tests.reconcile.fakes import FakeUpstream, unavailable, unsafe


def synced(upstream: FakeUpstream, store: MemoryStore, pin: Pin | None = None) -> Synced:
    declaration = a_module_declaration(versions=rules(pins=(pin,) if pin else ()))
    item = Resolved(draft=draft(declaration, None, upstream.discover()), state="resolved", upstream=upstream)
    return sync(item, {"": store}, Silent())


def test_good_versions_come_home_beside_bad_ones() -> None:
    upstream = FakeUpstream({"1.0.0": b"one", "1.1.0": b"two", "1.2.0": b"three"}, bad={"1.1.0": unsafe()})
    store = MemoryStore()
    result = synced(upstream, store)
    assert [record.version.text for record in result.records] == ["1.0.0", "1.2.0"]
    assert [(failure.version, str(failure.error)) for failure in result.failures] == [("1.1.0", str(unsafe()))]
    assert result.stored == len(b"one") + len(b"three")
    assert store.get(blob_key(Sha256.of(b"three"))) == b"three"


def test_a_second_sync_of_the_same_bytes_stores_nothing() -> None:
    upstream, store = FakeUpstream({"1.0.0": b"one"}), MemoryStore()
    assert synced(upstream, store).stored == 3
    assert synced(upstream, store).stored == 0


def test_altered_bytes_in_the_store_are_mended() -> None:
    upstream, store = FakeUpstream({"1.0.0": b"one"}), MemoryStore()
    store.put(blob_key(Sha256.of(b"one")), b"0ne")
    synced(upstream, store)
    assert store.get(blob_key(Sha256.of(b"one"))) == b"one"


def test_another_archive_than_the_pinned_one_is_refused() -> None:
    store = MemoryStore()
    result = synced(
        FakeUpstream({"1.0.0": b"one"}), store, Pin(version=Version.parse("1.0.0"), sha256=Sha256.of(b"other"))
    )
    assert result.records == ()
    assert getattr(result.failures[0].error, "reason", "") == "PinMismatch"
    assert list(store.keys("blobs/")) == []


def test_bytes_that_are_not_what_the_record_says_are_never_stored() -> None:
    store = MemoryStore()
    lie = Payload(blob=a_blob(b"promised"), open=lambda: iter([b"given"]))
    with pytest.raises(Exception, match="changed while they were stored"):
        put_blob(store, lie)
    assert list(store.keys("")) == []


class Forgetful(MemoryStore):
    """A store that says yes and keeps other bytes."""

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        return iter([b"x" * self.size(key)])


def test_a_store_that_reads_back_other_bytes_is_not_believed() -> None:
    payload = Payload(blob=a_blob(b"bytes"), open=lambda: iter([b"bytes"]))
    with pytest.raises(StorageError, match="reads back as other bytes"):
        put_blob(Forgetful(), payload)


def test_an_upstream_that_breaks_halfway_keeps_what_came_before() -> None:
    class Breaking(FakeUpstream):
        def releases(self, wanted: Sequence[Found]) -> Iterator[tuple[Found, Release | UpstreamError]]:
            yield from super().releases(wanted[:1])
            raise unavailable()

    result = synced(Breaking({"1.0.0": b"one", "1.1.0": b"two"}), MemoryStore())
    assert [record.version.text for record in result.records] == ["1.0.0"]
    assert getattr(result.error, "reason", "") == "Timeout"


def test_force_finds_a_published_version_that_would_be_other_bytes_today() -> None:
    store = MemoryStore()
    upstream = FakeUpstream({"1.0.0": b"one"})
    first = synced(upstream, store)
    declaration = a_module_declaration()
    fresh = Resolved(draft=draft(declaration, None, upstream.discover()), state="resolved", upstream=upstream)
    published = apply(fresh.draft, first.records, time="2026-01-01T00:00:00Z")
    store.delete(blob_key(Sha256.of(b"one")))
    again = draft(declaration, published, upstream.discover(), force=True)
    assert sync(replace(fresh, draft=again), {"": store}, Silent()).failures == ()
    assert store.get(blob_key(Sha256.of(b"one"))) == b"one", "a lost blob came back"
