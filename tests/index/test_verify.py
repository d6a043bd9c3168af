import pytest

from gitopsreg.errors import StorageError
from gitopsreg.index.contents import Place
from gitopsreg.index.fault import Fault
from gitopsreg.index.keys import blob_key, package_key, root_key
from gitopsreg.index.verify import Verified, verify
from gitopsreg.storage.base import BlobReader
from gitopsreg.storage.memory import MemoryStore
from tests.builders import VPC, a_blob, a_module
from tests.fakes import FailingStore
from tests.index.published import ARCHIVE, DNS, a_history, publish, shelved

ONE = blob_key(a_blob(b"1.0.0").sha256)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def verified(store: BlobReader, *, keep: int = 10, quick: bool = False, **others: BlobReader) -> Verified:
    return verify({"": store, **others}, keep=keep, quick=quick)


def told(done: Verified) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(fault.place.key, fault.what, fault.packages) for fault in done.faults]


def test_a_sound_store(store: MemoryStore) -> None:
    a_history(store, "1.0.0", "1.1.0")
    assert verified(store) == Verified(snapshots=2, documents=6, blobs=2, size=10)
    assert verified(store, keep=1) == Verified(snapshots=1, documents=3, blobs=2, size=10)


@pytest.mark.parametrize(
    ("data", "what", "quick_too"),
    [(None, "Missing", True), (b"1.0.0 ", "ReadBackMismatch", True), (b"1.0.1", "ReadBackMismatch", False)],
    ids=["missing", "longer", "altered"],
)
def test_a_damaged_blob_and_who_needs_it(store: MemoryStore, data: bytes | None, what: str, quick_too: bool) -> None:
    publish(store, a_module("1.0.0", address=VPC), a_module("1.0.0", "2.0.0", address=DNS))
    store.delete(ONE)
    if data is not None:
        store.put(ONE, data)
    assert told(verified(store)) == [(ONE, what, (str(DNS), str(VPC)))]
    assert bool(verified(store, quick=True).faults) == quick_too


def test_a_damaged_document_hides_nothing_else(store: MemoryStore) -> None:
    first, second = a_history(store, "1.0.0", "1.1.0")
    key = package_key(first.entries[VPC].digest)
    store.put(key, b"torn")
    store.put(ONE, b"torn.")
    assert told(verified(store)) == [
        (key, "ReadBackMismatch", (str(VPC),)),
        (ONE, "ReadBackMismatch", (str(VPC),)),
    ]
    store.put(package_key(second.entries[VPC].digest), b"torn")
    assert len(verified(store).faults) == 2


def test_a_lost_root_in_the_middle(store: MemoryStore) -> None:
    roots = a_history(store, "1.0.0", "1.1.0", "1.2.0")
    store.delete(root_key(roots[1].digest))
    with pytest.raises(
        StorageError, match=r"history breaks there: restore it from a copy, or let what is older go with --keep 1"
    ):
        verified(store)
    assert verified(store, keep=1).faults == ()


def test_other_back_ends_are_read_too(store: MemoryStore) -> None:
    archive = MemoryStore()
    publish(store, shelved("1.0.0"), archive=archive)
    assert verified(store, archive=archive) == Verified(snapshots=1, documents=3, blobs=1, size=5)
    (fault,) = verified(store).faults
    assert fault == Fault(
        place=Place("archive", f"old/{ONE}"),
        what="NoBackend",
        message='no back end is called "archive": add --backend archive=URL',
        packages=(str(DNS),),
    )
    archive.delete(blob_key(a_blob(b"1.0.0").sha256, ARCHIVE))
    assert [fault.what for fault in verified(store, archive=archive).faults] == ["Missing"]


def test_an_empty_store_is_told(store: MemoryStore) -> None:
    with pytest.raises(StorageError, match="nothing has been published"):
        verified(store)


def test_a_store_that_is_away_is_no_list_of_damages(store: MemoryStore) -> None:
    a_history(store, *(f"1.{number}.0" for number in range(20)))
    failing = FailingStore(store, 15, error=lambda: StorageError("the line is cut"))
    with pytest.raises(StorageError, match="the line is cut"):
        verify({"": failing}, keep=1, jobs=1)


class BadSpot(MemoryStore):
    """One key can't be read; everything around it can."""

    def get(self, key: str) -> bytes:
        if key == ONE:
            raise StorageError("bad sector")
        return super().get(key)


def test_a_bad_spot_is_told_like_any_damage() -> None:
    store = BadSpot()
    a_history(store, "1.0.0", "1.1.0")
    assert told(verified(store)) == [(ONE, "Unreadable", (str(VPC),))]
