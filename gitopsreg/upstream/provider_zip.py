"""Is this zip a provider that every client can install? Looks, hashes, never unpacks to disk.

Clients read the central directory, keep the stored modes and hash every entry by its stored name, so what could make
two readers see two things (directory entries, duplicates, `./`, odd encodings, zip64 tricks) is refused.
"""

import re
import stat
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

from gitopsreg.errors import IntegrityError
from gitopsreg.model.address import Platform
from gitopsreg.model.digest import h1
from gitopsreg.upstream.zip_content import digest

MAX_SIZE = 2 * 1024**3
MAX_ENTRIES = 10_000
MAX_UNPACKED = 4 * 1024**3
# A Go binary packs about 4:1; deflate can reach 1000:1 only when there is nothing inside.
MAX_RATIO = 100
_RATIO_FREE = 64 * 1024**2
_MAX_DIRECTORY = 8 * 1024**2

_END = struct.Struct("<4s4H2LH")
_UTF8 = 0x800
_ENCRYPTED = 0x1
_UNIX = (3, 19)  # who made the entry: Unix and macOS keep a mode in the upper half of the attributes
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What `zipfile` lets through from a damaged file besides its own error.
_BROKEN = (zipfile.BadZipFile, struct.error, EOFError, ValueError, LookupError, OverflowError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Inspected:
    """`h1` is the zip form (every entry counts); `executable` the name of the plugin inside."""

    h1: str
    executable: str


def inspect(file: BinaryIO, *, name: str, provider_type: str, platform: Platform) -> Inspected:
    """Reads all of it once. Raises IntegrityError: UnsafeArchive, TooLarge, ArchiveInvalid (not for clients)."""
    try:
        size = _check_directory_size(file, name)
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check_entries(entries, name, size)
            executable = _executable(entries, name, provider_type, platform)
            return Inspected(h1(_hashed(archive, file, entries)), executable)
    except IntegrityError:
        raise
    except _BROKEN as error:
        raise IntegrityError(
            f'"{name}" is no readable zip: {str(error) or "cut short"}', reason="ArchiveInvalid"
        ) from error


def _check_directory_size(file: BinaryIO, name: str) -> int:
    """The file's size, once its directory is known to be small: `zipfile` reads all of it into memory."""
    size = file.seek(0, 2)
    start = max(0, size - 65_557 - 20)
    file.seek(start)
    tail = file.read()
    at = len(tail) - _END.size
    if at < 0 or not tail[at:].startswith(b"PK\x05\x06"):
        at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + _END.size:
        raise IntegrityError(f'"{name}" is not a zip, or it is cut short: upload it again', reason="ArchiveInvalid")
    if tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        raise IntegrityError(f'"{name}" is a zip64, which nothing below 4 GiB needs', reason="ArchiveInvalid")
    _, _, _, _, entries, directory, _, _ = _END.unpack_from(tail, at)
    if entries > MAX_ENTRIES or directory > _MAX_DIRECTORY:
        raise IntegrityError(f'"{name}" holds {entries} files: at most {MAX_ENTRIES} are allowed', reason="TooLarge")
    return size


def _check_entries(entries: list[zipfile.ZipInfo], name: str, size: int) -> None:
    if len(entries) > MAX_ENTRIES:
        raise IntegrityError(f'"{name}" holds more than {MAX_ENTRIES} files', reason="TooLarge")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * size + _RATIO_FREE:
        raise IntegrityError(
            f'"{name}" would unpack from {size} to {unpacked} bytes: at most {MAX_UNPACKED} and {MAX_RATIO} times the '
            "zip's own size are allowed",
            reason="TooLarge",
        )
    seen: set[str] = set()
    for entry in entries:
        problem = _name_problem(entry, seen) or _kind_problem(entry)
        if problem:
            raise IntegrityError(f'"{name}" holds {entry.orig_filename[:200]!r}, {problem}', reason="UnsafeArchive")
        seen.add(entry.orig_filename.casefold())
    for path in seen:
        above = {path[:at] for at, letter in enumerate(path) if letter == "/"}
        if above & seen:
            raise IntegrityError(f'"{name}" holds {min(above & seen)!r} as file and folder', reason="UnsafeArchive")


def _name_problem(entry: zipfile.ZipInfo, seen: set[str]) -> str:
    path = entry.orig_filename
    if path.endswith("/"):
        return "a directory entry, which gives the zip two different hashes: zip without them (zip -D)"
    if any(letter < " " or letter == "\x7f" for letter in path):
        return "a name with control characters: use plain names"
    if "\\" in path or re.match(r"[A-Za-z]:", path) or path.startswith("/"):
        return 'no relative path: use names like "docs/README.md" with "/"'
    if any(part in {"", ".", ".."} for part in path.split("/")):
        return 'a path with empty, "." or ".." parts: zip from inside the folder, with plain names'
    if not path.isascii() and not entry.flag_bits & _UTF8:
        return "a name in no known encoding: use ASCII or UTF-8 names"
    return "a name that is there twice (seen without regard to case): keep one" if path.casefold() in seen else ""


def _kind_problem(entry: zipfile.ZipInfo) -> str:
    if entry.flag_bits & _ENCRYPTED:
        return "which is encrypted: zip without a password"
    if stat.S_IFMT(_mode(entry)) not in {0, stat.S_IFREG}:
        return "which is a symbolic link or a special file: zip regular files only"
    if entry.compress_type not in _METHODS:
        return f"packed with method {entry.compress_type}, which clients can't read: use deflate"
    return ""


def _executable(entries: list[zipfile.ZipInfo], name: str, provider_type: str, platform: Platform) -> str:
    """The one plugin at the root, as clients look for it."""
    wanted = f"terraform-provider-{provider_type}"
    pattern = re.compile(re.escape(wanted) + r"(?:[_.].*)?")
    found = [entry for entry in entries if pattern.fullmatch(entry.orig_filename) and "/" not in entry.orig_filename]
    if len(found) != 1:
        raise IntegrityError(f'"{name}" {_not_one(entries, found, wanted)}', reason="ArchiveInvalid")
    if platform.os != "windows" and not _mode(found[0]) & stat.S_IXUSR:
        raise IntegrityError(
            f'"{name}" holds "{found[0].orig_filename}" without the executable bit, so clients could not start it: '
            "chmod 0755 before zipping, on a system that keeps modes",
            reason="ArchiveInvalid",
        )
    return found[0].orig_filename


def _not_one(entries: list[zipfile.ZipInfo], found: list[zipfile.ZipInfo], wanted: str) -> str:
    if found:
        names = ", ".join(f'"{entry.orig_filename}"' for entry in found[:5])
        return f"holds more than one executable at its root ({names}): keep one"
    nested = [entry.orig_filename for entry in entries if entry.orig_filename.rpartition("/")[2].startswith(wanted)]
    there = f'; there is "{nested[0]}", which must lie at the root' if nested else ""
    return f'holds no executable "{wanted}" or "{wanted}_v..." at its root{there}'


def _mode(entry: zipfile.ZipInfo) -> int:
    return entry.external_attr >> 16 if entry.create_system in _UNIX else 0


def _hashed(archive: zipfile.ZipFile, file: BinaryIO, entries: list[zipfile.ZipInfo]) -> list[tuple[str, str]]:
    """No entry can grow past what was counted: `digest` holds it to its declared size and its CRC."""
    with ThreadPoolExecutor(1) as beside:
        return [(entry.orig_filename, digest(archive, file, entry, beside)) for entry in entries]
