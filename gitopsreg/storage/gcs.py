"""A store in a Google Cloud Storage bucket: one object a key, below the address's prefix.

gs://bucket/prefix?endpoint=https://…&project=…
  endpoint  another host that speaks the JSON API. Over plain http (an emulator) no credentials are sent.
  project   who pays for requests to a bucket whose readers pay ("requester pays").

Credentials are Google's application default ones. Links are signed by a service account's key (a week at most), or by
IAM for a workload's identity (12 hours at most); other credentials sign none.
"""

import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, ClassVar

from gitopsreg.errors import InvalidName, KeyMissing, PublishConflict
from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.base import LinkTerms, Stored, Token, check_key, check_prefix, check_range
from gitopsreg.storage.gcs_client import PATIENCE, GcsClient
from gitopsreg.storage.gcs_transfer import GcsChunks, ResumableUpload, parts

_TYPE = "application/octet-stream"
# Objects that anyone may read would otherwise be up to an hour old.
_CACHE = "no-cache"
_WRITER = "gitopsreg-write"


class GcsReader:
    """A `BlobReader` on a bucket. A token and a state are the object's generation."""

    _writing: ClassVar[bool] = False

    def __init__(self, address: StoreAddress, *, patience: float = PATIENCE) -> None:
        """A call that fails is tried again for `patience` seconds. Raises ConfigError without credentials."""
        self._gcs = GcsClient(address, writing=self._writing, patience=patience)
        self._home = f"{address.prefix}/" if address.prefix else ""

    def get(self, key: str) -> bytes:
        return self.get_with_token(key)[0]

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        chunks = GcsChunks(self._gcs, self._name(key), key)
        return b"".join(chunks), Token(chunks.generation)

    def size(self, key: str) -> int:
        return self.stat(key).size

    def stat(self, key: str) -> Stored:
        return _stored(key, self._look(key))

    def _look(self, key: str) -> Any:
        name = self._name(key)
        blob = self._gcs.blob(name)
        with self._gcs.explained("read", name, key):
            self._gcs.call(blob.reload)
        return blob

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        check_range(start, length)
        if length == 0:
            self._look(key)  # no range of HTTP is empty
            return iter(())
        return GcsChunks(self._gcs, self._name(key), key, start, length)

    def keys(self, prefix: str) -> Iterator[str]:
        return (stored.key for stored in self.listing(prefix))

    def listing(self, prefix: str) -> Iterator[Stored]:
        return self._walk(self._home + check_prefix(prefix))

    def _walk(self, prefix: str) -> Iterator[Stored]:
        with self._gcs.explained("listed", prefix):
            for blob in self._gcs.listed(prefix):
                key = blob.name.removeprefix(self._home)
                if _is_key(key):
                    yield _stored(key, blob)

    def link(self, key: str, terms: LinkTerms) -> str | None:
        return self._gcs.sign(self._name(key), terms)

    def _name(self, key: str) -> str:
        return self._home + check_key(key)


class GcsStore(GcsReader):
    """A `BlobStore` on a bucket, which must exist."""

    _writing = True

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        name = self._name(key)
        pieces = parts([data] if isinstance(data, bytes) else data)
        part, last = next(pieces)
        if not last:
            self._put_in_parts(key, name, part, pieces)
            return
        with self._gcs.explained("written", name, key):
            self._gcs.call(self._new(name).upload_from_string, part, content_type=_TYPE)

    def _put_in_parts(self, key: str, name: str, first: bytes, rest: Iterator[tuple[bytes, bool]]) -> None:
        about = json.dumps({"contentType": _TYPE, "cacheControl": _CACHE}).encode()
        with self._gcs.explained("written", name, key):
            upload = ResumableUpload(self._gcs, name, about)
        try:
            self._send(upload, first, name, last=False)
            for part, last in rest:
                self._send(upload, part, name, last=last)
        except BaseException:
            upload.cancel()
            raise

    def _send(self, upload: ResumableUpload, part: bytes, name: str, *, last: bool) -> None:
        with self._gcs.explained("written", name):
            upload.send(part, last=last)

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        name = self._name(key)
        blob = self._new(name)
        blob.metadata = {_WRITER: secrets.token_hex(16)}
        generation = _generation(key, expected.value) if expected else 0
        try:
            with self._gcs.explained("written", name, key):
                self._gcs.call(blob.upload_from_string, data, content_type=_TYPE, if_generation_match=generation)
        except PublishConflict:
            # The answer to a write that succeeded may be lost; tried again, it meets itself.
            blob = self._own(key, blob.metadata)
            if blob is None:
                raise
        return Token(str(blob.generation))

    def _own(self, key: str, metadata: dict[str, str]) -> Any:
        """The object, if it is what this call wrote."""
        with suppress(KeyMissing):
            blob = self._look(key)
            if blob.metadata == metadata:
                return blob
        return None

    def delete(self, key: str, *, seen: Stored | None = None) -> bool:
        name = self._name(key)
        try:
            generation = _generation(key, seen.state) if seen else None
            with self._gcs.explained("deleted", name, key):
                self._gcs.call(self._gcs.blob(name).delete, if_generation_match=generation)
        except (KeyMissing, PublishConflict):
            return False
        return True

    def _new(self, name: str) -> Any:
        blob = self._gcs.blob(name)
        blob.cache_control = _CACHE
        return blob


def _generation(key: str, state: str) -> int:
    """PublishConflict for what no object's state can be; 0 would mean "absent"."""
    if not state.isascii() or not state.isdecimal() or not 0 < int(state[:20]) < 2**63:
        raise PublishConflict(f'"{key}" was changed by another writer: read it again')
    return int(state)


def _stored(key: str, blob: Any) -> Stored:
    return Stored(key=key, size=blob.size, modified=blob.time_created.timestamp(), state=str(blob.generation))


def _is_key(text: str) -> bool:
    try:
        check_key(text)
    except InvalidName:
        return False
    return True
