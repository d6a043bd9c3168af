"""What a run knows before it fetches anything, and how it ended."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from gitopsreg.catalog.load import Loaded
from gitopsreg.catalog.source import CatalogCheckout
from gitopsreg.errors import CheckoutFailed
from gitopsreg.index.census import served
from gitopsreg.index.model import Snapshot
from gitopsreg.index.pointer import Hold
from gitopsreg.index.repository import Head
from gitopsreg.index.status import PackageStatus
from gitopsreg.index.statuses import RegistryStatus
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.catalog import Part, differing
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.look import Look
from gitopsreg.reconcile.plan import Plan
from gitopsreg.reconcile.resolve import Resolved
from gitopsreg.reconcile.search import Search


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a run is asked for: all upstreams whatever their schedule, what is published too, a plan by its digest."""

    everything: bool = False
    force: bool = False
    approve: str | None = None


@dataclass(frozen=True, kw_only=True)  # no slots: what is worked out is kept
class Prepared:
    """A run before anything is fetched or written. `unreachable` is why the catalog read is not the newest.

    `base` is the newest snapshot that was published: what the next one is built on, also while an older one is served.
    `looks` are those at upstreams of many packages, `searches` what discoveries found in them: it is in `loaded` too.

    `settled` are the parts of the catalog as this process last applied them to `base` (none where it did not, or does
    not know), `served` counts the packages of `base` that are.
    """

    now: datetime
    checkout: CatalogCheckout
    loaded: Loaded
    head: Head | None
    base: Snapshot | None
    known: RegistryStatus
    resolved: tuple[Resolved, ...]
    plan: Plan
    looks: tuple[Look, ...] = ()
    searches: tuple[Search, ...] = ()
    unreachable: CheckoutFailed | None = None
    settled: Mapping[str, Part] = field(default_factory=dict)
    served: int = 0

    @property
    def hold(self) -> Hold | None:
        """The one that is in force."""
        return self.head.hold_at(stamp(self.now)) if self.head else None

    @cached_property
    def changes(self) -> list[tuple[Part, Part]]:
        """The parts of the catalog that may not be as they were applied last, before and now."""
        return differing(self.settled, self.loaded.catalog.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """What a process remembers of its last run, so that the next one need not read or compare it again."""

    snapshot: Snapshot | None
    status: RegistryStatus
    served: int
    applied: Mapping[str, Part] = field(default_factory=dict)

    def settled(self, base: Snapshot | None, status: RegistryStatus) -> Mapping[str, Part]:
        """The parts of the catalog that were applied to `base`; none once somebody else published, or told of it."""
        return self.applied if self._is_of(base) and status is self.status else {}

    def served_by(self, base: Snapshot | None) -> int:
        """How many packages of `base` are served."""
        return self.served if self._is_of(base) else served(base)

    def _is_of(self, base: Snapshot | None) -> bool:
        return (base.digest if base else None) == (self.snapshot.digest if self.snapshot else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. `snapshot` is served now (64 hex digits, "" if none); `blocked` says which gate held it back.

    `packages` are those of the newest snapshot that was published.
    """

    revision: str
    snapshot: str
    published: bool
    packages: int
    versions_added: int
    bytes_stored: int
    seconds: float
    status: RegistryStatus
    plan: Plan
    loaded: Loaded
    blocked: str = ""

    @property
    def failed(self) -> tuple[PackageStatus, ...]:
        """Packages that are not as declared; their last good versions are served."""
        return tuple(item for item in self.status.packages.unwell if item.conditions[0].status == "False")


def held_open(prepared: Prepared, waiting: Collection[PackageAddress]) -> Prepared:
    """The run with the packages whose content is still on its way marked as late: due again until it is here."""
    return replace(prepared, resolved=tuple(_held_open(item, waiting) for item in prepared.resolved))


def _held_open(item: Resolved, waiting: Collection[PackageAddress]) -> Resolved:
    return replace(item, state="late", skip_key="") if item.draft.address in waiting else item
