"""`export --static`: a site on disk. What is there and right stays; a web server may read it all the while.

What is blocked goes first. Then come new bytes, then the documents that name them, then the lists, and at last what
is gone is removed: a client that reads in the middle sees the old state or the new one. Files appear by rename, whole.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from gitopsreg.errors import ConfigError, StorageError, quoted
from gitopsreg.index.model import Blob
from gitopsreg.model.digest import Sha256
from gitopsreg.offline import nginx
from gitopsreg.offline.intact import intact
from gitopsreg.offline.record import Record, is_safe, lock_of
from gitopsreg.offline.site import Copy, Site
from gitopsreg.storage.base import BlobReader
from gitopsreg.storage.disk import explained, locked, make_folder

_TEMPORARY = "export.part"

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """Counts of files, and the bytes that were written."""

    files: int
    written: int
    removed: int
    size: int


def export(
    site: Site, readers: Mapping[str, BlobReader], folder: Path, *, progress: Progress = lambda _name, _size: None
) -> Exported:
    """Bring `folder` to the site. `readers` are the stores by name; `progress` is told each file and its size.

    Raises ConfigError for a folder that is not ours or a back end that is not among `readers`, StorageError when bytes
    are missing or altered: then the lists are still the old ones, and the next export goes on from there.
    """
    with explained(folder, "written"):
        make_folder(folder)
    Record.open(folder)  # a folder of somebody else gets no lock either
    with locked(lock_of(folder)):
        record = Record.open(folder)
        with record:
            work = _Work(record, readers, progress)
            # At once, and whatever else goes wrong: the rest may have to wait until a store is mended.
            work.withdraw(f"www{path}" for path in site.withdrawn())
            for copy in site.copies():
                work.copy(copy)
            for name, text in _server_files(site):
                work.write(name, text)
            for page in site.pages():
                work.write(f"www{page.path}", page.body)
            removed = work.remove_the_rest()
            record.finish(work.files, snapshot=str(site.snapshot.digest), publicUrl=site.public_url)
        return Exported(files=len(work.files), written=work.written, removed=removed, size=work.size)


def _server_files(site: Site) -> Iterator[tuple[str, bytes]]:
    yield "nginx/maps.conf", nginx.maps(site.locations()).encode()
    yield "nginx/locations.conf", nginx.LOCATIONS.encode()


class _Work:
    """One export under way."""

    def __init__(self, record: Record, readers: Mapping[str, BlobReader], progress: Progress) -> None:
        self._record = record
        self._readers = readers
        self._progress = progress
        self._first: dict[Sha256, Path] = {}
        self.files: dict[str, Blob] = {}
        self.written = 0
        self.size = 0

    def copy(self, copy: Copy) -> None:
        """Stored bytes; a second path for them is a hard link to the first."""
        target = self._take(f"www{copy.path}", copy.blob)
        if target is not None:
            same = self._first.get(copy.blob.sha256)
            if same is None or not _link(same, self._temporary):
                self._fill(self._pieces(copy))
            self._appear(target)
        self._first.setdefault(copy.blob.sha256, self._record.folder / f"www{copy.path}")
        self._progress(copy.path.rpartition("/")[2], copy.blob.size)

    def write(self, name: str, data: bytes) -> None:
        blob = Blob(Sha256.of(data), len(data))
        target = self._take(name, blob)
        if target is not None:
            self._fill((data,))
            self._appear(target)

    def withdraw(self, names: Iterable[str]) -> None:
        """Remove what an earlier export wrote and nobody may have any longer."""
        for name in (self._record.finished.keys() | self._record.begun) & set(names):
            path = self._record.folder / name
            with explained(path, "removed"), suppress(FileNotFoundError):
                path.unlink()

    def remove_the_rest(self) -> int:
        """Files of earlier exports that are not of this one, and the folders that they leave empty."""
        gone = sorted((self._record.finished.keys() | self._record.begun) - self.files.keys())
        for name in gone:
            path = self._record.folder / name
            with explained(path, "removed"), suppress(FileNotFoundError):
                path.unlink()
            self._remove_empty(path.parent)
        self._temporary.unlink(missing_ok=True)
        return len(gone)

    def _remove_empty(self, folder: Path) -> None:
        with suppress(OSError):  # not empty, or gone already
            while folder != self._record.folder:
                folder.rmdir()
                folder = folder.parent

    @property
    def _temporary(self) -> Path:
        return self._record.folder / _TEMPORARY

    def _take(self, name: str, blob: Blob) -> Path | None:
        """Where to write, or None when the file is there and right."""
        if not is_safe(name):
            raise StorageError(f"{quoted(name)} can't be the path of a file: nothing of the index may be called so")
        if self.files.setdefault(name, blob) != blob:
            raise StorageError(f"{quoted(name)} would have to be two files at once: two artifacts of one name")
        path = self._record.folder / name
        if self._is_there(name, path, blob):
            return None
        self._record.begin(name)
        with explained(path, "written"):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _is_there(self, name: str, path: Path, blob: Blob) -> bool:
        with explained(path, "read"), suppress(FileNotFoundError, NotADirectoryError):
            size = path.lstat().st_size
            if name in self._record.begun:  # by an export that was killed: these bytes or others
                with path.open("rb") as file:
                    return size == blob.size and file_digest(file, "sha256").hexdigest() == blob.sha256.hex
            if name not in self._record.finished:
                raise ConfigError(f'"{path}" is in the way: no export wrote it, so move it away')
            return size == blob.size and self._record.finished[name] == blob
        return False

    def _pieces(self, copy: Copy) -> Iterable[bytes]:
        reader = self._readers.get(copy.place.backend)
        if reader is None:
            raise ConfigError(
                f'"{copy.place.key}" lies in the back end "{copy.place.backend}", which is not given: '
                f"name it with --backend {copy.place.backend}=URL"
            )
        return intact(reader.chunks(copy.place.key), copy.blob, copy.place.key)

    def _fill(self, pieces: Iterable[bytes]) -> None:
        self._temporary.unlink(missing_ok=True)  # a hard link of a published file would be written through
        with explained(self._temporary, "written"), self._temporary.open("xb") as file:
            for piece in pieces:
                file.write(piece)
                self.size += len(piece)

    def _appear(self, target: Path) -> None:
        with explained(target, "written"):
            self._temporary.replace(target)
        self.written += 1


def _link(source: Path, target: Path) -> bool:
    """Whether the file system could."""
    try:
        target.unlink(missing_ok=True)
        os.link(source, target)
    except OSError:
        return False
    return True
