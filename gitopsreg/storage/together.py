"""Many small values at once: what a store can do faster for all of them than for each in turn."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from gitopsreg.storage.base import BlobReader, BlobStore

# Values that one thread stores in a row where a store has no way of its own: few, so that every thread gets some.
SHARE = 4


@runtime_checkable
class Together(Protocol):
    """A store that has its own way to do so; it raises as `get` and `put` do."""

    @property
    def at_once(self) -> int:
        """How many such calls side by side are worth it."""

    @property
    def bulk(self) -> int:
        """How many values one call of `put_all` should bring, where there are so many."""

    def get_all(self, keys: Sequence[str]) -> list[bytes]:
        """The whole values, in the order of the keys."""

    def put_all(self, values: Sequence[tuple[str, bytes]]) -> None:
        """Store each; all of them survive the end of the process once it returns. After an error some may be there."""


def at_once(store: BlobStore, most: int) -> int:
    """How many calls side by side are worth it, `most` at most: where nobody waits for a network threads cost time."""
    return min(most, store.at_once) if isinstance(store, Together) else most


def bulk(store: BlobStore) -> int:
    """How many values to bring with one call."""
    return store.bulk if isinstance(store, Together) else SHARE


def get_all(reader: BlobReader, keys: Sequence[str]) -> list[bytes]:
    """The whole values, in the order of the keys. Raises KeyMissing, StorageError."""
    return reader.get_all(keys) if isinstance(reader, Together) else [reader.get(key) for key in keys]


def put_all(store: BlobStore, values: Sequence[tuple[str, bytes]]) -> None:
    """Store each value. Raises StorageError; then some may be there."""
    if isinstance(store, Together):
        store.put_all(values)
        return
    for key, data in values:
        store.put(key, data)
