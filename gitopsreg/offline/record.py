"""What an export wrote, so that the next one writes only what changed and removes only what is its own.

`export.json` lists the files of a finished export; `export.journal` those that one under way has begun, so that also
what a killed export left behind is known. Both lie beside the folders that are served.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gitopsreg.errors import ConfigError, quoted
from gitopsreg.index.model import Blob
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.disk import explained

FORMAT = 1
_NAME, _JOURNAL, _LOCK = "export.json", "export.journal", "export.lock"


@dataclass(slots=True)
class Record:
    """`finished` is what the last export ended with, `begun` what a killed one may have written; by relative path."""

    folder: Path
    finished: dict[str, Blob] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    _journal: Any = None

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Raises ConfigError for a folder that holds anything but an export, StorageError."""
        record = cls(folder)
        with explained(folder, "read"):
            names = {path.name for path in folder.iterdir()} - {_LOCK}
        if names and not names & {_NAME, _JOURNAL}:
            raise ConfigError(f'"{folder}" is not empty and holds no export of ours: give an empty or a new folder')
        if _NAME in names:
            record.finished = _read(folder / _NAME)
        if _JOURNAL in names:
            with explained(folder / _JOURNAL, "read"):
                lines = (folder / _JOURNAL).read_text(encoding="utf-8", errors="replace").splitlines()
            record.begun = {line for line in lines if is_safe(line)}
        return record

    def __enter__(self) -> Self:
        with explained(self.folder / _JOURNAL, "written"):
            self._journal = (self.folder / _JOURNAL).open("a", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None) -> None:
        self._journal.close()

    def begin(self, path: str) -> None:
        """Note a file that is about to appear. Raises StorageError."""
        with explained(self.folder / _JOURNAL, "written"):
            self._journal.write(path + "\n")
            self._journal.flush()

    def finish(self, files: dict[str, Blob], **facts: Any) -> None:
        """The export is complete: these are its files."""
        document = {
            "format": FORMAT,
            **facts,
            "files": {path: [blob.sha256.hex, blob.size] for path, blob in files.items()},
        }
        temporary = self.folder / f"{_NAME}.new"
        with explained(temporary, "written"):
            temporary.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            temporary.replace(self.folder / _NAME)
            (self.folder / _JOURNAL).unlink()


def lock_of(folder: Path) -> Path:
    return folder / _LOCK


def is_safe(path: str) -> bool:
    """Whether a relative path stays inside: a record that was tampered with must not have other files removed."""
    parts = path.split("/")
    return path.isprintable() and "\\" not in path and not {"", ".", ".."} & set(parts)


def _read(path: Path) -> dict[str, Blob]:
    with explained(path, "read"):
        data = path.read_bytes()
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise ConfigError(f'"{path}" has format {quoted(str(document["format"]))}: this release reads {FORMAT}')
        files = {str(name): Blob(Sha256(digest), int(size)) for name, (digest, size) in document["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f'"{path}" is no record of an export: give an empty or a new folder') from error
    if not all(map(is_safe, files)):
        raise ConfigError(f'"{path}" names files outside of its folder: it was tampered with, give a new folder')
    return files
