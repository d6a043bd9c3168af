"""A module's archive from a Git tree: the same tree gives the same bytes, on every machine and every Python.

The archive formats are written here by hand, because what the standard library writes has changed between releases;
bytes are compressed by libdeflate (the door to `deflate`, pinned exactly), because zlib's output differs from system to
system. Only regular files, 0644 or 0755, sorted, at a fixed time, with no folder around them: what the real clients
unpack faithfully. Everything Git holds is packed: `.gitattributes` (export-ignore) is not obeyed.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import basename, dirname, join, normpath
from typing import Literal

import deflate

from gitopsreg.errors import IntegrityError, quoted
from gitopsreg.transport.git import Repository
from gitopsreg.upstream.members import LinkLeaves, Member, members
from gitopsreg.upstream.references import is_module_file, local_sources

ArchiveFormat = Literal["tar.gz", "zip"]

_LARGEST = 256 * 1024 * 1024
_LARGEST_SOURCE = 1024 * 1024
_LEVEL = 6
# 1980-01-01T00:00:00Z, the first moment that a zip can name.
_TIME = 315_532_800
_ZIP_DATE = 0x0021
_BLOCK = 512

Contents = Mapping[Member, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedModule:
    """`tree` is the one that was packed: it and the format determine `data`. The module lies at `subdirectory`."""

    data: bytes
    subdirectory: str
    tree: str


def pack(repository: Repository, tree: str, *, subdirectory: str, archive_format: ArchiveFormat) -> PackedModule:
    """The module at `subdirectory` ("" for all) of a tree, packed.

    Only its folder is packed when nothing in it reaches out; the whole tree otherwise, since clients never look beyond
    what they unpacked. Raises IntegrityError: `IncompleteRelease` without such a module, `UnsafeArchive`, `TooLarge`.
    """
    _check_name(subdirectory)
    folder = repository.subtree(tree, subdirectory)
    if folder is None:
        raise IntegrityError(f'there is no folder "{subdirectory}"', reason="IncompleteRelease")
    if contents := _self_contained(repository, folder):
        return PackedModule(data=_FORMATS[archive_format](contents), subdirectory="", tree=folder)
    contents = _contents(repository, tree)
    _check_calls(contents, subdirectory)
    return PackedModule(data=_FORMATS[archive_format](contents), subdirectory=subdirectory, tree=tree)


def _check_name(subdirectory: str) -> None:
    """The name becomes a part of the address that clients are sent to, where these would mean something else."""
    if "//" in subdirectory or any(letter in "#%?\\" or not letter.isprintable() for letter in subdirectory):
        raise IntegrityError(
            f"the folder {quoted(subdirectory)} can't be a module's: "
            'rename it without "#", "%", "?", backslashes, control characters and "//"',
            reason="UnsafeArchive",
        )


def _self_contained(repository: Repository, folder: str) -> Contents | None:
    """The folder's files; None when something in it reaches out."""
    try:
        contents = _contents(repository, folder)
    except LinkLeaves:
        return None
    _check_module(contents, "")
    return contents if all(not _leaves(place) for _, _, place in _calls(contents)) else None


def _contents(repository: Repository, tree: str) -> Contents:
    contents, left = {}, _LARGEST
    for member in members(repository, tree):
        contents[member] = _read(repository, member, left)
        left -= len(contents[member])
    return contents


def _read(repository: Repository, member: Member, limit: int) -> bytes:
    try:
        return repository.read(member.oid, limit=limit)
    except IntegrityError as error:
        if error.reason != "TooLarge":
            raise
        raise IntegrityError(f"the module is too large: {_LARGEST:,} bytes at most", reason="TooLarge") from error


def _check_module(contents: Contents, folder: str) -> None:
    names = (member.name.decode() for member in contents)
    if not any(dirname(name) == folder and is_module_file(basename(name)) for name in names):
        where = f'the folder "{folder}"' if folder else "its top folder"
        raise IntegrityError(f"{where} holds no *.tf or *.tofu file: it is no module", reason="IncompleteRelease")


