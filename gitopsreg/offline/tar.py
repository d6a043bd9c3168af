"""Tar files as bundles use them: plain files one after another, nothing else. One pass, a piece at a time.

The reader takes the 512-byte header of each and no extension of the format: those make a reader trust sizes, names and
links of whoever wrote the file.
"""

import tarfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from gitopsreg.errors import BundleRefused
from gitopsreg.storage.base import CHUNK

_BLOCK = 512


class TarWriter:
    """Equal entries give equal bytes: no time, no owner."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def add(self, name: str, size: int, pieces: Iterable[bytes]) -> None:
        """`pieces` must be `size` bytes together: whoever gives them has checked that."""
        entry = tarfile.TarInfo(name)
        entry.size = size
        entry.mode = 0o644
        self._file.write(entry.tobuf(tarfile.USTAR_FORMAT))
        for piece in pieces:
            self._file.write(piece)
        self._file.write(bytes(-size % _BLOCK))

    def end(self) -> None:
        self._file.write(bytes(2 * _BLOCK))


class TarReader:
    """`next` names an entry, `pieces` are its content, to be read to the end before the next `next`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = 0
        self._padding = 0

    def next(self) -> tuple[str, int] | None:
        """(name, size), or None at the end. Raises BundleRefused for what is no plain file of ours, or torn."""
        for _ in self.pieces():
            pass
        self._exactly(self._padding)
        header = self._exactly(_BLOCK)
        if not any(header):
            self._check_end(self._exactly(_BLOCK))
            return None
        try:
            entry = tarfile.TarInfo.frombuf(header, "ascii", "strict")
        except (tarfile.HeaderError, ValueError) as error:
            raise BundleRefused(f"the bundle is torn or no bundle at all: {error}") from error
        if entry.type != tarfile.REGTYPE or entry.size < 0:
            raise BundleRefused(f"the bundle holds {entry.name!r:.80}, which is no plain file: it was altered")
        self._left, self._padding = entry.size, -entry.size % _BLOCK
        return entry.name, entry.size

    def pieces(self) -> Iterator[bytes]:
        """What is left of the entry's content."""
        while self._left:
            piece = self._file.read(min(CHUNK, self._left))
            if not piece:
                raise BundleRefused("the bundle ends in the middle: copy it again")
            self._left -= len(piece)
            yield piece

    def _exactly(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) != size:
            raise BundleRefused("the bundle ends in the middle: copy it again")
        return data

    def _check_end(self, rest: bytes) -> None:
        """Two blocks of zeros, and nothing but zeros after them."""
        while rest:
            if any(rest):
                raise BundleRefused("the bundle goes on behind its end: it was altered")
            rest = self._file.read(CHUNK)
