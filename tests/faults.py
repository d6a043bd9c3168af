"""A store that goes wrong as stores do, where and when a test says."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from threading import Condition, Lock
from typing import Literal, TypeVar, get_args

from gitopsreg.errors import KeyMissing, StorageError
from gitopsreg.storage.base import BlobStore, LinkTerms, Stored, Token
from gitopsreg.storage.memory import MemoryStore

_Result = TypeVar("_Result")

# fail: nothing happens, an error says so · denied: the same, of rights · slow: a moment later · late: it happens, and
# then the answer is lost · hang: no answer until `release`, then it happens · missing: as if nothing were there ·
# stale: as it was before the last write · tear: half of it is read, or stored and reported as done · flip: one bit of
# it is another
Kind = Literal["fail", "denied", "slow", "late", "hang", "missing", "stale", "tear", "flip"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_READS = ("get", "get_with_token", "size", "stat", "chunks", "keys", "listing")
_VALUES = ("get", "get_with_token", "chunks", "put", "replace")
_MOMENT = 0.001


def applies(kind: Kind, method: str) -> bool:
    """Whether such a fault can befall the method."""
    match kind:
        case "missing" | "stale":
            return method in _READS
        case "tear":
            return method in (*_READS, *_VALUES)
        case "flip":
            return method in _VALUES
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with which calls: `key` is a pattern; of those that match, the `first` to the `last` (from 1)."""

    kind: Kind
    method: str = "*"
    key: str = "*"
    first: int = 1
    last: int | None = None  # for good


