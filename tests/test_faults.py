"""The store that goes wrong does so as it is told, and otherwise not at all."""

from collections.abc import Callable

import pytest

from gitopsreg.errors import KeyMissing, StorageError
from gitopsreg.storage.base import BlobStore
from gitopsreg.storage.memory import MemoryStore
from tests.faults import Fault, FaultyStore, Kind


def a_store(*faults: Fault) -> FaultyStore:
    """The value of "a" was "old!" and is "1234"."""
    inner, older = MemoryStore(), MemoryStore()
    inner.put("a", b"1234")
    older.put("a", b"old!")
    return FaultyStore(inner, *faults, older=older)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [("slow", b"1234"), ("stale", b"old!"), ("tear", b"12"), ("flip", b"1224")],
)
@pytest.mark.parametrize(
    "read",
    [
        lambda store: store.get("a"),
        lambda store: store.get_with_token("a")[0],
        lambda store: b"".join(store.chunks("a")),
    ],
    ids=["get", "get_with_token", "chunks"],
)
def test_what_is_read(kind: Kind, answer: bytes, read: Callable[[BlobStore], bytes]) -> None:
    assert read(a_store(Fault(kind=kind))) == answer


@pytest.mark.parametrize("kind", ["fail", "denied"])
def test_what_fails_has_done_nothing(kind: Kind) -> None:
    store = a_store(Fault(kind=kind))
    for call in (
        lambda: store.put("a", b"new"),
        lambda: store.replace("b", b"", expected=None),
        lambda: store.delete("a"),
    ):
        with pytest.raises(StorageError):
            call()
    assert [*store.inner.keys("")] == ["a"]
    assert store.inner.get("a") == b"1234"


def test_what_is_late_was_done() -> None:
    store = a_store(Fault(kind="late"))
    with pytest.raises(StorageError, match="the answer was lost"):
        store.put("a", b"new")
    assert store.inner.get("a") == b"new"
    pieces = store.chunks("a")
    assert next(pieces) == b"new"
    with pytest.raises(StorageError):
        next(pieces)


def test_what_is_missing_is_there() -> None:
    store = a_store(Fault(kind="missing"))
    with pytest.raises(KeyMissing):
        store.size("a")
    assert store.inner.size("a") == 4


@pytest.mark.parametrize(("kind", "stored"), [("tear", b"ne"), ("flip", b"nev ")])
def test_a_write_that_went_wrong_is_reported_as_done(kind: Kind, stored: bytes) -> None:
    store = a_store(Fault(kind=kind))
    store.put("b", b"new ")
    assert store.inner.get("b") == stored


def test_only_the_calls_that_match_and_only_those_of_their_turn() -> None:
    store = a_store(Fault(kind="fail", method="get", key="a*", first=2, last=2))
    assert store.size("a") == 4
    assert store.get("a") == b"1234"
    with pytest.raises(StorageError):
        store.get("a")
    assert store.get("a") == b"1234"
    assert store.injected == 1
    assert store.operations == [("size", "a"), *[("get", "a")] * 3]


def test_what_was_there_before_a_write_is_remembered() -> None:
    store = a_store()
    store.put("a", b"newest")
    store.plan(Fault(kind="stale"))
    assert store.get("a") == b"1234"