def _calls(contents: Contents) -> Iterator[tuple[str, str, str]]:
    """(file, source, the folder that it names) for each module that is called by a local path."""
    for member, content in contents.items():
        name = member.name.decode()
        if is_module_file(name) and len(content) <= _LARGEST_SOURCE:
            for source in local_sources(name, content):
                yield name, source, normpath(join(dirname(name), source))


def _leaves(place: str) -> bool:
    return place == ".." or place.startswith("../")


def _check_calls(contents: Contents, start: str) -> None:
    """Nothing that the module calls, near or far, may lie outside; its examples and tests may do as they like."""
    _check_module(contents, start)
    calls: dict[str, list[tuple[str, str, str]]] = {}
    for call in _calls(contents):
        calls.setdefault(dirname(call[0]), []).append(call)
    ahead, seen = [start], {start}
    while ahead:
        for name, source, place in calls.get(ahead.pop(), ()):
            if _leaves(place):
                raise IntegrityError(
                    f'"{name}" calls the module "{source}", outside of what is packed: clients could not read it',
                    reason="UnsafeArchive",
                )
            folder = "" if place == "." else place
            if folder not in seen:
                seen.add(folder)
                ahead.append(folder)


def _tar_gz(contents: Contents) -> bytes:
    """POSIX tar; libdeflate's gzip header names no time and no system."""
    parts: list[bytes] = []
    for member, content in contents.items():
        if len(member.name) > 100:
            record = _pax_path(member.name)
            parts += _tar_entry(b"pax_path", record, mode=0o644, kind=b"x")
        parts += _tar_entry(member.name[:100], content, mode=_mode(member), kind=b"0")
    parts.append(bytes(2 * _BLOCK))
    return bytes(deflate.gzip_compress(b"".join(parts), _LEVEL))


def _tar_entry(name: bytes, content: bytes, *, mode: int, kind: bytes) -> Iterable[bytes]:
    head = struct.pack(
        "100s8s8s8s12s12s8sc100s8s32s32s8s8s167x",
        name, b"%07o" % mode, b"%07o" % 0, b"%07o" % 0, b"%011o" % len(content), b"%011o" % _TIME, b" " * 8,
        kind, b"", b"ustar\x0000", b"", b"", b"%07o" % 0, b"%07o" % 0,
    )  # fmt: skip
    checksum = b"%06o\0 " % sum(head)
    return head[:148] + checksum + head[156:], content, bytes(-len(content) % _BLOCK)


def _pax_path(name: bytes) -> bytes:
    """`<length of all of this> path=<name>`: for names that the header has no room for."""
    rest = b" path=" + name + b"\n"
    length = len(rest)
    while length != len(rest) + len(b"%d" % length):
        length = len(rest) + len(b"%d" % length)
    return b"%d" % length + rest


def _zip(contents: Contents) -> bytes:
    """Never as large as to need zip64: `members` and `_LARGEST` see to it."""
    parts: list[bytes] = []
    directory: list[bytes] = []
    offset = 0
    for member, content in contents.items():
        squeezed = bytes(deflate.deflate_compress(content, _LEVEL))
        method, data = (8, squeezed) if len(squeezed) < len(content) else (0, content)
        # Bit 11: the name is UTF-8.
        flags = 0 if member.name.isascii() else 0x0800
        sizes = deflate.crc32(content), len(data), len(content), len(member.name)
        shared = struct.pack("<HHHHHLLLHH", 20, flags, method, 0, _ZIP_DATE, *sizes, 0)
        parts += [b"PK\3\4", shared, member.name, data]
        # Made by Unix (3), so that clients take the file mode from the upper half of the attributes.
        attributes = (0o100000 | _mode(member)) << 16
        tail = struct.pack("<HHHLL", 0, 0, 0, attributes, offset)
        directory += [b"PK\1\2", struct.pack("<H", 3 << 8 | 20), shared, tail, member.name]
        offset += 4 + len(shared) + len(member.name) + len(data)
    listed = b"".join(directory)
    end = struct.pack("<HHHHLLH", 0, 0, len(contents), len(contents), len(listed), offset, 0)
    return b"".join([*parts, listed, b"PK\5\6", end])


def _mode(member: Member) -> int:
    return 0o755 if member.executable else 0o644


_FORMATS = {"tar.gz": _tar_gz, "zip": _zip}
