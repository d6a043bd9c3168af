"""The key of download links: made once, the same for everybody."""

import pytest

from gitopsreg.errors import PublishConflict, StorageError
from gitopsreg.index.keys import LINK_KEY
from gitopsreg.index.link_key import ensure_link_key, read_link_key
from gitopsreg.storage.base import Token
from gitopsreg.storage.memory import MemoryStore
from tests.faults import Fault, FaultyStore


def test_it_is_made_once() -> None:
    store = MemoryStore()
    assert read_link_key(store) is None
    key = ensure_link_key(store)
    assert len(key) >= 32
    assert ensure_link_key(store) == read_link_key(store) == key
    assert ensure_link_key(MemoryStore()) != key


def test_a_short_key_is_not_used() -> None:
    store = MemoryStore()
    store.put(LINK_KEY, b"short")
    with pytest.raises(StorageError, match="5 bytes"):
        read_link_key(store)


def test_a_torn_key_is_made_anew() -> None:
    """Nobody could sign with it, so no link is lost."""
    store = MemoryStore()
    store.put(LINK_KEY, b"torn")
    key = ensure_link_key(store)
    assert len(key) == 32
    assert store.get(LINK_KEY) == key


def test_a_key_that_was_only_read_badly_stays() -> None:
    store = MemoryStore()
    key = ensure_link_key(store)
    torn = FaultyStore(store, Fault(kind="tear", method="get_with_token", last=1))
    assert ensure_link_key(torn) == key
    assert store.get(LINK_KEY) == key


class Beaten(MemoryStore):
    """Somebody else makes a key just before us."""

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        super().put(key, b"theirs" * 8)
        raise PublishConflict("too late")


def test_of_two_makers_both_get_the_winners() -> None:
    assert ensure_link_key(Beaten()) == b"theirs" * 8


class Refusing(MemoryStore):
    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        raise PublishConflict("no")


def test_a_store_that_takes_none_is_told() -> None:
    with pytest.raises(StorageError, match="can't be made"):
        ensure_link_key(Refusing())
