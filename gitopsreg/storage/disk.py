"""The operating system's file calls, as the directory store needs them: durable, and with errors an operator can use.

Knows paths, never keys.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gitopsreg.errors import StorageError
from gitopsreg.storage.base import CHUNK

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_NO_FOLDER = (errno.ENOTDIR, errno.EEXIST)
_NO_FILE = (errno.EISDIR, errno.ENOTEMPTY)


def explain(error: OSError, path: Path, deed: str) -> StorageError:
    """What happened to `path` ("read", "written", …) and what the operator can do about it."""
    match error.errno:
        case code if code in _FULL:
            hint = "the disk is full: free some space or give the store a larger volume"
        case code if code in _FORBIDDEN:
            hint = f"permission denied: let the user with id {os.geteuid()} read and write the store's folder"
        case errno.EROFS:
            hint = "the file system is read-only: mount it writable"
        case code if code in _NO_FOLDER:
            hint = "a part of the path is a file: the store and all above its values must be folders"
        case code if code in _NO_FILE:
            hint = "it is a folder: move it away, the store keeps a file there"
        case errno.ENAMETOOLONG:
            hint = "the name is too long for this file system: use a shorter key or path"
        case errno.EXDEV:
            hint = "it lies on another file system: mount whole folders below the store's root only"
        case errno.EMFILE | errno.ENFILE:
            hint = "too many files are open: raise the limit (ulimit -n)"
        case _:
            hint = (error.strerror or str(error)).lower()
    return StorageError(f'"{path}" could not be {deed}: {hint}')


def link_below(path: Path) -> StorageError:
    """There is a symbolic link at `path`, or on the way to it."""
    return StorageError(
        f'"{path}" lies behind a symbolic link: a store follows none, mount the folder there or move the files'
    )


@contextmanager
def explained(path: Path, deed: str) -> Iterator[None]:
    """Translate every OSError of the block."""
    try:
        yield
    except OSError as error:
        raise explain(error, path, deed) from error


def make_folder(path: Path, mode: int = 0o777) -> None:
    """The folder and all above it, each durable in its parent. Raises OSError."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode, exist_ok=True)  # another writer may be quicker
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make what was written to the file survive a power cut. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Make the folder's names survive a power cut. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file alone, among threads and processes; the kernel lets go when the process dies."""
    with explained(path, "locked"):
        make_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        with explained(path, "locked"):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class FileChunks:
    """A range of an open file. Not a generator: one that is dropped before its first step never runs its `finally`."""

    def __init__(self, file: BinaryIO, path: Path, start: int, length: int | None) -> None:
        self._file = file
        self._path = path
        self._left = length
        with explained(path, "read"):
            file.seek(min(start, os.fstat(file.fileno()).st_size))  # a client may ask for byte 10**30

    def __iter__(self) -> "FileChunks":
        return self

    def __next__(self) -> bytes:
        wanted = CHUNK if self._left is None else min(CHUNK, self._left)
        piece = self._read(wanted) if wanted and not self._file.closed else b""
        if not piece:
            self.close()
            raise StopIteration
        if self._left is not None:
            self._left -= len(piece)
        return piece

    def _read(self, wanted: int) -> bytes:
        with explained(self._path, "read"):
            return self._file.read(wanted)

    def close(self) -> None:
        self._file.close()

    def __del__(self) -> None:
        self.close()
