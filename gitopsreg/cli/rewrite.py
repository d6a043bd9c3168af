"""Whole files, or none: what is written takes the place of the old file in one step. Follows no symlink."""

import os
import stat
import tempfile
from pathlib import Path

from gitopsreg.errors import ConfigError


def rewrite(path: Path, data: bytes) -> None:
    """Readers see the old bytes or the new ones; the file's permissions stay. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), _mode(path))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def save(path: Path, text: str, what: str) -> None:
    """A file that the user named. Raises ConfigError that says why it can't be written."""
    data = text.encode(errors="backslashreplace")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)  # a pipe or /dev/stdout: nothing to take the place of
        else:
            rewrite(path, data)
    except OSError as error:
        raise ConfigError(f'{what} "{path}" can\'t be written: {error.strerror or error}') from error


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.lstat().st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
