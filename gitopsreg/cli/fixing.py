"""`validate --fix`: writes what can be mended without asking, and tells what it did. Follows no symlink."""

import stat
import sys
from pathlib import Path

from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.files import CatalogFile
from gitopsreg.catalog.mend import Mended, mend
from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.cli.failures import tell
from gitopsreg.cli.rewrite import rewrite


def fix_directory(folder: Path) -> int:
    """How many files were changed."""
    files = read_directory(folder)
    taken = {file.path for file in files.files}
    count = 0
    for file in files.files:
        mended = _mended(file, taken)
        if mended is None:
            continue
        if not _write(folder, file, mended):
            tell(f'"{printable(file.path)}" was not mended: it can\'t be written, or a folder on the way is a symlink')
            continue
        taken = taken - {file.path} | {mended.path}
        count += 1
        sys.stderr.writelines(f"fixed {files.root}{deed}\n" for deed in mended.deeds)
    if count:
        sys.stderr.write(f"Fixed {output.count(count, 'file')}.\n")
    return count


def _mended(file: CatalogFile, taken: set[str]) -> Mended | None:
    try:
        return mend(file, taken)
    except OSError:
        return None  # a finding says so


def _write(folder: Path, file: CatalogFile, mended: Mended) -> bool:
    """Whether it was written: only when all folders on the way are folders."""
    old, new = folder / file.path, folder / mended.path
    try:
        if not _is_plain(folder, file.path) or not stat.S_ISREG(old.lstat().st_mode):
            return False
        if new != old:
            return _move(folder, old, mended)
        rewrite(old, mended.data)
    except OSError:
        return False
    return True


def _move(folder: Path, old: Path, mended: Mended) -> bool:
    new = folder / mended.path
    if not _is_plain(folder, mended.path) or new.is_symlink() or new.exists():
        return False
    new.parent.mkdir(parents=True, exist_ok=True)
    rewrite(new, mended.data)
    new.chmod(stat.S_IMODE(old.stat().st_mode))
    old.unlink()
    return True


def _is_plain(folder: Path, path: str) -> bool:
    """Whether nothing on the way is a symlink or a file; what is not there yet is neither. Raises OSError."""
    for part in path.split("/")[:-1]:
        folder /= part
        try:
            mode = folder.lstat().st_mode
        except FileNotFoundError:
            return True
        if not stat.S_ISDIR(mode):
            return False
    return True
