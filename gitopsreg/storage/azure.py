"""A store in a container of Azure Blob Storage.

`azure://account/container/prefix`, and after a "?":
`endpoint` is where the account answers, if not at https://ACCOUNT.blob.core.windows.net;
`cdn` is what links start with instead of the endpoint;
`tier` (hot, cool, cold) is the access tier of what `put` writes. What `replace` writes changes often, which the cooler
tiers charge for: it stays in the account's usual tier.

Credentials come from the environment: see `azure_credentials`.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from secrets import token_hex

from gitopsreg.errors import InvalidName, KeyMissing, PublishConflict, StorageError
from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.azure_client import absent, open_container, same, state_of, stored
from gitopsreg.storage.azure_failures import RangeBehindEnd
from gitopsreg.storage.azure_links import Links
from gitopsreg.storage.azure_upload import in_blocks, upload
from gitopsreg.storage.base import CHUNK, LinkTerms, Stored, Token, check_key, check_prefix, check_range

_SPAN = 4 * CHUNK  # bytes of a large value that one request brings
_BEYOND = 2**50  # no blob is so large, and some servers can't read larger numbers in a range
_NONCE = "write"


@dataclass(frozen=True, slots=True)
class _Span:
    """Some bytes of a value; `total` is how many it has, `state` which value it is."""

    data: bytes
    total: int
    state: str


class AzureReader:
    """A `BlobReader` on a container, which must exist."""

    def __init__(self, address: StoreAddress, *, environment: Mapping[str, str] = os.environ) -> None:
        """Asks Azure nothing. Raises ConfigError where the credentials are of the wrong form."""
        self._container = open_container(address, environment)
        self._links = Links(self._container, address.options.get("cdn"))

    def get(self, key: str) -> bytes:
        return self.get_with_token(key)[0]

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        check_key(key)
        try:
            with self._container.explained(key):
                found = self._container.blob(key).download_blob()
                data = found.readall()
        except PublishConflict:  # possible where it needs more than one request: above 32 MB
            raise _replaced(key) from None
        return _whole(key, data, found.size), Token(state_of(found.properties.etag))

    def size(self, key: str) -> int:
        return self.stat(key).size

    def stat(self, key: str) -> Stored:
        check_key(key)
        with self._container.explained(key):
            return stored(key, self._container.blob(key).get_blob_properties())

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Read span by span, each a request of its own: a slow reader holds no connection, and a connection that breaks
        costs one span. A value that is replaced or deleted in the meantime ends with StorageError.
        """
        check_range(start, length)
        check_key(key)
        if length == 0:
            self.stat(key)
        start = min(start, _BEYOND)
        end = _BEYOND if length is None else min(start + length, _BEYOND)
        first = self._span(key, start, end)
        return self._pieces(key, first, start, min(end, first.total))

    def _pieces(self, key: str, span: _Span, at: int, end: int) -> Iterator[bytes]:
        while True:
            for start in range(0, len(span.data), CHUNK):
                yield span.data[start : start + CHUNK]
            at += len(span.data)
            if at >= end:
                return
            try:
                span = self._span(key, at, end, span.state)
            except (KeyMissing, PublishConflict):
                raise _replaced(key) from None

    def _span(self, key: str, start: int, end: int, state: str | None = None) -> _Span:
        """The first bytes of a range; of the value in that state, else PublishConflict."""
        if start >= end:
            return _Span(b"", 0, "")
        condition = {} if state is None else same(state)
        try:
            with self._container.explained(key):
                found = self._container.blob(key).download_blob(start, min(_SPAN, end - start), **condition)
                data = found.readall()
        except RangeBehindEnd:
            return _Span(b"", 0, "")
        total = int(str(found.properties.content_range).rpartition("/")[2])
        return _Span(_whole(key, data, found.size), total, state_of(found.properties.etag))

    def keys(self, prefix: str) -> Iterator[str]:
        return (found.key for found in self.listing(prefix))

    def listing(self, prefix: str) -> Iterator[Stored]:
        return self._listing(check_prefix(prefix))

    def _listing(self, prefix: str) -> Iterator[Stored]:
        with self._container.explained():
            for found in self._container.listed(prefix):
                key = found.name.removeprefix(self._container.prefix)
                if _is_key(key):
                    yield stored(key, found)

    def link(self, key: str, terms: LinkTerms) -> str | None:
        return self._links.make(check_key(key), terms)


class AzureStore(AzureReader):
    """A `BlobStore` on a container. A token is the value's ETag, which no other write has."""

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        check_key(key)
        blocks = in_blocks([data] if isinstance(data, bytes) else data)
        first, is_all = next(blocks)
        if not is_all:
            upload(self._container, key, _all(first, blocks))
            return
        with self._container.explained(key):
            self._container.blob(key).upload_blob(first, overwrite=True, standard_blob_tier=self._container.tier)

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        check_key(key)
        condition = absent() if expected is None else same(expected.value)
        nonce = token_hex(16)
        try:
            with self._container.explained(key):
                written = self._container.blob(key).upload_blob(
                    data, overwrite=True, metadata={_NONCE: nonce}, **condition
                )
                return Token(state_of(written["etag"]))
        except (KeyMissing, PublishConflict):
            return self._own(key, nonce)

    def _own(self, key: str, nonce: str) -> Token:
        """The token of our own write, else PublishConflict: an attempt whose answer was lost is refused when repeated,
        though it had won.
        """
        try:
            with self._container.explained(key):
                found = self._container.blob(key).get_blob_properties()
        except KeyMissing:
            found = None
        if found is None or (found.metadata or {}).get(_NONCE) != nonce:
            raise PublishConflict(f'"{key}" was changed by another writer: read it again')
        return Token(state_of(found.etag))

    def delete(self, key: str, *, seen: Stored | None = None) -> bool:
        check_key(key)
        condition = {} if seen is None else same(seen.state)
        try:
            with self._container.explained(key):
                self._container.blob(key).delete_blob(**condition)
        except (KeyMissing, PublishConflict):
            return False
        return True


def _all(first: bytes, rest: Iterator[tuple[bytes, bool]]) -> Iterator[bytes]:
    yield first
    for block, _ in rest:
        yield block


def _whole(key: str, data: bytes, size: int) -> bytes:
    """The library does not compare what came with what was announced."""
    if len(data) != size:
        raise StorageError(f'"{key}" ended {size - len(data):,} bytes too early: read it again')
    return data


def _replaced(key: str) -> StorageError:
    return StorageError(f'"{key}" was replaced or deleted while it was read: read it again')


def _is_key(text: str) -> bool:
    try:
        check_key(text)
    except InvalidName:
        return False
    return True
