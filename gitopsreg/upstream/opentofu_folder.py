"""A registry laid out like opentofu/registry that lies on this machine: a folder as it is, or a repository's newest
commit where there is no working tree. Writes nothing, asks nobody.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gitopsreg.errors import ConfigError, IntegrityError, UpstreamUnavailable, quoted
from gitopsreg.transport.git import Repository
from gitopsreg.transport.tree import TreeEntry
from gitopsreg.upstream.opentofu_git_layout import File, Layout, Surveyor

_TOPS = ("modules", "providers")


@dataclass(frozen=True, slots=True)
class OpentofuFolder:
    """`layout` is what lies where. A file's `oid` is its blob's id, or its path where there is no Git."""

    layout: Layout
    _kept: "_Disk | Repository"

    def read(self, file: File, *, limit: int) -> bytes:
        """Raises IntegrityError (`TooLarge`) above `limit` bytes, UpstreamUnavailable when it can't be read."""
        return self._kept.read(file.oid, limit=limit)


def open_folder(place: Path) -> OpentofuFolder:
    """Raises ConfigError where there is no such registry, or it can't be listed."""
    try:
        if any((place / top).is_dir() for top in _TOPS):
            disk = _Disk(place)
            return OpentofuFolder(Surveyor().layout(disk, ""), disk)
        repository = _repository(place)
        layout = Surveyor().layout(repository, repository.commit(repository.resolve("HEAD")).tree)
    except PermissionError as error:
        where = quoted(str(error.filename or place))
        raise ConfigError(
            f"{where} can't be read: permission denied: let the user with id {os.geteuid()} read it"
        ) from error
    except (UpstreamUnavailable, IntegrityError, OSError) as error:
        raise ConfigError(
            f"{quoted(str(place))} can't be read as a registry: name a folder that holds modules/ and providers/ as "
            f"opentofu/registry does, or a repository of it ({error})"
        ) from error
    if not layout.entries:
        raise ConfigError(f"the newest commit of {quoted(str(place))} holds no modules/ and no providers/")
    return OpentofuFolder(layout, repository)


def origin_of(place: Path) -> str | None:
    """Where the clone at `place` came from; None when it is no clone, or does not say."""
    try:
        return _repository(place).remote_url("origin")
    except UpstreamUnavailable:
        return None


def _repository(place: Path) -> Repository:
    """With a working tree, or bare. Raises UpstreamUnavailable."""
    try:
        return Repository(place / ".git")
    except UpstreamUnavailable:
        return Repository(place)


class _Disk:
    """Folders in the place of trees: the id of each is its path below `root`. Links are not followed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def subtree(self, tree: str, path: str) -> str | None:
        inner = f"{tree}/{path}" if tree else path
        return inner if (self._root / inner).is_dir() else None

    def folders(self, tree: str) -> dict[str, str]:
        return {entry.name: f"{tree}/{entry.name}" for entry in self._scan(tree) if entry.is_dir(follow_symlinks=False)}

    def walk(self, tree: str, *, depth: int = 32) -> Iterator[TreeEntry]:
        for path in self._below(tree, "", depth):
            yield TreeEntry(path=path, mode="file", oid=f"{tree}/{path}")

    def read(self, oid: str, *, limit: int) -> bytes:
        try:
            with (self._root / oid).open("rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise UpstreamUnavailable(f"{quoted(oid)} can't be read: {error.strerror or error}") from error
        if len(data) > limit:
            raise IntegrityError(f"{quoted(oid)} has more than {limit:,} bytes", reason="TooLarge")
        return data

    def _below(self, tree: str, prefix: str, depth: int) -> Iterator[str]:
        for entry in self._scan(f"{tree}/{prefix}" if prefix else tree):
            path = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.is_file(follow_symlinks=False):
                yield path
            elif entry.is_dir(follow_symlinks=False) and depth:
                yield from self._below(tree, path, depth - 1)

    def _scan(self, tree: str) -> list[os.DirEntry[str]]:
        with os.scandir(self._root / tree) as entries:
            return sorted(entries, key=lambda entry: os.fsencode(entry.name))
