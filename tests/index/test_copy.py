from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pytest

from gitopsreg.errors import ConfigError, PublishConflict, StorageError
from gitopsreg.index import repository
from gitopsreg.index.copy import Copied, copy
from gitopsreg.index.head import move_head
from gitopsreg.index.keys import COPIED, HEAD, LINK_KEY, blob_key, package_key
from gitopsreg.index.pointer import Hold
from gitopsreg.index.retained import retained
from gitopsreg.index.verify import verify
from gitopsreg.storage.base import BlobReader, BlobStore
from gitopsreg.storage.filesystem import FilesystemStore
from gitopsreg.storage.memory import MemoryStore
from tests.builders import VPC, a_blob, a_module
from tests.fakes import Died, FailingStore
from tests.index.published import a_history, publish, shelved
from tests.reconcile.care import HELD, FakeLease, served_whole

ONE = blob_key(a_blob(b"1.0.0").sha256)


@pytest.fixture
def source() -> MemoryStore:
    store = MemoryStore()
    a_history(store, "1.0.0", "1.1.0", "1.2.0")
    store.put(LINK_KEY, b"k" * 32)
    store.put("status/registry", b"{}")
    return store


def copied(
    source: BlobReader, target: BlobStore, keep: int = 10, *, quick: bool = False, force: bool = False, jobs: int = 4
) -> Copied:
    return copy(source, target, HELD, keep=keep, quick=quick, force=force, jobs=jobs)


def contents(store: BlobReader) -> dict[str, bytes]:
    return {key: store.get(key) for key in store.keys("") if key != HEAD}


def test_the_copy_serves_the_same(source: MemoryStore, tmp_path: Path) -> None:
    before = contents(source)
    target = FilesystemStore(tmp_path / "target")
    done = copied(source, target)
    assert (done.snapshots, done.documents, done.blobs, done.size > 0, done.there) == (3, 9, 3, True, 0)
    assert served_whole({"": target}) == served_whole({"": source})
    brought = {key: data for key, data in before.items() if not key.startswith("status/")}
    assert contents(target) == brought | {COPIED: b""}
    assert contents(source) == before
    assert verify({"": target}, keep=10).snapshots == 3


def test_again_is_cheap_and_changes_nothing(source: MemoryStore) -> None:
    target = MemoryStore()
    copied(source, target)
    head = target.get(HEAD)
    counting = FailingStore(target)
    done = copied(source, counting)
    assert (done.documents, done.blobs, done.there) == (0, 0, 12)
    assert counting.writes == []
    assert target.get(HEAD) == head


def test_what_is_new_follows(source: MemoryStore) -> None:
    target = MemoryStore()
    copied(source, target)
    publish(source, a_module("1.0.0", "1.1.0", "1.2.0", "1.3.0"))
    done = copied(source, target)
    assert (done.documents, done.blobs) == (3, 1)
    assert served_whole({"": target}) == served_whole({"": source})


def test_wrong_bytes_in_the_target_are_replaced_unless_only_sizes_are_looked_at(source: MemoryStore) -> None:
    target = MemoryStore()
    target.put(ONE, b"1.0.9")
    assert copied(source, target, quick=True).blobs == 2
    assert target.get(ONE) == b"1.0.9"
    assert copied(source, target).blobs == 1
    assert target.get(ONE) == b"1.0.0"


@pytest.mark.parametrize("folder", ["roots", "shards", "packages"])
def test_copying_back_mends_a_torn_index(source: MemoryStore, folder: str) -> None:
    target = MemoryStore()
    copied(source, target)
    for key in list(source.keys(f"index/{folder}/"))[::2]:
        source.put(key, b"torn")
    for key in list(source.keys(f"index/{folder}/"))[1::2]:
        source.delete(key)
    assert copied(target, source).documents == 3
    assert verify({"": source}, keep=10).faults == ()


def test_a_short_history_ends_where_it_was_cut(source: MemoryStore) -> None:
    target = MemoryStore()
    assert copied(source, target, keep=2).snapshots == 2
    head = repository.read_head(target)
    assert head
    assert len(retained(target, head, keep=10).chain) == 2
    assert verify({"": target}, keep=10).snapshots == 2


def test_a_wrong_byte_in_the_source_is_told_and_the_target_goes_on_as_it_was(source: MemoryStore) -> None:
    target = MemoryStore()
    copied(source, target)
    before = target.get(HEAD)
    publish(source, a_module("1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"))
    bad = blob_key(a_blob(b"1.4.0").sha256)
    source.put(bad, b"1.4.x")
    (fault,) = copied(source, target).faults
    assert (fault.place.key, fault.what, fault.packages) == (bad, "ReadBackMismatch", (str(VPC),))
    assert target.get(HEAD) == before
    assert bad not in target.keys("blobs/")
    assert blob_key(a_blob(b"1.3.0").sha256) in target.keys("blobs/")
    source.put(bad, b"1.4.0")
    assert copied(source, target).faults == ()
    assert served_whole({"": target}) == served_whole({"": source})


