"""Files that were checked before, kept on disk: who starts anew need neither read nor check them again.

What can't be read or written is as if it were not there. Any number of processes may use the folder at once: packs are
written whole, never changed, and removed only by who has put their content elsewhere.
"""

import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from gitopsreg.catalog.check import CheckEach, Checked, check_each, remade
from gitopsreg.catalog.files import CatalogFile
from gitopsreg.catalog.pack import Entry, decode, encode, entry_of
from gitopsreg.catalog.program import program

# Fewer files are checked sooner than they are looked up.
_LEAST = 128
_MOST_PACKS = 8
# In all of the folder, over all catalogs; of one catalog that can be loaded, three times its text.
_MOST_FILES = 64
_MOST_BYTES = 1024 * 1024 * 1024
_LARGEST = 256 * 1024 * 1024

_Key = tuple[str, str]


class Kept:
    """One catalog's files in a folder: those that are named by their content, since no other name holds for long.

    `catalog` tells the catalogs apart that share the folder, `check` is for files that are not here, `least` how many
    files it takes to look here, or to write.
    """

    def __init__(self, folder: Path, catalog: str, *, check: CheckEach = check_each, least: int = _LEAST) -> None:
        self._folder = folder
        self._catalog = catalog
        self._check = check
        self._least = least
        # What was last asked for at each path: anything else is of no use any more.
        self._asked: dict[str, str] = {}

    def check(self, files: Sequence[CatalogFile]) -> list[Checked]:
        """Each of `files` checked, in order."""
        self._asked.update((file.path, file.oid) for file in files)
        if len(files) < self._least:
            return list(self._check(files))
        packs = _Packs(self._folder, _name(self._catalog))
        known = packs.read()
        found = [known.get((file.path, file.oid)) if _is_named(file) else None for file in files]
        checked = self._together(files, found)
        news = [
            entry
            for file, known_one, one in zip(files, found, checked, strict=True)
            if known_one is None and _is_named(file) and (entry := entry_of(one, file.oid))
        ]
        self._write(packs, known, news)
        return checked

    def _together(self, files: Sequence[CatalogFile], found: Sequence[Entry | None]) -> list[Checked]:
        missing = [file for file, entry in zip(files, found, strict=True) if entry is None]
        fresh = iter(self._check(missing))
        return [next(fresh) if entry is None else remade(entry.path, entry.text, entry.value) for entry in found]

    def _write(self, packs: "_Packs", known: dict[_Key, Entry], news: list[Entry]) -> None:
        """What is new beside what there is; or all that is of use in the place of it, when half of it is not."""
        live = [entry for (path, oid), entry in known.items() if self._asked.get(path) == oid]
        idle = len(known) - len(live)
        if idle > len(live) + len(news) + self._least or (len(news) >= self._least and packs.are_many):
            packs.write([*live, *news], instead=True)
        elif len(news) >= self._least:
            packs.write(news)


def _is_named(file: CatalogFile) -> bool:
    """Whether it is a file, and its name that of its content, not of a place on a disk."""
    return file.mode == "file" and ":" not in file.oid


def _name(catalog: str) -> str:
    return sha256(os.fsencode(f"{program()}\n{catalog}")).hexdigest()[:40]


class _Packs:
    """The packs of one name."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._read: list[Path] = []

    @property
    def are_many(self) -> bool:
        return len(self._read) >= _MOST_PACKS

    def read(self) -> dict[_Key, Entry]:
        """All that can be read, by path and content's name."""
        known: dict[_Key, Entry] = {}
        room = _LARGEST
        with suppress(OSError):
            self._read = sorted(self._folder.glob(f"{self._name}.*.pack"))
        for path in self._read:
            data = _bytes(path, room)
            room -= len(data)
            for entry in decode(self._name, data) or ():
                known[entry.path, entry.oid] = entry
        return known

    def write(self, entries: Iterable[Entry], *, instead: bool = False) -> None:
        """One pack more; `instead` of those that were read."""
        data = encode(self._name, entries)
        if len(data) > _LARGEST:
            return
        path = self._folder / f"{self._name}.{sha256(data).hexdigest()[:16]}.pack"
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _put(path, data)
            for old in self._read if instead else ():
                if old != path:
                    old.unlink(missing_ok=True)
            _tidy(self._folder)


def _bytes(path: Path, most: int) -> bytes:
    """b"" for what can't be read, or is too large."""
    try:
        # No link is followed, and no pipe waited for.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            data = file.read(most + 1)
    except OSError:
        return b""
    with suppress(OSError):  # a folder that is only to be read serves too
        os.utime(path)
    return data if len(data) <= most else b""


def _put(path: Path, data: bytes) -> None:
    """Whole or not at all, for its user only. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _tidy(folder: Path) -> None:
    """The files that nobody used for longest go."""
    room = _MOST_BYTES
    found = sorted((_stat(path) for path in folder.iterdir()), reverse=True)
    for number, (_, size, path) in enumerate(found):
        room -= size
        if number >= _MOST_FILES or room < 0:
            with suppress(OSError):  # what can't go, as a folder can't, keeps none of the others
                path.unlink(missing_ok=True)


def _stat(path: Path) -> tuple[float, int, Path]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0, path
    return found.st_mtime, found.st_size, path
