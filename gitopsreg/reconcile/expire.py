"""What becomes of packages that have been archived for long enough: their bytes are let go, what they were is kept."""

from dataclasses import replace
from datetime import datetime, timedelta

from gitopsreg.index.model import ModulePackage, Package
from gitopsreg.reconcile.apply import Record
from gitopsreg.reconcile.backoff import stamp


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


def _discarded(record: Record, when: str) -> Record:
    return record if record.discarded else replace(record, discarded=when)
