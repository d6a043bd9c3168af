"""What the operating system lets nobody here look at: told apart from what is not there. Opens nothing for long."""

import os
import stat
from pathlib import Path

from gitopsreg.errors import UpstreamUnavailable

# What every repository has, with a working tree or without.
_PARTS = (".", ".git", "HEAD")


def forbidden(folder: Path) -> UpstreamUnavailable | None:
    """Why a repository's folder can't be read, if that is for want of permission."""
    for place in (folder / part for part in _PARTS):
        try:
            # Not `is_dir`, which from Python 3.14 on says False of what may not be looked at.
            if stat.S_ISDIR(place.stat().st_mode):
                os.scandir(place).close()
        except PermissionError:
            right = f"let the user with id {os.geteuid()} read it"
            return UpstreamUnavailable(f'permission denied for "{place}": {right}')
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None
