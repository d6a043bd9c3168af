"""Bytes over Google's JSON API: read from one open connection, written in parts.

The library reads a stream in separate requests, between which the value may be replaced, and leaves failed uploads
behind.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from gitopsreg.errors import StorageError
from gitopsreg.storage.base import CHUNK
from gitopsreg.storage.gcs_client import BROKEN, FAILURES, Checksum, GcsClient

PART = 32 * 256 * 1024  # bytes: https://cloud.google.com/storage/docs/performing-resumable-uploads wants this multiple

_MOST_BYTES = 2**53  # far behind the end of any object: a client may ask for byte 10**30
_RESUMES = 5


class GcsChunks:
    """A range of one generation. A connection that breaks is opened again where it broke."""

    def __init__(self, client: GcsClient, name: str, key: str, start: int = 0, length: int | None = None) -> None:
        self._answer: Any = None
        self.generation = ""
        self._client, self._name, self._key = client, name, key
        self._at = min(start, _MOST_BYTES)
        self._end = None if length is None else self._at + min(length, _MOST_BYTES)
        self._sum = Checksum() if start == 0 and length is None else None
        self._promised = ""
        self._resumes = _RESUMES
        with client.explained("read", name, key):
            self._pieces = self._open()

    def __iter__(self) -> "GcsChunks":
        return self

    def __next__(self) -> bytes:
        piece = self._piece()
        if not piece:
            self._let_go()
            self._compare()
            raise StopIteration
        self._at += len(piece)
        self._resumes = _RESUMES  # it advances
        if self._sum is not None:
            self._sum.add(piece)
        return piece

    def _compare(self) -> None:
        """With the checksum that came with the bytes, where both are known."""
        if self._sum is not None and self._promised and str(self._sum) not in ("", self._promised):
            raise StorageError(f'"{self._key}" was damaged on the way: its checksum is another than the service\'s')

    def _piece(self) -> bytes:
        while self._end is None or self._at < self._end:
            try:
                return next(self._pieces, b"")
            except BROKEN as error:
                self._resume(error)
        return b""

    def _resume(self, error: Exception) -> None:
        self._let_go()
        self._resumes -= 1
        with self._client.explained("read", self._name, self._key):
            if self._resumes < 0:
                raise error
        try:
            with self._client.explained("read", self._name, self._key):
                self._pieces = self._open()
        except LookupError as gone:
            raise StorageError(f'"{self._key}" was replaced while it was read: read it again') from gone

    def _open(self) -> Iterator[bytes]:
        # Bytes as they are stored: lengths and checksums are those of the store.
        headers = {"Accept-Encoding": "identity"}
        if self._at or self._end is not None:
            headers["Range"] = f"bytes={self._at}-{'' if self._end is None else self._end - 1}"
        url = self._client.media(self._name, self.generation)
        expected = (206, 416) if "Range" in headers else (200,)
        answer = self._client.retry(self._client.send)("GET", url, headers=headers, stream=True, expected=expected)
        self._answer = answer
        if answer.status_code == 416:  # it ends before
            self._let_go()
            return iter(())
        self.generation = answer.headers.get("x-goog-generation", "")
        if not self.generation:
            self._let_go()
            raise StorageError("the server names no generations: a store needs them, see docs/storage.md")
        found = re.search(r"crc32c=([0-9A-Za-z+/]{6}==)", answer.headers.get("x-goog-hash", ""))
        self._promised = found[1] if found else ""
        pieces: Iterator[bytes] = answer.iter_content(CHUNK)
        return pieces

    def close(self) -> None:
        """Nothing more comes."""
        self._sum = None
        self._let_go()

    def _let_go(self) -> None:
        if self._answer is not None:
            self._answer.close()
        self._pieces = iter(())

    def __del__(self) -> None:
        self._let_go()


def parts(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The same bytes in parts of PART, and whether one is the last, which may be shorter."""
    held = bytearray()
    for piece in pieces:
        for at in range(0, len(piece), PART):
            held += piece[at : at + PART]
            while len(held) > PART:
                yield bytes(held[:PART]), False
                del held[:PART]
    yield bytes(held), True


class ResumableUpload:
    """A session of the service that takes a value in parts. Nothing is seen before the last one has come.

    https://cloud.google.com/storage/docs/performing-resumable-uploads
    """

    def __init__(self, client: GcsClient, name: str, metadata: bytes) -> None:
        """Raises FAILURES of the client, as all methods but `cancel`."""
        self._client = client
        headers = {"Content-Type": "application/json"}
        begin = client.retry(client.send)
        self._url: str = begin("POST", client.uploads(name), headers=headers, body=metadata).headers["location"]
        self._at = 0
        self._sum = Checksum()
        self._unsure = self._done = False

    def send(self, part: bytes, *, last: bool) -> None:
        """PART bytes, fewer only as the last."""
        self._sum.add(part)
        self._client.retry(self._try)(part, self._at, last=last)
        if self._done is not last:
            raise StorageError("the service ended an upload too soon: put the value again")

    def _try(self, part: bytes, begin: int, *, last: bool) -> None:
        """What the service does not have of it. After a failure it is asked how much that is."""
        end = begin + len(part)
        if self._unsure:
            self._put(b"", "bytes */*", {})
        while not self._done and (last or self._at < end):
            if not begin <= self._at <= end:
                raise StorageError("the service lost a part of an upload: put the value again")
            before = self._at
            span = f"{before}-{end - 1}" if before < end else "*"
            if last:
                self._put(part[before - begin :], f"bytes {span}/{end}", self._proof())
            else:
                self._put(part[before - begin :], f"bytes {span}/*", {})
            if self._at <= before and not self._done:
                raise ConnectionError("nothing arrives")  # tried again, but not for ever

    def _proof(self) -> dict[str, str]:
        """What the service compares before the value is seen."""
        return {"x-goog-hash": f"crc32c={self._sum}"} if str(self._sum) else {}

    def _put(self, body: bytes, span: str, headers: dict[str, str]) -> None:
        self._unsure = True
        headers = headers | {"Content-Range": span}
        known = (200, 201, 308, 404, 410, 499)
        answer = self._client.send("PUT", self._url, headers=headers, body=body, expected=known)
        if answer.status_code in (404, 410, 499):
            raise StorageError("the service has ended an upload: put the value again")
        self._done = answer.status_code != 308
        found = re.fullmatch(r"bytes=0-([0-9]+)", answer.headers.get("range", ""))
        self._at = int(found[1]) + 1 if found else 0
        self._unsure = False

    def cancel(self) -> None:
        """Let the service forget what it has. Where it can't be told, it forgets after a week."""
        if not self._done:
            with suppress(*FAILURES):
                self._client.send("DELETE", self._url, headers={}, expected=(204, 499))
