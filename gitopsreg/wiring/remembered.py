"""Who checks a catalog's files: two processes where there are many, and none where they are kept from another day."""

from pathlib import Path

from gitopsreg.catalog.kept import Kept
from gitopsreg.catalog.memo import Memo
from gitopsreg.catalog.together import check_together
from gitopsreg.settings import Settings
from gitopsreg.transport.location import Location


def memo_of_folder(cache: Path | None, folder: Path) -> Memo:
    """Of a catalog's folder; without a `cache` nothing is kept."""
    if cache is None:
        return Memo(check=check_together)
    return Memo(check=Kept(cache.absolute() / "files", str(folder.resolve()), check=check_together).check)


def memo_of(settings: Settings) -> Memo:
    """Of the settings' catalog: the same as of its folder, where it is on this machine. Raises InvalidName."""
    location = Location.parse(settings.catalog)
    if location.is_local:
        return memo_of_folder(settings.cache, Path(location.path) / settings.path)
    name = f"{settings.catalog} {settings.path}"
    return Memo(check=Kept(settings.cache.absolute() / "files", name, check=check_together).check)
