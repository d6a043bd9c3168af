"""Results by name, in the user's cache folder. What can't be read or written is as if it were not there."""

import os
from contextlib import suppress
from pathlib import Path

from gitopsreg.cli.rewrite import rewrite

# The oldest go: a branch that one comes back to is still there.
_MOST = 64
_LARGEST = 64 * 1024 * 1024


class Cache:
    """One file a name, written whole; any number of processes may use the folder at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> bytes | None:
        path = self._folder / name
        try:
            with path.open("rb") as file:
                data = file.read(_LARGEST + 1)
            os.utime(path)
        except OSError:
            return None
        return data if len(data) <= _LARGEST else None

    def put(self, name: str, data: bytes) -> None:
        if len(data) > _LARGEST:
            return
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            rewrite(self._folder / name, data)
            for path in sorted(self._folder.iterdir(), key=_age)[:-_MOST]:
                path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0
