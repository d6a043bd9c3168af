"""A directory as a catalog, for checking what is not committed yet: no Git. Follows no symlinks, writes nothing."""

import os
import stat
from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from pathlib import Path

from gitopsreg.catalog.files import DECLARED, DEEPEST, LARGEST_FILE, MOST_FILES, CatalogFile, CatalogFiles, FileMode
from gitopsreg.errors import ConfigError, quoted

# One more than a load admits, so that the load can say so.
_MOST_FILES = MOST_FILES + 1
_PAGE = 4096


def read_directory(path: Path) -> CatalogFiles:
    """The files of the catalog whose root is `path`; read only when asked. Raises ConfigError when it is no directory.

    A file's `oid` is what the file system knows it by, as in Git's index: nothing is read to find what changed.
    """
    if not path.is_dir():
        raise ConfigError(f"{quoted(str(path))} is not a directory: name the folder that holds registry.yaml")
    root = str(path)
    files = tuple(sorted(_walk(root), key=attrgetter("path")))
    return CatalogFiles(
        revision="worktree",
        time="",
        root="" if root == "." else root.rstrip("/") + "/",
        files=files,
        has_folder=lambda inside: _has_folder(path, inside),
    )


def _walk(root: str) -> Iterator[CatalogFile]:
    folders: list[tuple[str, str, int]] = [(root, "", 0)]
    count = 0
    while folders and count < _MOST_FILES:
        folder, prefix, depth = folders.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if depth == 0 and entry.name not in DECLARED:
                    continue
                path = prefix + os.fsencode(entry.name).decode("utf-8", "backslashreplace")
                if entry.is_dir(follow_symlinks=False) and depth < DEEPEST:
                    folders.append((entry.path, path + "/", depth + 1))
                    continue
                count += 1
                if count > _MOST_FILES:
                    return
                yield _file(entry, path)


def _file(entry: os.DirEntry[str], path: str) -> CatalogFile:
    found = entry.stat(follow_symlinks=False)
    oid = f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}"
    return CatalogFile(
        path=path, mode=_mode(found.st_mode), size=found.st_size, oid=oid, read=partial(_read, entry.path)
    )


def _mode(mode: int) -> FileMode:
    if stat.S_ISREG(mode):
        return "file"
    return "symlink" if stat.S_ISLNK(mode) else "other"


def _read(place: str) -> bytes:
    """At most one byte more than is admitted. What became a symlink or a pipe meanwhile is refused, not followed."""
    handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError("it is no file any more")
        # Asking for what there may be, not for what there is, takes three times as long.
        data = os.read(handle, min(found.st_size, LARGEST_FILE) + 1)
        while len(data) <= LARGEST_FILE and (more := os.read(handle, min(_PAGE, LARGEST_FILE + 1 - len(data)))):
            data += more
        return data
    finally:
        os.close(handle)


def _has_folder(root: Path, path: str) -> bool:
    """Whether every step of the path is a folder, none of them a symlink."""
    parts = path.split("/")
    if not path or any(part in {"", ".", ".."} for part in parts):
        return False
    for part in parts:
        root /= part
        try:
            mode = root.lstat().st_mode
        except (OSError, ValueError):
            return False
        if not stat.S_ISDIR(mode):
            return False
    return True
