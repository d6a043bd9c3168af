"""What a store is. The server is given a `BlobReader`, which has no way to write; the reconciler a `BlobStore`.

Keys are `/`-separated segments of `[0-9A-Za-z._+-]`, none of them `.` or `..`, at most 512 characters in all
(`check_key`, `check_prefix`; InvalidName from every method of every store). Implementations pass the conformance suite
`tests/storage/test_contract.py` and are safe for threads and for several processes.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from gitopsreg.errors import InvalidName, quoted

_KEY = re.compile(r"[0-9A-Za-z._+-]+(?:/[0-9A-Za-z._+-]+)*")
_PREFIX = re.compile(r"(?:[0-9A-Za-z._+-]+/)*[0-9A-Za-z._+-]*")
CHUNK = 256 * 1024


def check_key(key: str) -> str:
    """The key, or InvalidName when it could reach outside the store."""
    if len(key) > 512 or not _KEY.fullmatch(key) or any(part in {".", ".."} for part in key.split("/")):
        raise InvalidName(
            f'{quoted(key)} is not a storage key: write segments of letters, digits and ._+- joined by "/"'
        )
    return key


def check_prefix(prefix: str) -> str:
    """The prefix ("" too), or InvalidName when no legal key can start with it."""
    whole = prefix.split("/")[:-1]
    if len(prefix) > 512 or not _PREFIX.fullmatch(prefix) or any(part in {".", ".."} for part in whole):
        raise InvalidName(f'{quoted(prefix)} is not the start of a storage key: write one like "blobs/"')
    return prefix


def check_range(start: int, length: int | None) -> None:
    """Raises ValueError for a range that is none: the caller's mistake, not the store's."""
    if start < 0 or (length is not None and length < 0):
        raise ValueError(f"bytes {start}, {length} are no range: neither may be negative")


@dataclass(frozen=True, slots=True)
class Token:
    """What a store knows a value's state by (an ETag, a generation, a digest); compare, never read."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A value as a listing tells of it. `size` in bytes, `modified` in seconds since 1970 by the store's clock.

    `state` is what the store tells two writes apart by, cheaper than a Token (an ETag, a generation, a time of change):
    compare, never read.
    """

    key: str
    size: int
    modified: float
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTerms:
    """What a link that the store signs promises: for how long, and the headers of its answer."""

    lifetime: timedelta
    filename: str
    content_type: str


class BlobReader(Protocol):
    """Reading. Every method raises KeyMissing for an absent key, StorageError when the store does not answer."""

    def get(self, key: str) -> bytes:
        """The whole value: for documents, never for archives."""

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        """The whole value and its state, read at one moment: what `replace` builds on."""

    def size(self, key: str) -> int:
        """Bytes."""

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The value from byte `start` on, `length` bytes at most, in pieces of about CHUNK bytes.

        Opens before the first piece is asked for: KeyMissing is raised by the call, not by the iteration. What is
        opened is let go when the iterator ends or is dropped. A start behind the end gives no piece.
        """

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys that start with `prefix` (a plain string prefix, "" for all), sorted."""

    def listing(self, prefix: str) -> Iterator[Stored]:
        """The same keys in the same order, with what the store knows of each without reading it."""

    def stat(self, key: str) -> Stored:
        """What a listing would tell of this key."""

    def link(self, key: str, terms: LinkTerms) -> str | None:
        """A URL that anyone may GET until it expires, signed by the store; None where the store signs none.

        The value need not exist: nothing is looked up, and no network is used but for a signing key. Raises
        StorageError when signing fails.
        """


class BlobStore(BlobReader, Protocol):
    """Writing. A value is seen whole or not at all; a write that returned survives the end of the process."""

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        """Store, replacing what was there. When `data` raises, nothing changes."""

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        """Compare-and-swap: store only if the value's state is `expected` (None: only if absent).

        Of any number of racing writers with the same `expected` exactly one wins; the others get PublishConflict.
        """

    def delete(self, key: str, *, seen: Stored | None = None) -> bool:
        """Remove; an absent key is no error. Whether this call removed something, as far as the store tells.

        With `seen` only while nobody has written the key since it was listed so: what was stored again stays.
        """
