"""A provider's release files as they lie in a directory, not yet committed. Follows no links, writes nothing."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gitopsreg.errors import ConfigError, InvalidName, quoted
from gitopsreg.model.address import Platform
from gitopsreg.model.version import Version
from gitopsreg.upstream.provider_release import ReleaseFile

_SUMS = re.compile(r"terraform-provider-(?P<type>[^_]+)_(?P<version>[^_]+)_SHA256SUMS")
_PIECE = 1024 * 1024
_MOST = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFolder:
    """One version's files; `type` and `version` are what the name of its SHA256SUMS says."""

    folder: Path
    type: str
    version: Version
    files: dict[str, ReleaseFile]

    @property
    def platforms(self) -> frozenset[Platform]:
        """Those that it has a zip for."""
        prefix = f"terraform-provider-{self.type}_{self.version}_"
        names = (name.removesuffix(".zip") for name in self.files if name.endswith(".zip"))
        return frozenset(_platforms(name.removeprefix(prefix) for name in names if name.startswith(prefix)))


def find_releases(folder: Path) -> tuple[ReleaseFolder, ...]:
    """The release that lies in the folder, or those in the folders right below it, oldest first.

    Raises ConfigError when there is none, or when what is there is not one provider's.
    """
    here = _read(folder)
    found = [here] if here else [one for sub in _folders(folder) if (one := _read(sub))]
    if not found:
        raise ConfigError(
            f"{quoted(str(folder))} holds no release: put terraform-provider-TYPE_VERSION_SHA256SUMS, its .sig and the "
            "zips there, or into one folder a version below it"
        )
    types = sorted({one.type for one in found})
    if len(types) > 1:
        raise ConfigError(f"{quoted(str(folder))} holds releases of {' and '.join(types)}: name one provider's folder")
    return tuple(sorted(found, key=lambda one: one.version))


def _read(folder: Path) -> ReleaseFolder | None:
    with os.scandir(folder) as entries:
        plain = {entry.name: entry for entry in entries if entry.is_file(follow_symlinks=False)}
    sums = [match for name in sorted(plain) if (match := _SUMS.fullmatch(name))]
    if not sums:
        return None
    if len(sums) > 1:
        raise ConfigError(f"{quoted(str(folder))} holds {len(sums)} releases: each version needs a folder of its own")
    try:
        version = Version.parse(sums[0]["version"])
    except InvalidName as error:
        raise ConfigError(f"{quoted(sums[0][0])}: {error}") from error
    files = {name: _file(folder / name, entry.stat(follow_symlinks=False).st_size) for name, entry in plain.items()}
    return ReleaseFolder(folder=folder, type=sums[0]["type"], version=version, files=files)


def _folders(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        found = sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    return found[:_MOST]


def _file(path: Path, size: int) -> ReleaseFile:
    return ReleaseFile(name=path.name, size=size, open=lambda: _pieces(path))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _platforms(names: Iterator[str]) -> Iterator[Platform]:
    for name in names:
        try:
            yield Platform.parse(name)
        except InvalidName:
            continue
