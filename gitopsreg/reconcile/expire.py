"""What becomes of packages that have been archived for long enough: their bytes are let go, what they were is kept."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from gitopsreg.index.model import ModulePackage, Package
from gitopsreg.reconcile.apply import Record
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.plan import Change


def expire(package: Package, archive_for: timedelta | None, now: datetime) -> Package:
    """The package, its versions discarded once it was archived for `archive_for` (None: never).

    The moment written is the one when the time was up, whenever this is noticed: the same catalog, the same index.
    """
    if archive_for is None or package.archived is None:
        return package
    due = datetime.fromisoformat(package.archived) + archive_for
    if now < due or all(version.discarded for version in package.versions):
        return package
    if isinstance(package, ModulePackage):
        return replace(package, versions=tuple(_discarded(version, stamp(due)) for version in package.versions))
    return replace(package, versions=tuple(_discarded(version, stamp(due)) for version in package.versions))


def letting_go(published: Iterable[Package], archive_for: timedelta | None, now: datetime) -> Iterator[Change]:
    """What a plan says of packages that the catalog no longer declares and whose time is up."""
    for package in published:
        if expire(package, archive_for, now) != package:
            note = f"its bytes are let go: archived since {package.archived} (archiveFor), its versions are remembered"
            yield Change(address=str(package.address), action="change", notes=(note,), marks=("removal",))


def _discarded(record: Record, when: str) -> Record:
    return record if record.discarded else replace(record, discarded=when)
