"""Writes many declarations at once into a folder: a whole new catalog or nothing, or what a catalog lacks yet."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gitopsreg.catalog.addition import refuse_links, same_place, write_new
from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.defaults import Spec, inheritable
from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.files import CatalogFile
from gitopsreg.catalog.loader import parse
from gitopsreg.errors import ConfigError, quoted

# What may lie in a folder that is still empty.
_HARMLESS = frozenset({".git"})
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """How many files were written, and which were there already: `same` as ours, or with another content."""

    written: int
    same: int = 0
    differing: tuple[str, ...] = ()


def defaults_in(folder: Path) -> Spec | None:
    """What packages inherit in the catalog of a folder; None when there is no catalog yet. Raises ConfigError."""
    files = read_directory(folder).files if folder.exists() else ()
    registry = next((file for file in files if file.path == "registry.yaml"), None)
    try:
        document = parse(registry.read()).document if registry and registry.mode == "file" else None
    except OSError as error:
        raise ConfigError(
            f"{quoted(str(folder / 'registry.yaml'))} can't be read: {error.strerror or error}"
        ) from error
    root = Cursor(document.value if document else None)
    return inheritable((root / "spec" / "defaults").value) if files else None


def need_empty(folder: Path) -> None:
    """Raises ConfigError when a new catalog would meet anything there."""
    try:
        there = sorted(path.name for path in folder.iterdir() if path.name not in _HARMLESS)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{quoted(str(folder))} can't be used: {error.strerror or error}") from error
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise ConfigError(
            f"{quoted(str(folder))} is not empty, it holds {quoted(there[0])}{more}: name a new folder, or write "
            "--merge to add what a catalog there lacks"
        )


def write_catalog(folder: Path, files: Mapping[str, str], told: Told) -> Adopted:
    """A new catalog, complete or not at all: made aside, then renamed. Raises ConfigError."""
    need_empty(folder)
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".import-", dir=folder))
        try:
            _fill(aside, files, told)
            for made in sorted(aside.iterdir()):
                made.rename(folder / made.name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except BaseException as error:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise _unwritable(folder, error) from error
        raise
    return Adopted(written=len(files))


def merge_catalog(folder: Path, files: Mapping[str, str], told: Told, *, dry: bool = False) -> Adopted:
    """What is there stays as it is. Stopped half-way it has added some of the files, each whole. Raises ConfigError."""
    there = {same_place(file.path): file for file in read_directory(folder).files}
    missing = {path: text for path, text in files.items() if same_place(path) not in there}
    differing = tuple(path for path, text in files.items() if _differs(there.get(same_place(path)), text))
    for place in {path.rpartition("/")[0] for path in missing}:
        refuse_links(folder, place + "/")
    try:
        for path, text in missing.items() if not dry else ():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            write_new(folder / path, text)
            told(path)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return Adopted(written=len(missing), same=len(files) - len(missing) - len(differing), differing=differing)


def _differs(file: CatalogFile | None, text: str) -> bool:
    """Whether something else is there; what can't be read is."""
    try:
        return file is not None and file.read() != text.encode()
    except OSError:
        return True


def _fill(folder: Path, files: Mapping[str, str], told: Told) -> None:
    """Nobody else looks there yet: plain writes will do."""
    made = set()
    for path, text in files.items():
        place = folder / path
        if place.parent not in made:
            place.parent.mkdir(parents=True, exist_ok=True)
            made.add(place.parent)
        place.write_bytes(text.encode())
        told(path)


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    where = error.filename or folder
    return ConfigError(f"{quoted(str(where))} can't be written: {error.strerror or error}")