class FaultyStore:
    """Goes wrong as the faults say (of those that match a call the first counts) and else does what `inner` does.

    `operations` are the calls as (method, key), those that went wrong too. `older` holds what was there before the last
    write of each key; what it holds at first may be given. Safe for threads.
    """

    def __init__(self, inner: BlobStore, *faults: Fault, older: MemoryStore | None = None) -> None:
        self.inner = inner
        self.older = older or MemoryStore()
        self.operations: list[tuple[str, str]] = []
        self.injected = 0
        self._faults = faults
        self._met = [0] * len(faults)
        self._lock = Lock()
        self._moved = Condition()
        self._released = False
        self._hanging = 0

    @property
    def hanging(self) -> int:
        """Calls that wait for `release`."""
        return self._hanging

    def plan(self, *faults: Fault) -> None:
        """From now on these faults, and everything counted anew."""
        with self._lock:
            self._faults, self._met, self.injected = faults, [0] * len(faults), 0
            self.operations.clear()
        self._released = False

    def release(self) -> None:
        """Let what hangs go on, and wait until it has ended."""
        with self._moved:
            self._released = True
            self._moved.notify_all()
            self._moved.wait_for(lambda: not self._hanging)

    def get(self, key: str) -> bytes:
        return self._read("get", key, lambda store: store.get(key), spoil)

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        return self._read(
            "get_with_token",
            key,
            lambda store: store.get_with_token(key),
            lambda kind, answer: (spoil(kind, answer[0]), answer[1]),
        )

    def size(self, key: str) -> int:
        return self._read("size", key, lambda store: store.size(key), lambda _, size: size // 2)

    def stat(self, key: str) -> Stored:
        return self._read("stat", key, lambda store: store.stat(key), lambda _, stored: _halved(stored))

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        kind = self._befalls("chunks", key)
        match kind:
            case "late":  # it breaks off at the end
                return _then(self.inner.chunks(key, start, length), lambda: self._raise(kind, "chunks", key))
            case "hang":  # it opens, and gives nothing
                return self._hung("chunks", key, self.inner.chunks(key, start, length))
            case "tear" | "flip":
                return iter([spoil(kind, b"".join(self.inner.chunks(key, start, length)))])
        return self._perform(kind, "chunks", key, lambda store: store.chunks(key, start, length))

    def keys(self, prefix: str) -> Iterator[str]:
        return self._read("keys", prefix, lambda store: store.keys(prefix), lambda _, found: _half(found))

    def listing(self, prefix: str) -> Iterator[Stored]:
        return self._read("listing", prefix, lambda store: store.listing(prefix), lambda _, found: _half(found))

    def link(self, key: str, terms: LinkTerms) -> str | None:
        return self._perform(self._befalls("link", key), "link", key, lambda store: store.link(key, terms))

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        kind = self._befalls("put", key)

        def put(store: BlobStore) -> None:
            whole = data if isinstance(data, bytes) else b"".join(data)
            self._remember(key)
            store.put(key, spoil(kind, whole))

        self._perform(kind, "put", key, put)

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        kind = self._befalls("replace", key)

        def replace(store: BlobStore) -> Token:
            self._remember(key)
            return store.replace(key, spoil(kind, data), expected=expected)

        return self._perform(kind, "replace", key, replace)

    def delete(self, key: str, *, seen: Stored | None = None) -> bool:
        def delete(store: BlobStore) -> bool:
            self._remember(key)
            return store.delete(key, seen=seen)

        return self._perform(self._befalls("delete", key), "delete", key, delete)

    def _befalls(self, method: str, key: str) -> Kind | None:
        with self._lock:
            self.operations.append((method, key))
            for number, fault in enumerate(self._faults):
                if fnmatchcase(method, fault.method) and fnmatchcase(key, fault.key) and applies(fault.kind, method):
                    self._met[number] += 1
                    if fault.first <= self._met[number] <= (fault.last or self._met[number]):
                        self.injected += 1
                        return fault.kind
        return None

    def _read(
        self,
        method: str,
        key: str,
        read: Callable[[BlobStore], _Result],
        spoiled: Callable[[Kind, _Result], _Result],
    ) -> _Result:
        kind = self._befalls(method, key)
        answer = self._perform(kind, method, key, read)
        return spoiled(kind, answer) if kind in {"tear", "flip"} else answer

    def _perform(self, kind: Kind | None, method: str, key: str, call: Callable[[BlobStore], _Result]) -> _Result:
        match kind:
            case "fail" | "denied":
                self._raise(kind, method, key)
            case "missing":
                raise KeyMissing(f'"{key}" is not stored')
            case "stale":
                return call(self.older)
            case "slow":
                time.sleep(_MOMENT)
            case "hang":
                with self._hang():
                    return call(self.inner)
        result = call(self.inner)
        if kind == "late":
            self._raise(kind, method, key)
        return result

    def _raise(self, kind: Kind, method: str, key: str) -> None:
        why = {"denied": "the credentials do not permit this (403)", "late": "the answer was lost"}
        raise StorageError(f'{why.get(kind, "the store is out of order")}: {method} "{key}"')

    def _hung(self, method: str, key: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        with self._hang():
            pass
        yield from pieces

    @contextmanager
    def _hang(self) -> Iterator[None]:
        with self._moved:
            self._hanging += 1
            self._moved.notify_all()
            self._moved.wait_for(lambda: self._released)
        try:
            yield
        finally:
            with self._moved:
                self._hanging -= 1
                self._moved.notify_all()

    def _remember(self, key: str) -> None:
        try:
            self.older.put(key, self.inner.get(key))
        except KeyMissing:
            self.older.delete(key)


def spoil(kind: Kind | None, data: bytes) -> bytes:
    """Torn or altered bytes; the same without such a fault."""
    match kind:
        case "tear":
            return data[: len(data) // 2]
        case "flip" if data:
            middle = len(data) // 2
            return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    return data


def _half(found: Iterator[_Result]) -> Iterator[_Result]:
    every = list(found)
    return islice(iter(every), len(every) // 2)


def _halved(stored: Stored) -> Stored:
    return Stored(key=stored.key, size=stored.size // 2, modified=stored.modified, state=stored.state)


def _then(pieces: Iterator[bytes], end: Callable[[], None]) -> Iterator[bytes]:
    yield from pieces
    end()
