"""A run up to the point where it would fetch: the catalog read, upstreams asked, the plan made.

It is given a store without a way to write, so that planning can't publish.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from gitopsreg.catalog.commit import CatalogCheckout
from gitopsreg.catalog.load import Loaded, Memo, load
from gitopsreg.errors import CheckoutFailed, UpstreamUnavailable
from gitopsreg.index import repository
from gitopsreg.index.census import served
from gitopsreg.index.model import Snapshot
from gitopsreg.index.status import RegistrySummary
from gitopsreg.index.status_store import read_status
from gitopsreg.index.statuses import RegistryStatus
from gitopsreg.model.catalog import Part, parts_of
from gitopsreg.model.declaration import PackageDeclaration
from gitopsreg.reconcile.around import around
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.discover import Discoverer
from gitopsreg.reconcile.due import Schedule
from gitopsreg.reconcile.events import Reporter
from gitopsreg.reconcile.expire import letting_go
from gitopsreg.reconcile.late import LateComers
from gitopsreg.reconcile.look import Look, Lookout, intervals
from gitopsreg.reconcile.plan import Change, Totals, make_plan
from gitopsreg.reconcile.resolve import Resolution, Visit, resolve
from gitopsreg.reconcile.run import Last, Prepared
from gitopsreg.reconcile.search import Search
from gitopsreg.storage.base import BlobReader
from gitopsreg.upstream.base import Gathering, Upstream

# Of a larger registry the documents of packages are read when they are needed: a run touches few of them.
_AHEAD = 1_000

UpstreamFor = Callable[[PackageDeclaration, CatalogCheckout], Upstream]
GatheringFor = Callable[[str], Gathering]


def no_gathering(url: str) -> Gathering:
    """Where catalogs have no upstream of many packages."""
    raise UpstreamUnavailable(f'nothing here reads "{url}"')


class CatalogSource(Protocol):
    """The catalog's repository. `poll` and `read` use the network and raise CheckoutFailed. `path` is the catalog root
    inside it, "" for its top.
    """

    @property
    def path(self) -> str: ...

    def poll(self) -> str:
        """The newest commit, 40 hex digits, cheaply: nothing is fetched."""

    def read(self) -> CatalogCheckout:
        """The newest commit's files; fetched only when the ref moved."""

    def at(self, revision: str) -> CatalogCheckout | None:
        """A revision that was read before, without the network, also by an earlier process; None if it is not here."""


class GivenCatalog:
    """One state of the catalog that is at hand: a commit of a clone, or its working tree."""

    def __init__(self, checkout: CatalogCheckout) -> None:
        self._checkout = checkout
        self.path = checkout.files.root.strip("/")

    def poll(self) -> str:
        return self._checkout.commit.oid

    def read(self) -> CatalogCheckout:
        return self._checkout

    def at(self, revision: str) -> CatalogCheckout | None:
        return self._checkout if revision == self._checkout.files.revision else None