def test_a_torn_document_in_the_source_is_told(source: MemoryStore) -> None:
    snapshot = served_whole({"": source})
    assert snapshot
    key = package_key(snapshot.entries[VPC].digest)
    source.put(key, b"torn")
    target = MemoryStore()
    assert [fault.place.key for fault in copied(source, target).faults] == [key]
    assert HEAD not in target.keys("index/")


def test_bytes_in_other_back_ends_stay_there(source: MemoryStore) -> None:
    publish(source, a_module("1.0.0"), shelved("2.0.0", "2.1.0"), archive=MemoryStore())
    target = MemoryStore()
    done = copied(source, target)
    assert (done.blobs, done.elsewhere) == (3, (("archive", 2),))


def test_another_registrys_index_is_never_replaced_by_mistake(source: MemoryStore) -> None:
    target = MemoryStore()
    theirs = publish(target, a_module("9.0.0"))
    before = contents(target)
    with pytest.raises(ConfigError, match="holds an index of its own"):
        copied(source, target)
    assert contents(target) == before
    copied(source, target, force=True)
    assert served_whole({"": target}) != theirs
    assert repository.load(target, theirs.digest) == theirs


def test_a_target_that_was_published_to_is_another_registry(source: MemoryStore) -> None:
    target = MemoryStore()
    copied(source, target)
    publish(target, a_module("1.0.0", "7.0.0"))
    with pytest.raises(ConfigError):
        copied(source, target)


def test_a_hold_and_a_rollback_go_along(source: MemoryStore) -> None:
    head = repository.read_head(source)
    assert head
    first = retained(source, head, keep=3).chain[-1]
    hold = Hold(since="2026-01-01T00:00:00Z", reason="broken")
    moved = head.moved(fence=0, root=first, revision="old", ledger=head.root, hold=hold)
    move_head(source, moved, head=head)
    target = MemoryStore()
    copied(source, target, keep=1)
    there = repository.read_head(target)
    assert there
    assert (there.root, there.ledger, there.hold) == (first, head.root, hold)
    served_whole({"": target})
    assert repository.load(target, head.root) == repository.load(source, head.root)


class Busy(MemoryStore):
    """Calls back when a blob is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[], None] = lambda: None

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        super().put(key, data)
        if key.startswith("blobs/"):
            self.then()


def test_a_source_that_is_published_to_meanwhile_is_followed(source: MemoryStore) -> None:
    target = Busy()
    news = iter(("1.3.0", "1.4.0"))

    def busy() -> None:
        if new := next(news, None):
            publish(source, a_module("1.0.0", "1.1.0", "1.2.0", new))

    target.then = busy
    copied(source, target, jobs=1)
    whole = served_whole({"": target})
    assert whole == served_whole({"": source})
    assert whole
    assert whole.packages[VPC].versions[-1].version.text == "1.4.0"


def test_a_target_that_is_published_to_meanwhile_keeps_what_it_got(source: MemoryStore) -> None:
    target = Busy()

    def busy() -> None:
        target.then = lambda: None
        publish(target, a_module("9.0.0"))

    target.then = busy
    with pytest.raises(PublishConflict):
        copied(source, target, jobs=1)
    whole = served_whole({"": target})
    assert whole
    assert whole.packages[VPC].versions[-1].version.text == "9.0.0"


def test_a_lost_lease_leaves_the_head_alone(source: MemoryStore) -> None:
    target = MemoryStore()
    with pytest.raises(StorageError, match="lost"):
        copy(source, target, FakeLease(lost=True), keep=1)
    assert HEAD not in target.keys("index/")


def test_nothing_to_copy_is_told() -> None:
    with pytest.raises(StorageError, match="nothing to copy"):
        copied(MemoryStore(), MemoryStore())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_dying_at_every_operation_is_finished_by_the_next(source: MemoryStore, after: bool) -> None:
    counting = FailingStore(MemoryStore())
    copied(source, counting, jobs=1)
    wanted = served_whole({"": source})
    for k in range(1, len(counting.operations) + 1):
        target = MemoryStore()
        with suppress(Died, StorageError):
            copied(source, FailingStore(target, k, after=after, error=Died), jobs=1)
        assert served_whole({"": target}) in (None, wanted)
        copied(source, target)
        assert served_whole({"": target}) == wanted


class Flips(MemoryStore):
    """Takes everything, and keeps another byte."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        whole = data if isinstance(data, bytes) else b"".join(data)
        super().put(key, bytes([whole[0] ^ 1]) + whole[1:] if key.startswith(self._kind) else whole)


@pytest.mark.parametrize("kind", ["index/packages/", "blobs/"])
def test_a_target_that_keeps_other_bytes_is_never_served(source: MemoryStore, kind: str) -> None:
    target = Flips(kind)
    with suppress(StorageError):
        assert copied(source, target).faults
    assert repository.read_head(target) is None
