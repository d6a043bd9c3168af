"""An object read in pieces: when the connection breaks, reading goes on where it stopped, in the same object."""

from typing import Any

from gitopsreg.errors import KeyMissing, PublishConflict, StorageError
from gitopsreg.storage.base import CHUNK
from gitopsreg.storage.s3_client import Bucket
from gitopsreg.storage.s3_failures import RangeBehindEnd

_REOPENED_AT_MOST = 5
# No object is so large, and some servers can't read larger numbers in a range.
_BEYOND = 2**60


class Download:
    """The bytes of an open object. Not a generator: one that is dropped before its first step never closes."""

    def __init__(self, bucket: Bucket, key: str, start: int = 0, length: int | None = None) -> None:
        """Opens. Raises KeyMissing and StorageError; a `start` behind the end, or a `length` of 0, gives no piece."""
        self._bucket = bucket
        self._key = key
        self._at = min(start, _BEYOND)
        self._left = 0
        self._reopened = 0
        self._body: Any = None
        self.etag = ""
        try:
            answer = self._request(length)
        except RangeBehindEnd:
            return
        with bucket.explained(key):
            self._body = answer["Body"]
            self.etag = answer["ETag"]
            self._left = answer["ContentLength"] if length != 0 else 0

    def __iter__(self) -> "Download":
        return self

    def __next__(self) -> bytes:
        while self._left and self._body is not None:
            try:
                piece = self._read(min(CHUNK, self._left))
            except StorageError as error:
                self._reopen(error)
                continue
            self._at += len(piece)
            self._left -= len(piece)
            self._reopened = 0  # it advances
            return piece
        self.close()
        raise StopIteration

    def _read(self, wanted: int) -> bytes:
        with self._bucket.explained(self._key):
            piece: bytes = self._body.read(wanted)
        if not piece:
            raise StorageError(f'"{self._key}" ended {self._left:,} bytes too early')
        return piece

    def _reopen(self, broken: StorageError) -> None:
        self.close()
        if self._reopened == _REOPENED_AT_MOST:
            raise broken
        self._reopened += 1
        try:
            self._body = self._request(self._left)["Body"]
        except (KeyMissing, PublishConflict) as error:
            raise StorageError(f'"{self._key}" was replaced or deleted while it was read: read it again') from error

    def _request(self, length: int | None) -> Any:
        """GetObject from where we are; of the same object as before, if there was one."""
        asked: dict[str, Any] = {"IfMatch": self.etag} if self.etag else {}
        start = self._at
        if start or length:
            asked["Range"] = f"bytes={start}-" + (str(min(start + length, _BEYOND + 1) - 1) if length else "")
        with self._bucket.explained(self._key):
            answer = self._bucket.client.get_object(**self._bucket.place(self._key), **asked)
        if "Range" in asked and not answer.get("ContentRange", "").startswith(f"bytes {start}-"):
            answer["Body"].close()
            raise StorageError(f'the bucket "{self._bucket.name}" ignored the range that was asked of "{self._key}"')
        return answer

    def close(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            body.close()

    def __del__(self) -> None:
        self.close()