class Planner:
    """Holds the files that were parsed, so that the next run is cheap."""

    def __init__(
        self,
        catalog: CatalogSource,
        upstream_for: UpstreamFor,
        reader: BlobReader,
        *,
        now: Callable[[], datetime],
        reporter: Reporter,
        jobs: int = 8,
        memo: Memo | None = None,
        late: LateComers | None = None,
        gathering_for: GatheringFor = no_gathering,
    ) -> None:
        self._catalog = catalog
        self._upstream_for = upstream_for
        self._reader = reader
        self._now = now
        self._reporter = reporter
        self._jobs = jobs
        self._memo = memo or Memo()
        self._late = late or LateComers()
        self._lookout = Lookout(gathering_for)
        self._discoverer = Discoverer()

    @property
    def has_news(self) -> bool:
        """Whether a look that was late is done."""
        return self._lookout.arrived

    def prepare(
        self,
        *,
        everything: bool = True,
        force: bool = False,
        last: Last | None = None,
        only: Collection[str] | None = None,
    ) -> Prepared:
        """`last` is what this process knows since its last run, `only` the addresses to look at (all without it).

        Raises CheckoutFailed and StorageError.
        """
        now = self._now()
        head = repository.read_head(self._reader)
        known = last.snapshot if last else None
        base = repository.load(self._reader, head.newest, known=known, ahead=_AHEAD) if head else None
        checkout, unreachable = self._checkout(base)
        self._reporter.started(checkout.files.revision)
        loaded = load(checkout.files, memo=self._memo)
        status = read_status(self._reader, known=last.status if last else None)
        looks = self._look(loaded, status, everything=everything, now=now)
        loaded, searches = self._discover(loaded, looks, base, status)
        is_about = _is_about(status, base)
        schedule = Schedule(
            known=status.packages if is_about else {},
            now=stamp(now),
            everything=everything,
            force=force,
            settled=last.settled(base, status) if last and is_about else {},
            looks=looks,
        )
        if not _is_closed(loaded) and (outdated := schedule.outdated(loaded.catalog)):
            looks = {**looks, **self.look(outdated, status, now)}
            schedule = replace(schedule, looks=looks)
        count = last.served_by(base) if last else served(base)
        published = base.packages if base else {}
        visit = Visit(published=published, schedule=schedule, answers=self._late.answers(), busy=self._late.busy)
        resolution = self._resolve(loaded, checkout, visit, only)
        self._late.expect_answers(resolution.late)
        plan = make_plan(
            [item.draft for item in resolution.resolved],
            revision=loaded.catalog.revision,
            time=loaded.catalog.time,
            guards=loaded.catalog.registry.guards,
            more=() if _is_closed(loaded) else _beside(base, loaded, resolution, schedule.settled, now),
            totals=None if only is not None else Totals(served=count, declared=len(loaded.catalog)),
        )
        return Prepared(
            now=now,
            checkout=checkout,
            loaded=loaded,
            head=head,
            base=base,
            known=status,
            resolved=resolution.resolved,
            plan=plan,
            looks=tuple(looks.values()),
            searches=searches,
            unreachable=unreachable,
            settled=schedule.settled,
            served=count,
        )

    def _look(self, loaded: Loaded, known: RegistryStatus, *, everything: bool, now: datetime) -> dict[str, Look]:
        return {} if _is_closed(loaded) else self.look(intervals(loaded.catalog), known, now, everything=everything)

    def look(
        self, urls: Iterable[str], known: RegistrySummary, now: datetime, *, everything: bool = True
    ) -> dict[str, Look]:
        """Look at these upstreams of many packages: all of them, or those that are due."""
        return self._lookout.at(
            urls,
            known.upstreams,
            now=stamp(now),
            everything=everything,
            patience=self._late.patience,
            wake=self._late.wake,
        )

    def _discover(
        self, loaded: Loaded, looks: Mapping[str, Look], base: Snapshot | None, known: RegistryStatus
    ) -> tuple[Loaded, tuple[Search, ...]]:
        """The catalog with what its discoveries find."""
        if _is_closed(loaded):
            return loaded, ()
        catalog, searches = self._discoverer.discover(loaded.catalog, looks, base, known.packages)
        return replace(loaded, catalog=catalog), searches

    def _checkout(self, base: Snapshot | None) -> tuple[CatalogCheckout, CheckoutFailed | None]:
        """The newest commit, or while its host is gone the published one: upstreams go on being followed."""
        try:
            return self._catalog.read(), None
        except CheckoutFailed as error:
            published = self._catalog.at(base.root.revision) if base else None
            if published is None:
                raise
            return published, error

    def _resolve(
        self, loaded: Loaded, checkout: CatalogCheckout, visit: Visit, only: Collection[str] | None
    ) -> Resolution:
        catalog = loaded.catalog
        if _is_closed(loaded):
            return Resolution(())
        if only is not None:
            finders = {each.path for each in catalog.discoveries if f"discovery:{each.namespace}/{each.name}" in only}
            wanted = tuple(one for one in catalog.packages if str(one.address) in only or one.path in finders)
            catalog = replace(catalog, parts=parts_of(wanted, catalog.invalid, catalog.namespaces))
        return resolve(
            catalog,
            visit,
            lambda declaration: self._upstream_for(declaration, checkout),
            jobs=self._jobs,
            patience=self._late.patience,
            reporter=self._reporter,
        )


def _is_about(status: RegistryStatus, base: Snapshot | None) -> bool:
    """Whether the status tells of what is published. An index that was lost, or restored from a copy, has an older
    state than the status: whoever believed that would never publish the difference.
    """
    return status.snapshot == (base.digest.hex if base else "")


def _beside(
    base: Snapshot | None, loaded: Loaded, resolution: Resolution, settled: Mapping[str, Part], now: datetime
) -> Iterator[Change]:
    """What changes though no declaration of a package does."""
    yield from around(base.root if base else None, loaded.catalog, settled)
    gone = [item.draft.published for item in resolution.resolved if item.state == "removed" and item.draft.published]
    yield from letting_go(gone, loaded.catalog.registry.archive_for, now)


def _is_closed(loaded: Loaded) -> bool:
    """Whether nothing may be published, whatever it is."""
    return bool(loaded.registry_broken) or loaded.catalog.registry.suspend
