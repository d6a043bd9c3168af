"""What one entry of a zip unpacks to, as a stream and as a digest. Never whole in memory, whatever the entry says.

The door to isal, which inflates two to three times as fast as zlib. It never packs: archives must be the same bytes
everywhere (upstream/archive.py). What both unpack is the same; isal also takes some streams that zlib refuses, which
only somebody who wants a zip that nobody can install makes.
"""

import struct
import zipfile
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO

from isal import isal_zlib

from gitopsreg.storage.base import CHUNK

if TYPE_CHECKING:
    from hashlib import _Hash

_DAMAGED: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stub has an instance
_RAW = -15
# Of one piece, however few bytes it was packed to.
_MOST = 4 * 1024 * 1024
# An entry's own header ends with the lengths of what lies between it and the content.
_HEADER = struct.Struct("<26xHH")


def digest(archive: zipfile.ZipFile, file: BinaryIO, entry: zipfile.ZipInfo, beside: Executor) -> str:
    """The sha256 of an entry's content in hex digits; `beside` takes it while the next piece is unpacked.

    `file` is what `archive` reads. Raises zipfile.BadZipFile for content that is not what the directory says, besides
    what `zipfile` raises.
    """
    archive.open(entry).close()  # compares the entry's own header with the directory
    content = _Content()
    taking: Future[None] | None = None
    for piece in _unpacked(file, entry):
        if taking is not None:
            taking.result()
        taking = beside.submit(content.take, piece)
    if taking is not None:
        taking.result()
    if (content.size, content.crc) != (entry.file_size, entry.CRC):
        raise zipfile.BadZipFile(f"bad CRC-32 or size of {entry.orig_filename!r}")
    return content.sha256.hexdigest()


@dataclass(slots=True)
class _Content:
    """What was seen of an entry so far."""

    sha256: "_Hash" = field(default_factory=sha256)
    crc: int = 0
    size: int = 0

    def take(self, piece: bytes) -> None:
        self.sha256.update(piece)
        self.crc = isal_zlib.crc32(piece, self.crc)
        self.size += len(piece)


def _unpacked(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """No more than one piece further than the directory says."""
    packed = _packed(file, entry)
    if entry.compress_type == zipfile.ZIP_STORED:
        yield from packed
        return
    inflater = isal_zlib.decompressobj(_RAW)
    left, data, piece = entry.file_size, next(packed, b""), b""
    try:
        while not inflater.eof and left >= 0 and (data or piece):
            piece = inflater.decompress(data, _MOST)
            data = inflater.unconsumed_tail or next(packed, b"")
            left -= len(piece)
            yield piece
    except _DAMAGED as error:
        raise zipfile.BadZipFile(f"bad content of {entry.orig_filename!r}: {error}") from error


def _packed(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    file.seek(entry.header_offset)
    name, extra = _HEADER.unpack(file.read(_HEADER.size))
    start = entry.header_offset + _HEADER.size + name + extra
    end = start + entry.compress_size
    while start < end:
        file.seek(start)
        data = file.read(min(CHUNK, end - start))
        if not data:
            raise EOFError
        start += len(data)
        yield data
