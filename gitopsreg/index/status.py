"""How it goes: what the reconciler last tried, and how that went. Written freely, never part of the index digest.

Times are RFC 3339 in UTC with seconds (`2026-10-01T12:00:00Z`).
"""

from dataclasses import dataclass

from gitopsreg.model.address import PackageAddress
from gitopsreg.model.condition import Condition, is_well


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFailure:
    """One version that could not be published, with its own back-off."""

    version: str
    reason: str
    message: str
    attempts: int
    next_retry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageStatus:
    """One declaration. `skip_key` covers everything that fed the last result; `attempts` counts failures in a row.

    `listed` are the versions that clients see; `marks` are (version, word) of those about which there is more to say:
    yanked (and still listed), hidden, archived, blocked. `skipped` are (ref, reason) pairs. `origin` is what a package
    is called in a registry where it was found ("" for all others).
    """

    address: PackageAddress
    path: str
    conditions: tuple[Condition, ...]
    listed: tuple[str, ...] = ()
    marks: tuple[tuple[str, str], ...] = ()
    revision: str = ""
    last_attempt: str = ""
    next_attempt: str = ""
    attempts: int = 0
    failures: tuple[VersionFailure, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    skip_key: str = ""
    origin: str = ""

    @property
    def is_well(self) -> bool:
        return is_well(self.conditions)

    def is_due(self, now: str) -> bool:
        """Whether it has a time to be tried again, and that has come (or nobody can know, since a clock went back)."""
        return bool(self.next_attempt) and (self.next_attempt <= now or self.last_attempt > now)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamStatus:
    """An upstream of many packages, which are looked at all at once. `state` is the newest that was seen; `attempts`
    counts failures in a row. `condition` is its Ready.
    """

    url: str
    state: str
    condition: Condition
    last_attempt: str
    next_attempt: str
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryStatus:
    """One discovery. `found` counts the packages that it chooses upstream, `declared` those of them that have a file of
    their own, `published` what is served of what it found.

    `pending` are addresses that wait for a person, `skipped` (name there, reason) pairs: the first of them, and how
    many more there are.
    """

    path: str
    conditions: tuple[Condition, ...]
    found: int = 0
    declared: int = 0
    published: int = 0
    pending: tuple[str, ...] = ()
    more_pending: int = 0
    skipped: tuple[tuple[str, str], ...] = ()
    more_skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """What the next run has to find as it was left to know that there is nothing to do: `mark` names all that decides.
    `packages` counts those that are served.
    """

    mark: str
    packages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySummary:
    """The registry as a whole. `blocked_plan` is the digest to approve while a guard holds a publish back.

    `idle` are (kind, path) of sound declarations that this release does not act on.
    """

    conditions: tuple[Condition, ...] = ()
    attempted_revision: str = ""
    applied_revision: str = ""
    snapshot: str = ""
    last_attempt: str = ""
    next_attempt: str = ""
    blocked_plan: str = ""
    idle: tuple[tuple[str, str], ...] = ()
    upstreams: tuple[UpstreamStatus, ...] = ()
    discoveries: tuple[DiscoveryStatus, ...] = ()
    resting: Resting | None = None
