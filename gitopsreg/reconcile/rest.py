"""Whether nothing at all can have changed since the last run: told by commits alone, no declaration is read.

What a run leaves at rest: every package is as declared, nothing waits for its time, and all that feeds it is named by
one commit each (the catalog's, and those of upstreams that many packages share). A module with a repository of its own
is never at rest: whether that has a new tag only it can say.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from gitopsreg import __version__
from gitopsreg.catalog.load import Loaded
from gitopsreg.index import repository
from gitopsreg.index.status import RegistrySummary, Resting
from gitopsreg.index.status_store import read_summary, write_summary
from gitopsreg.index.statuses import PackageStatuses, RegistryStatus, with_packages
from gitopsreg.model.catalog import Catalog
from gitopsreg.model.condition import is_well
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.due import RESOLVER
from gitopsreg.reconcile.look import Look
from gitopsreg.reconcile.plan import Plan
from gitopsreg.reconcile.run import Outcome, Prepared
from gitopsreg.storage.base import BlobStore

# Anything does: no run follows this one in its process.
_INTERVAL = timedelta(minutes=15)


def resting(prepared: Prepared, status: RegistryStatus, served: int) -> Resting | None:
    """What the next run has to find unchanged to have nothing to do; None when there is always something to do.

    `served` counts packages.
    """
    catalog = prepared.loaded.catalog
    is_at_rest = (
        prepared.unreachable is None
        and catalog.registry.archive_for is None
        and not prepared.loaded.errors
        and all(item.condition.status == "True" for item in status.upstreams)
        and not status.packages.unwell
        and all(is_well(item.conditions) for item in status.discoveries)
        and not status.packages.next_attempt
        and all(part.is_told_by_commits for part in catalog.parts.values())
    )
    mark = _mark(prepared.checkout.commit.oid, prepared.checkout.files.root)
    return Resting(mark=mark, packages=served) if is_at_rest else None


def _mark(commit: str, path: str) -> str:
    """What decides all that is read from the catalog."""
    return f"{__version__} {RESOLVER} {commit} {path.strip('/')}"


def at_rest(store: BlobStore, commit: str, path: str) -> RegistrySummary | None:
    """What the last run said, if the catalog and what is published are as it left them."""
    known, head = read_summary(store), repository.read_head(store)
    if known.resting is None or known.resting.mark != _mark(commit, path) or head is None or head.hold:
        return None
    if any(condition.status != "True" or condition.type == "PublishBlocked" for condition in known.conditions):
        return None
    return known if head.root == head.newest and head.root.hex == known.snapshot else None


def have_not_moved(looks: Mapping[str, Look]) -> bool:
    return all(look.state and not look.moved for look in looks.values())


def rested(store: BlobStore, known: RegistrySummary, looks: Mapping[str, Look], began: datetime) -> Outcome:
    """The outcome of a run that had nothing to do, told in the status too. Raises StorageError."""
    upstreams = tuple(filter(None, (look.status(_INTERVAL, began) for look in looks.values())))
    first = min((item.next_attempt for item in upstreams), default="")
    summary = replace(known, upstreams=upstreams, last_attempt=stamp(began), next_attempt=first)
    write_summary(store, summary)
    catalog = Catalog(revision=known.attempted_revision, time="")
    return Outcome(
        revision=known.attempted_revision,
        snapshot=known.snapshot,
        published=False,
        packages=known.resting.packages if known.resting else 0,
        versions_added=0,
        bytes_stored=0,
        seconds=0.0,
        status=with_packages(summary, PackageStatuses()),
        plan=Plan(revision=known.attempted_revision, changes=(), digest=""),
        loaded=Loaded(catalog=catalog, findings=(), files=0),
    )
