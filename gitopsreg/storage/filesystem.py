"""A store in a directory: one file a key. Values appear by rename, so readers see them whole or not at all.

Names that hold a `~` can't be keys; they are the store's own: `~temporary` for values being written, `~locks` for
conditional writes. There are no symbolic links below the root, wherever they lead: one key is one file.
"""

import os
import secrets
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from gitopsreg.errors import InvalidName, KeyMissing, PublishConflict, StorageError
from gitopsreg.storage.base import LinkTerms, Stored, Token, check_key, check_prefix, check_range
from gitopsreg.storage.disk import FileChunks, explained, link_below, locked, make_folder, sync_folder, write_all
from gitopsreg.storage.many_files import grouped, read, rename, written

_TEMPORARY = "~temporary"
_LOCKS = "~locks"
_STRAY_AFTER = 24 * 60 * 60  # seconds without a change: no writer is silent for so long


class FilesystemReader:
    """A `BlobReader` on a directory, which need not exist yet."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))

    def get(self, key: str) -> bytes:
        path = self._path(key)
        with self._open(key, path) as file, explained(path, "read"):
            return file.read()

    def get_all(self, keys: Sequence[str]) -> list[bytes]:
        """Each folder is looked at once, to see that no link leads to it."""
        for folder in {_folder_of(check_key(key)) for key in keys} - {""}:
            self._path(folder)
        return [self._quickly(key) for key in keys]

    def _quickly(self, key: str) -> bytes:
        try:
            return read(f"{self._root}/{key}")
        except OSError:  # `get` says what it is
            return self.get(key)

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        data = self.get(key)
        return data, _token(data)

    def size(self, key: str) -> int:
        return self.stat(key).size

    def stat(self, key: str) -> Stored:
        path = self._path(key)
        with self._open(key, path) as file, explained(path, "read"):
            return _stored(key, os.fstat(file.fileno()))

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> FileChunks:
        check_range(start, length)
        path = self._path(key)
        return FileChunks(self._open(key, path), path, start, length)

    def keys(self, prefix: str) -> Iterator[str]:
        folder = check_prefix(prefix).rpartition("/")[0]
        path = self._path(folder) if folder else self._root
        return (key for key in self._walk(path, folder) if key.startswith(prefix))

    def listing(self, prefix: str) -> Iterator[Stored]:
        keys = self.keys(prefix)
        return (stored for key in keys if (stored := self._glance(key)) is not None)

    def _glance(self, key: str) -> Stored | None:
        """`stat` for a key that was there a moment ago."""
        path = self._root / key
        with explained(path, "read"), suppress(FileNotFoundError, NotADirectoryError):
            return _stored(key, path.lstat())
        return None

    def link(self, key: str, terms: LinkTerms) -> str | None:  # noqa: ARG002 - a directory signs nothing
        check_key(key)
        return None

    def _path(self, key: str) -> Path:
        path = self._root / check_key(key)
        if os.path.realpath(path) != str(path):
            raise link_below(path)
        return path

    def _open(self, key: str, path: Path) -> BinaryIO:
        try:
            with explained(path, "read"):
                return path.open("rb", buffering=0)
        except StorageError as error:
            if isinstance(error.__cause__, (FileNotFoundError, IsADirectoryError, NotADirectoryError)):
                self._refuse_file_as_root()
                raise KeyMissing(f'"{key}" is not stored') from None
            raise

    def _refuse_file_as_root(self) -> None:
        with explained(self._root, "read"), suppress(FileNotFoundError, NotADirectoryError):
            # One look: another writer may make the folder between two.
            if stat.S_ISDIR(self._root.stat().st_mode):
                return
            raise StorageError(f'"{self._root}" is a file: the root of a store must be a folder')

    def _walk(self, path: Path, folder: str) -> Iterator[str]:
        for entry in self._entries(path):
            if entry.is_symlink():
                raise link_below(Path(entry.path))
            key = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(Path(entry.path), key)
            elif entry.is_file(follow_symlinks=False) and _is_key(key):
                yield key

    def _entries(self, path: Path) -> list["os.DirEntry[str]"]:
        """What lies in a folder and isn't ours, as keys sort: as if a folder's name ended in "/"."""
        self._refuse_file_as_root()
        try:
            with explained(path, "listed"), os.scandir(path) as found:
                entries = [entry for entry in found if "~" not in entry.name]
        except StorageError as error:
            if isinstance(error.__cause__, (FileNotFoundError, NotADirectoryError)):
                return []
            raise
        return sorted(entries, key=lambda entry: entry.name + "/" * entry.is_dir(follow_symlinks=False))


class FilesystemStore(FilesystemReader):
    """A `BlobStore` on a directory, made when first written to. Needs `flock`: POSIX, and NFS from version 4 on.

    A token is the digest of the value, so a value that comes back brings its token back: the index's head can't, its
    epoch grows.
    """

    at_once = 2
    bulk = 512

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._swept = False

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        path = self._path(key)
        with self._staged(key, data) as temporary, self._locked(key):
            _commit(temporary, path)

    def put_all(self, values: Sequence[tuple[str, bytes]]) -> None:
        """All are written before the first is synced, and each folder is synced once: the disk has less to wait for."""
        by_top = grouped(values, lambda value: _top_of(check_key(value[0])))
        self._refuse_file_as_root()
        self._sweep()
        for top, some in by_top.items():
            self._put_below(top, some)

    def _put_below(self, top: str, values: Sequence[tuple[str, bytes]]) -> None:
        folders = {self._path(folder) if folder else self._root for folder in {_folder_of(key) for key, _ in values}}
        home, mode = self._home(top, folders)
        with written(home, [(f"{self._root}/{key}", data) for key, data in values], mode) as drafts:
            pairs = zip(values, drafts, strict=True)
            for lock, some in grouped(pairs, lambda pair: _lock_of(pair[0][0])).items():
                with locked(self._root / _LOCKS / lock):
                    for _, draft in some:
                        rename(draft)
        for folder in folders:
            with explained(folder, "written"):
                sync_folder(folder)

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        path = self._path(key)
        with self._staged(key, data) as temporary, self._locked(key):
            if self._state(key) != expected:
                raise PublishConflict(f'"{key}" was changed by another writer: read it again')
            _commit(temporary, path)
        return _token(data)

    def delete(self, key: str, *, seen: Stored | None = None) -> bool:
        path = self._path(key)
        self._refuse_file_as_root()
        with explained(path, "deleted"):
            if not path.is_file():  # absent, or a folder of other keys
                return False
        # Not synced: a deletion that a power cut forgets leaves what the next clean-up finds again.
        with self._locked(key), explained(path, "deleted"):
            now = self._glance(key)
            if now is None or (seen is not None and now.state != seen.state):
                return False
            path.unlink()
            return True

    def _state(self, key: str) -> Token | None:
        try:
            return self.get_with_token(key)[1]
        except KeyMissing:
            return None

    def _locked(self, key: str) -> AbstractContextManager[None]:
        """Every write of one key waits here, so that none slips in between the look and the rename of `replace`."""
        return locked(self._root / _LOCKS / _lock_of(key))

    @contextmanager
    def _staged(self, key: str, data: bytes | Iterable[bytes]) -> Iterator[Path]:
        """The value in a temporary file, complete and durable; gone afterwards unless it was renamed."""
        self._refuse_file_as_root()
        self._sweep()
        path, descriptor = self._temporary(key)
        try:
            _write(descriptor, self._root / key, [data] if isinstance(data, bytes) else data, sync=True)
            yield path
        finally:
            with suppress(OSError):  # it was renamed; if it can't be removed it is swept later
                path.unlink()

    def _temporary(self, key: str) -> tuple[Path, int]:
        """A new, open file."""
        home, mode = self._home(_top_of(key), [(self._root / key).parent])
        path = home / secrets.token_hex(16)
        with explained(self._root / key, "written"):
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)

    def _home(self, top: str, folders: Iterable[Path]) -> tuple[Path, int]:
        """Where to write what belongs into these folders, which are made too, and the mode for it.

        Beside the content of the key's top folder, so that `blobs` may be a file system of its own.
        """
        private = top == "private"
        home = self._root / top
        with explained(home, "written"):
            make_folder(home, 0o700 if private else 0o777)
            for folder in (home / _TEMPORARY, *folders):
                make_folder(folder)
        return home / _TEMPORARY, 0o600 if private else 0o666

    def _sweep(self) -> None:
        """Once in a store's life: remove what killed writers left behind."""
        if self._swept:
            return
        self._swept = True
        for stray in (*self._root.glob(f"{_TEMPORARY}/*"), *self._root.glob(f"*/{_TEMPORARY}/*")):
            with suppress(OSError):  # another writer is sweeping, or it isn't ours to remove: never a reason to stop
                if stray.lstat().st_mtime < time.time() - _STRAY_AFTER:
                    stray.unlink()


def _write(descriptor: int, path: Path, pieces: Iterable[bytes], *, sync: bool = False) -> None:
    """Write and close. What `pieces` raises passes through as it is: it is no fault of the disk."""
    try:
        for piece in pieces:
            with explained(path, "written"):
                write_all(descriptor, piece)
        if sync:
            with explained(path, "written"):
                os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _commit(temporary: Path, path: Path) -> None:
    with explained(path, "written"):
        temporary.replace(path)
        sync_folder(path.parent)


def _folder_of(key: str) -> str:
    return key.rpartition("/")[0]


def _top_of(key: str) -> str:
    """The first of a key's folders, "" where it has none."""
    top, below, _ = key.partition("/")
    return top if below else ""


def _lock_of(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:2]


def _token(data: bytes) -> Token:
    return Token(sha256(data).hexdigest())


def _stored(key: str, state: os.stat_result) -> Stored:
    # The inode too: clocks of file systems tick slower than two writes may follow each other.
    changed = f"{state.st_ino}-{state.st_mtime_ns}"
    return Stored(key=key, size=state.st_size, modified=state.st_mtime, state=changed)


def _is_key(text: str) -> bool:
    try:
        check_key(text)
    except InvalidName:
        return False
    return True
