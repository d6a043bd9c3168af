"""Fakes: real implementations of our contracts that do what no real one does on demand."""

from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import TypeVar

from gitopsreg.errors import StorageError
from gitopsreg.storage.base import BlobStore, LinkTerms, Stored, Token

_Result = TypeVar("_Result")

WRITES = ("put", "replace", "delete")


class Died(BaseException):
    """The process was killed: no `except Exception` may survive it."""


class FailingStore:
    """A store that fails for good at its `fail_at`-th operation (counted from 1; 0: never).

    The operation fails before it has any effect, or with `after` when it has had it; every later operation fails
    before. `operations` lists what was asked for, as (method, key), the failed ones too.
    """

    def __init__(
        self,
        inner: BlobStore,
        fail_at: int = 0,
        *,
        after: bool = False,
        error: Callable[[], BaseException] = lambda: StorageError("the store is gone"),
    ) -> None:
        self.inner = inner
        self.operations: list[tuple[str, str]] = []
        self._fail_at = fail_at
        self._after = after
        self._error = error
        self._lock = Lock()

    @property
    def failed(self) -> bool:
        return 0 < self._fail_at <= len(self.operations)

    @property
    def writes(self) -> list[str]:
        """The keys written, in order."""
        return [key for method, key in self.operations if method in WRITES]

    def _run(self, method: str, key: str, operation: Callable[[], _Result]) -> _Result:
        with self._lock:
            self.operations.append((method, key))
            count = len(self.operations)
        if 0 < self._fail_at < count or (count == self._fail_at and not self._after):
            raise self._error()
        result = operation()
        if count == self._fail_at:
            raise self._error()
        return result

    def get(self, key: str) -> bytes:
        return self._run("get", key, lambda: self.inner.get(key))

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        return self._run("get_with_token", key, lambda: self.inner.get_with_token(key))

    def size(self, key: str) -> int:
        return self._run("size", key, lambda: self.inner.size(key))

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        return self._run("chunks", key, lambda: self.inner.chunks(key, start, length))

    def keys(self, prefix: str) -> Iterator[str]:
        return self._run("keys", prefix, lambda: self.inner.keys(prefix))

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        self._run("put", key, lambda: self.inner.put(key, data))

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        return self._run("replace", key, lambda: self.inner.replace(key, data, expected=expected))

    def delete(self, key: str, *, seen: Stored | None = None) -> bool:
        return self._run("delete", key, lambda: self.inner.delete(key, seen=seen))

    def listing(self, prefix: str) -> Iterator[Stored]:
        return self._run("listing", prefix, lambda: self.inner.listing(prefix))

    def stat(self, key: str) -> Stored:
        return self._run("stat", key, lambda: self.inner.stat(key))

    def link(self, key: str, terms: LinkTerms) -> str | None:
        return self._run("link", key, lambda: self.inner.link(key, terms))
