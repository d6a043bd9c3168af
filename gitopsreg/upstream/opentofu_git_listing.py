"""The versions that one package's file lists, each with its record or the reason why it is skipped. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gitopsreg.errors import InvalidName
from gitopsreg.index.model import ModuleVersion, ProviderVersion
from gitopsreg.model.quick import quick
from gitopsreg.model.version import Version
from gitopsreg.upstream.base import Found, Skipped
from gitopsreg.upstream.opentofu_git_reading import mapping, shown

_MOST_SKIPPED = 1_000

Record = ModuleVersion | ProviderVersion


@dataclass(frozen=True, slots=True)
class Source:
    """Where a listing is read: the registry's repository, the commit that was looked at, and its time."""

    url: str
    commit: str
    time: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One version as the file has it; `record` is how it is published by reference."""

    tag: str
    record: Record

    @property
    def is_whole(self) -> bool:
        """Whether the tag is the version itself, but for a "v" in front."""
        return self.tag.removeprefix("v") == self.record.version.text

    @property
    def found(self) -> Found:
        record, origin = self.record, self.record.origin
        keys = record.keys if isinstance(record, ProviderVersion) else None
        return Found(version=record.version, ref=origin.ref, commit=origin.commit, tree=origin.tree, keys=keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one file says; `listed` is sorted, oldest first. `held` is there too, and not let in by the declaration."""

    listed: Mapping[Version, Listed]
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()
    held: tuple[Listed, ...] = ()


def with_skipped(listing: Listing, skipped: tuple[Skipped, ...]) -> Listing:
    return replace(listing, skipped=(*skipped, *listing.skipped)) if skipped else listing


def collect(
    entries: Iterable[Any], read: Callable[[dict[str, Any]], Listed]
) -> tuple[dict[Version, Listed], list[Skipped]]:
    """The versions among a file's entries; `read` raises InvalidName for one that can't be served.

    Of entries that name one version (`v1.0.0` and `1.0.0`) the last counts, as the original's own answers have it, and
    before one that is written short (`1.0`). Of
    versions that differ only in build metadata the first in order is kept: clients can't tell them apart.
    """
    listed: dict[Version, Listed] = {}
    skipped: list[Skipped] = []
    for entry in entries:
        try:
            item = read(mapping(entry, "the entry"))
        except InvalidName as error:
            skipped.append(Skipped(ref=shown(entry), reason=str(error)))
            continue
        version = item.record.version
        counts, other = _of_two(listed[version], item) if version in listed else (item, None)
        if other is not None:
            skipped.append(Skipped(ref=other.tag, reason=f'"{counts.tag}" names the version {version} too, and counts'))
        listed[version] = counts
    kept = _without_twins(listed, skipped)
    skipped.sort(key=lambda one: one.ref)
    return kept, skipped[:_MOST_SKIPPED]


def _of_two(earlier: Listed, later: Listed) -> tuple[Listed, Listed]:
    """(the one that counts, the other): the last, unless only the first is written with all three parts."""
    return (earlier, later) if earlier.is_whole and not later.is_whole else (later, earlier)


def _without_twins(listed: Mapping[Version, Listed], skipped: list[Skipped]) -> dict[Version, Listed]:
    kept: dict[Version, Listed] = {}
    first: dict[str, Version] = {}
    for version in sorted(listed):
        other = first.setdefault(version.without_build, version)
        if other is version:
            kept[version] = listed[version]
        else:
            reason = f"{version} differs from {other} in build metadata only: that one is kept"
            skipped.append(Skipped(ref=listed[version].tag, reason=reason))
    return kept
