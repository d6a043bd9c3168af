"""Bytes of any size on their way through: kept in a nameless temporary file, hashed while written. Never in memory."""

import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Self

from gitopsreg.errors import IntegrityError, StorageError
from gitopsreg.index.model import Blob
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import CHUNK


class Spool:
    """The whole of a stream, to be read any number of times, by several threads at once.

    The file has no name, so not even the end of the process leaves it behind; it goes with `close` or with the object.
    """

    def __init__(self, chunks: Iterable[bytes], *, name: str, limit: int) -> None:
        """Raises IntegrityError (TooLarge) past `limit` bytes, StorageError when the disk takes no more."""
        self._descriptor = _nameless()
        self._finalizer = weakref.finalize(self, os.close, self._descriptor)
        try:
            self.blob = self._fill(chunks, name, limit)
        except BaseException:
            self.close()
            raise

    def chunks(self) -> Iterator[bytes]:
        """Raises StorageError once closed: by then the number of the file may be another's."""
        offset = 0
        while piece := self._read(offset):
            yield piece
            offset += len(piece)

    def file(self) -> BinaryIO:
        """A seekable file on the same bytes, for one reader at a time; the caller closes it."""
        file = os.fdopen(os.dup(self._descriptor), "rb")
        file.seek(0)
        return file

    def close(self) -> None:
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fill(self, chunks: Iterable[bytes], name: str, limit: int) -> Blob:
        digest, size = sha256(), 0
        for piece in chunks:
            size += len(piece)
            if size > limit:
                raise IntegrityError(f'"{name}" is larger than the {limit} bytes that are allowed', reason="TooLarge")
            digest.update(piece)
            self._write(piece)
        return Blob(Sha256(digest.hexdigest()), size)

    def _read(self, offset: int) -> bytes:
        if not self._finalizer.alive:
            raise StorageError("the bytes were asked for after their release was let go")
        return os.pread(self._descriptor, CHUNK, offset)

    def _write(self, piece: bytes) -> None:
        rest = memoryview(piece)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            raise StorageError(f"can't write a temporary file: {error.strerror}") from error


def _nameless() -> int:
    try:
        descriptor, path = tempfile.mkstemp(prefix="gitopsreg-")
        Path(path).unlink()
    except OSError as error:
        raise StorageError(f"can't make a temporary file: {error.strerror}") from error
    return descriptor
