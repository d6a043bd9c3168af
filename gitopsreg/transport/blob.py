"""A blob's bytes as a stream, straight from where Git keeps them: libgit2 only has them whole, in memory.

Reads loose files and packs. Knows nothing of refs and trees, and of packs only what they keep as it is: no deltas.
"""

import os
import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

from gitopsreg.errors import UpstreamUnavailable

CHUNK = 256 * 1024
_OID = 20
_BLOB = 3
# A pack's index, version 2: this mark, 256 counts by first byte, the ids, checksums, offsets, offsets of 64 bits.
# https://git-scm.com/docs/gitformat-pack
_MARK = b"\xfftOc\0\0\0\2"
_IDS = len(_MARK) + 256 * 4
_FAR = 1 << 31


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the compressed bytes begin; those of a loose file (offset 0) begin with a header of their own."""

    file: Path
    offset: int


def stream(objects: Path, oid: str, size: int) -> Iterator[bytes] | None:
    """The blob of `size` bytes in a repository's folder `objects`, in pieces of at most CHUNK bytes.

    None when it is not there, or lies in a pack as a delta. The pieces raise UpstreamUnavailable (`NotFound`) when in
    the end they are not the blob that its id names.
    """
    place = _place(objects, oid)
    return None if place is None else _checked(place, oid, size)


def _place(objects: Path, oid: str) -> _Place | None:
    loose = objects / oid[:2] / oid[2:]
    if loose.is_file():
        return _Place(loose, 0)
    for index in sorted((objects / "pack").glob("*.idx")):
        # What can't be read here may be gone just now, or of another version: libgit2 looks for itself.
        with suppress(OSError, struct.error, StopIteration):
            if place := _packed(index, bytes.fromhex(oid)):
                return place
    return None


def _packed(index: Path, oid: bytes) -> _Place | None:
    with index.open("rb") as file:
        offset = _offset(file.fileno(), oid)
    if offset is None:
        return None
    pack = index.with_suffix(".pack")
    with pack.open("rb") as file:
        head = os.pread(file.fileno(), 16, offset)
    # Three bits are the kind; the size goes on for as long as the highest bit is set.
    length = next(number for number, byte in enumerate(head, 1) if byte < 0x80)
    return _Place(pack, offset + length) if head[0] >> 4 & 7 == _BLOB else None


def _offset(index: int, oid: bytes) -> int | None:
    """Where a pack has an object, by its index."""

    def number(at: int, form: str = ">I") -> int:
        return int(struct.unpack(form, os.pread(index, struct.calcsize(form), at))[0])

    def listed(nth: int) -> bytes:
        return os.pread(index, _OID, _IDS + nth * _OID)

    if os.pread(index, len(_MARK), 0) != _MARK:
        return None
    counts = [0, *struct.unpack(">256I", os.pread(index, 256 * 4, len(_MARK)))]
    among = range(counts[oid[0]], counts[oid[0] + 1])
    nth = among.start + bisect_left(among, oid, key=listed)
    if nth not in among or listed(nth) != oid:
        return None
    offsets = _IDS + counts[-1] * (_OID + 4)
    offset = number(offsets + nth * 4)
    return number(offsets + counts[-1] * 4 + (offset - _FAR) * 8, ">Q") if offset >= _FAR else offset


def _checked(place: _Place, oid: str, size: int) -> Iterator[bytes]:
    header = b"blob %d\0" % size
    digest, sent = sha1(header, usedforsecurity=False), 0
    try:
        for piece in _inflated(place, header):
            sent += len(piece)
            if sent > size:
                break
            digest.update(piece)
            yield piece
    except (OSError, zlib.error) as error:
        raise _damaged(oid, place) from error
    if sent != size or digest.hexdigest() != oid:
        raise _damaged(oid, place)


def _inflated(place: _Place, header: bytes) -> Iterator[bytes]:
    with place.file.open("rb") as file:
        file.seek(place.offset)
        inflater = zlib.decompressobj()
        data = file.read(CHUNK)
        if not place.offset:
            inflater.decompress(data, len(header))
            data = inflater.unconsumed_tail
        piece = b""
        while not inflater.eof and (data or piece):
            piece = inflater.decompress(data, CHUNK)
            data = inflater.unconsumed_tail or file.read(CHUNK)
            if piece:
                yield piece


def _damaged(oid: str, place: _Place) -> UpstreamUnavailable:
    return UpstreamUnavailable(f'object "{oid}" is damaged in "{place.file}"', reason="NotFound")
