"""A store in memory: for tests, plans and trials. Nothing outlives the process."""

import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import count
from threading import Lock

from gitopsreg.errors import KeyMissing, PublishConflict
from gitopsreg.storage.base import CHUNK, LinkTerms, Stored, Token, check_key, check_prefix, check_range


class MemoryStore:
    """A `BlobStore` for the threads of one process. A token is the digest of the value, as on disk."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._values: dict[str, bytes] = {}
        self._written: dict[str, tuple[float, int]] = {}
        self._clock = clock
        self._writes = count()
        self._lock = Lock()

    def get(self, key: str) -> bytes:
        try:
            return self._values[check_key(key)]
        except KeyError:
            raise KeyMissing(f'"{key}" is not stored') from None

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        data = self.get(key)
        return data, _token(data)

    def size(self, key: str) -> int:
        return len(self.get(key))

    def stat(self, key: str) -> Stored:
        with self._lock:
            return self._stat(check_key(key))

    def _stat(self, key: str) -> Stored:
        if key not in self._values:
            raise KeyMissing(f'"{key}" is not stored')
        modified, number = self._written[key]
        return Stored(key=key, size=len(self._values[key]), modified=modified, state=str(number))

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        check_range(start, length)
        data = self.get(key)
        end = len(data) if length is None else min(len(data), start + length)
        return (data[at : min(at + CHUNK, end)] for at in range(start, end, CHUNK))

    def keys(self, prefix: str) -> Iterator[str]:
        check_prefix(prefix)
        with self._lock:
            found = sorted(key for key in self._values if key.startswith(prefix))
        return iter(found)

    def listing(self, prefix: str) -> Iterator[Stored]:
        found = list(self.keys(prefix))
        with self._lock:
            return iter([self._stat(key) for key in found if key in self._values])

    def link(self, key: str, terms: LinkTerms) -> str | None:  # noqa: ARG002 - nobody outside can reach this memory
        check_key(key)
        return None

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        check_key(key)
        value = data if isinstance(data, bytes) else b"".join(data)
        with self._lock:
            self._write(key, value)

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        check_key(key)
        with self._lock:
            current = self._values.get(key)
            if (None if current is None else _token(current)) != expected:
                raise PublishConflict(f'"{key}" was changed by another writer: read it again')
            self._write(key, data)
        return _token(data)

    def delete(self, key: str, *, seen: Stored | None = None) -> bool:
        check_key(key)
        with self._lock:
            if key not in self._values or (seen is not None and self._stat(key).state != seen.state):
                return False
            del self._values[key], self._written[key]
            return True

    def _write(self, key: str, value: bytes) -> None:
        self._values[key] = value
        self._written[key] = (self._clock(), next(self._writes))


def _token(data: bytes) -> Token:
    return Token(sha256(data).hexdigest())
