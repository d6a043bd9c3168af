"""A store with a limit to its silence: a disk or a network that hangs becomes an error like any other.

A call that was given up may still succeed later, unseen. That harms nothing: what is named by its content is the same
whoever stores it, the head moves by compare-and-swap, and a listed value is deleted only while it is the same.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from time import monotonic
from typing import TypeVar

from gitopsreg.storage.base import BlobReader, BlobStore, LinkTerms, Stored, Token
from gitopsreg.storage.calls import Call, Calls
from gitopsreg.storage.together import Together, at_once, bulk

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_MOST_AT_ONCE = 500  # keys of a listing that one call brings


class BoundedReader:
    """A `BlobReader` whose every call ends: after `seconds` of silence of `inner`, with StorageError.

    Opening a value or a listing is one call, each piece another. Calls that hang stay behind in threads, `most` of
    them; then new ones fail at once until some return.
    """

    def __init__(self, inner: BlobReader, seconds: float, *, most: int = 64) -> None:
        self._reader = inner
        self._seconds = seconds
        self._calls = Calls(seconds, most=most)

    @property
    def abandoned(self) -> int:
        """Calls that nobody waits for any longer and that have not returned."""
        return self._calls.abandoned

    def get(self, key: str) -> bytes:
        return self._run("get", key, lambda: self._reader.get(key))

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        return self._run("get", key, lambda: self._reader.get_with_token(key))

    def size(self, key: str) -> int:
        return self._run("size", key, lambda: self._reader.size(key))

    def stat(self, key: str) -> Stored:
        return self._run("stat", key, lambda: self._reader.stat(key))

    def link(self, key: str, terms: LinkTerms) -> str | None:
        return self._run("link", key, lambda: self._reader.link(key, terms))

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        pieces = self._run("read", key, lambda: self._reader.chunks(key, start, length))
        return self._bounded("read", key, pieces, 1)

    def keys(self, prefix: str) -> Iterator[str]:
        found = self._run("list", prefix, lambda: self._reader.keys(prefix))
        return self._bounded("list", prefix, found, _MOST_AT_ONCE)

    def listing(self, prefix: str) -> Iterator[Stored]:
        found = self._run("list", prefix, lambda: self._reader.listing(prefix))
        return self._bounded("list", prefix, found, _MOST_AT_ONCE)

    def _run(self, verb: str, key: str, call: Callable[[], _Result]) -> _Result:
        return self._calls.run(verb, key, lambda _: call())

    def _bounded(self, verb: str, key: str, items: Iterator[_Item], most: int) -> Iterator[_Item]:
        try:
            while batch := self._calls.run(verb, key, lambda call: self._batch(call, items, most)):
                yield from batch
        except GeneratorExit:
            self._calls.leave("close", key, lambda: _close(items))
            raise

    def _batch(self, call: Call[list[_Item]], items: Iterator[_Item], most: int) -> list[_Item]:
        """The next items: fewer where they come slowly, so that no batch takes as long as silence may."""
        enough = monotonic() + self._seconds / 10
        batch = []
        for item in islice(items, most):
            batch.append(item)
            if monotonic() > enough:
                break
        if call.given_up:
            _close(items)
        return batch


class BoundedStore(BoundedReader):
    """The same for writing. A put of pieces may take as long as its source takes and its size asks for: what counts is
    the store's silence between two of them, and after the last. A value given whole (a document) is one call.

    The source of a put runs in another thread than the caller's.
    """

    def __init__(self, inner: BlobStore, seconds: float, *, most: int = 64) -> None:
        super().__init__(inner, seconds, most=most)
        self._store = inner

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        if isinstance(data, bytes):
            self._run("put", key, lambda: self._store.put(key, data))
            return
        pieces = iter(data)
        self._calls.run("put", key, lambda call: self._store.put(key, call.sourced(pieces)))

    @property
    def at_once(self) -> int:
        return at_once(self._store, _MOST_AT_ONCE)

    @property
    def bulk(self) -> int:
        return bulk(self._store)

    def get_all(self, keys: Sequence[str]) -> list[bytes]:
        """One call where the store has its own way, else one for each."""
        inner = self._store
        if isinstance(inner, Together) and keys:
            return self._run("get", keys[0], lambda: inner.get_all(keys))
        return [self.get(key) for key in keys]

    def put_all(self, values: Sequence[tuple[str, bytes]]) -> None:
        """As `get_all`."""
        inner = self._store
        if isinstance(inner, Together) and values:
            self._run("put", values[0][0], lambda: inner.put_all(values))
            return
        for key, data in values:
            self.put(key, data)

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        return self._run("replace", key, lambda: self._store.replace(key, data, expected=expected))

    def delete(self, key: str, *, seen: Stored | None = None) -> bool:
        return self._run("delete", key, lambda: self._store.delete(key, seen=seen))


def _close(items: Iterator[object]) -> None:
    close = getattr(items, "close", None)
    if close is not None:
        close()
