"""Read again what is served, on a slow cycle, and compare every byte with what was published.

It may stop anywhere, and the next one goes on there. What is damaged is repaired from upstream, once for each state of
the catalog, so that healing can't loop.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gitopsreg.errors import StorageError
from gitopsreg.index.care import FoundFault, ScrubFigures, read_care, write_scrubbed
from gitopsreg.index.check import looked_at
from gitopsreg.index.contents import Place
from gitopsreg.index.fault import Faults, what_of
from gitopsreg.index.head import Head, read_head
from gitopsreg.index.progress import Progress, Unwatched
from gitopsreg.index.retained import in_force
from gitopsreg.index.side_by_side import side_by_side
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.heal import Occasion, heal, wrong
from gitopsreg.reconcile.pace import Pace
from gitopsreg.reconcile.repair import Repair
from gitopsreg.reconcile.scrub_cycle import Target, targets
from gitopsreg.storage.base import BlobStore

_JOBS = 4
# A scrub that is killed looks again at so many objects at most.
_SAVED_EVERY = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """What one scrub did; `figures` are those of its cycle, with the faults that are left. `read` in bytes."""

    figures: ScrubFigures
    checked: int = 0
    read: int = 0
    repaired: int = 0
    whole: bool = False


def scrub(
    stores: Mapping[str, BlobStore],
    *,
    now: datetime,
    repair: Repair | None = None,
    pace: Pace | None = None,
    everything: bool = False,
    jobs: int = _JOBS,
    progress: Progress | None = None,
) -> Scrubbed:
    """Go on with the cycle until it ends or the pace says so.

    `everything` begins a cycle, and tries again to repair what could not be repaired. Raises StorageError for a store
    that does not answer; a document of the index that can't be read is a fault like any other.
    """
    own = stores[""]
    head = read_head(own)
    if head is None:
        return Scrubbed(figures=ScrubFigures(), whole=True)
    known = read_care(own).scrubbed or ScrubFigures()
    round_ = _Round(stores, head, stamp(now), pace or Pace(), jobs, progress or Unwatched())
    figures = round_.walk(_begun(known, round_.now, everything=everything))
    occasion = Occasion(now=now, revision=head.revision, anyway=everything)
    left = heal(figures.faults, stores, repair, occasion)
    repaired = len(figures.faults) - len(left)
    figures = replace(figures, faults=left, repaired=figures.repaired + repaired)
    write_scrubbed(own, figures)
    return Scrubbed(figures=figures, checked=round_.checked, read=round_.read, repaired=repaired, whole=round_.whole)


def _begun(known: ScrubFigures, now: str, *, everything: bool) -> ScrubFigures:
    """The figures to go on with: those of a new cycle when the last one is over."""
    if known.package and not everything:
        return known
    return ScrubFigures(started=now, finished=known.finished, faults=known.faults)


class _Round:
    """One walk through a part of the cycle."""

    def __init__(
        self, stores: Mapping[str, BlobStore], head: Head, now: str, pace: Pace, jobs: int, progress: Progress
    ) -> None:
        self.now = now
        self.checked = 0
        self.read = 0
        self.whole = False
        self._stores = stores
        self._head = head
        self._pace = pace
        self._jobs = jobs
        self._progress = progress
        self._noted = Faults()
        self._faults: dict[tuple[str, str, str], FoundFault] = {}

    def walk(self, begun: ScrubFigures) -> ScrubFigures:
        """The figures after it; what was known to be wrong and is well now is in them no more."""
        self._progress.working("Reading what is served", None)
        # Somebody may have mended these since: then they are not looked for in the rest of the cycle.
        self._faults = {_identity(fault): fault for fault in begun.faults if wrong(fault, self._stores)}
        figures = begun
        with side_by_side(self._look, self._targets(begun), jobs=self._jobs) as looks:
            for target, error in looks:
                self._note(target, error)
                figures = replace(begun, package=target.package, key=target.place.key)
                if self.checked % _SAVED_EVERY == 0:
                    write_scrubbed(self._stores[""], self._told(figures))
        return self._ended(self._told(figures)) if self.whole else self._told(figures)

    def _told(self, figures: ScrubFigures) -> ScrubFigures:
        return replace(
            figures,
            checked=figures.checked + self.checked,
            read=figures.read + self.read,
            faults=tuple(self._faults.values()),
        )

    def _ended(self, figures: ScrubFigures) -> ScrubFigures:
        """What this cycle did not see any more is named by nothing now, unless a damaged document hides it."""
        hidden = any(not fault.package for fault in figures.faults)
        faults = tuple(fault for fault in figures.faults if hidden or fault.seen >= figures.started)
        return replace(figures, finished=self.now, package="", key="", faults=faults)

    def _targets(self, begun: ScrubFigures) -> Iterator[Target]:
        own, roots = self._stores[""], in_force(self._head)
        for target in targets(own, roots, package=begun.package, key=begun.key, heed=self._heed, jobs=self._jobs):
            if self._pace.spent:
                return
            yield target
        self.whole = True

    def _look(self, target: Target) -> tuple[Target, StorageError | None]:
        if target.blob is None:
            self._pace(target.size)
            return target, target.error
        return target, looked_at(self._stores, target.place, target.blob, pace=self._pace)

    def _heed(self, place: Place, error: StorageError | None) -> None:
        """How a root or a shard was found."""
        self._note(Target(package="", place=place), error)

    def _note(self, target: Target, error: StorageError | None) -> None:
        self.checked += 1
        self.read += target.size
        self._progress.worked(target.package, target.size)
        self._noted.note(target.place, error)
        if error is None:
            return
        fault = FoundFault(
            backend=target.place.backend,
            key=target.place.key,
            what=what_of(error),
            message=str(error),
            seen=self.now,
            package=target.package,
            version=target.version,
        )
        before = self._faults.get(_identity(fault))
        if before is not None:
            fault = replace(before, what=fault.what, message=fault.message, seen=self.now)
        self._faults[_identity(fault)] = fault


def _identity(fault: FoundFault) -> tuple[str, str, str]:
    return fault.package, fault.version, fault.key
