"""Remove what no retained snapshot names, once it is older than a grace time.

Always true here, whoever publishes meanwhile: nothing that a snapshot in force names is removed. Marking is complete or
nothing is removed. What a publisher is about to name is young, since it writes anew whatever lies there unnamed for
longer than FRESH; what it writes anew after it was listed is refused to `delete`; and a publish that was built before
the marks were taken starts over, because the head is fenced. The one gap is a store that can't delete "only while it is
the same write" (S3): there a deletion must not be on its way for longer than the lease (docs/storage.md).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from gitopsreg.errors import ConfigError, PublishConflict
from gitopsreg.index import codec
from gitopsreg.index.care import CollectFigures, write_collected
from gitopsreg.index.head import Head, move_head, read_head
from gitopsreg.index.held import Held
from gitopsreg.index.keys import root_key
from gitopsreg.index.model import Retention
from gitopsreg.index.named import Named, named
from gitopsreg.index.progress import Progress, Unwatched
from gitopsreg.index.retained import Retained, remember_cut, retained
from gitopsreg.index.side_by_side import JOBS, side_by_side
from gitopsreg.index.walk import read_document
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.claim import claim, is_anothers, is_free
from gitopsreg.reconcile.sync import FRESH
from gitopsreg.storage.base import BlobStore, Stored

LEAST_GRACE = timedelta(seconds=2 * FRESH)
_DEFAULT = Retention(snapshots=10, grace=30 * 24 * 60 * 60)
_RACES = 5
# Removed between two looks at the lease.
_BATCH = 256
# Roots first: a history that is cut in the middle of a collection is cut cleanly.
_DOCUMENTS = ("index/roots/", "index/shards/", "index/packages/")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CLOCK = "status/care/clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a collection did. `young` objects are unnamed and wait for their grace time to end; `freed` in bytes.

    `snapshots` are retained. `left_alone` are back ends that another registry claimed, or that the settings don't name,
    and folders ("backend/folder") that lie in another registry's own store.
    """

    snapshots: int = 0
    kept: int = 0
    young: int = 0
    removed: int = 0
    freed: int = 0
    left_alone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """What one collection works by, once it is settled."""

    head: Head
    kept: Retained
    named: Named
    grace: float


@dataclass(slots=True)
class _Tally:
    kept: int = 0
    young: int = 0
    removed: int = 0
    freed: int = 0


def collect(
    stores: Mapping[str, BlobStore],
    lease: Held,
    *,
    now: datetime,
    keep: int | None = None,
    grace: timedelta | None = None,
    least: timedelta = LEAST_GRACE,
    dry_run: bool = False,
    take_over: bool = False,
    jobs: int = JOBS,
    progress: Progress | None = None,
) -> Collected:
    """Collect in all `stores` ("" is the registry's own) while the lease is held.

    `keep` snapshots and `grace` are those of the published registry unless they are given. A store without a published
    index is left as it is. Raises ConfigError for a grace time under `least`, PublishConflict when others publish all
    the time, StorageError for anything that can't be read while marking, and what the lease raises when it is lost.
    """
    if grace is not None and grace < least:
        hours = least / timedelta(hours=1)
        raise ConfigError(f'a grace of "{grace}" would endanger what is being published: give {hours:g}h or more')
    for _ in range(_RACES):
        terms = _terms(stores[""], keep, grace, least, jobs)
        if terms is None:
            return Collected()
        work = _Collection(stores, lease, terms, dry_run=dry_run, jobs=jobs, progress=progress or Unwatched())
        try:
            collected = work.run(take_over=take_over)
        except PublishConflict:  # published since the marks were taken, and nothing was removed yet
            continue
        if not dry_run:
            figures = CollectFigures(
                when=stamp(now), kept=collected.kept, removed=collected.removed, freed=collected.freed
            )
            write_collected(stores[""], figures)
        return collected
    raise PublishConflict(f"others published meanwhile, {_RACES} times in a row: collect again later")


def _terms(own: BlobStore, keep: int | None, grace: timedelta | None, least: timedelta, jobs: int) -> _Terms | None:
    head = read_head(own)
    if head is None:
        return None
    said = codec.decode_root(read_document(own, root_key(head.root))).retention or _DEFAULT
    kept = retained(own, head, keep or said.snapshots)
    seconds = grace.total_seconds() if grace is not None else max(said.grace, least.total_seconds())
    return _Terms(head=head, kept=kept, named=named(own, kept.roots, jobs=jobs), grace=seconds)


class _Collection:
    """One try: it ends with PublishConflict when somebody published before anything was removed."""

    def __init__(
        self,
        stores: Mapping[str, BlobStore],
        lease: Held,
        terms: _Terms,
        *,
        dry_run: bool,
        jobs: int,
        progress: Progress,
    ) -> None:
        self._stores = stores
        self._lease = lease
        self._terms = terms
        self._dry_run = dry_run
        self._jobs = jobs
        self._progress = progress
        self._fenced = False
        self._tally = _Tally()
        self._strange: set[str] = set()
        # By digest alone, not by place: two names of back ends may mean the same folder.
        self._marked = {raw for shelf in terms.named.blobs.values() for raw in shelf}

    def run(self, *, take_over: bool) -> Collected:
        ours = {name for name in self._stores if name == "" or self._is_ours(name, take_over=take_over)}
        # All before the fence: what a publish behind it finds FRESH is younger than any of these.
        horizons = {name: _clock(self._stores[name]) - self._terms.grace for name in sorted(ours)}
        self._progress.working("Looking for what nothing names", None)
        for name, horizon in horizons.items():
            self._sweep(name, horizon)
        named_by = {shelf.backend for shelf in self._terms.named.blobs}
        tally = self._tally
        return Collected(
            snapshots=len(self._terms.kept.chain),
            kept=tally.kept,
            young=tally.young,
            removed=tally.removed,
            freed=tally.freed,
            left_alone=tuple(sorted(((self._stores.keys() | named_by) - ours) | self._strange)),
        )

    def _is_ours(self, name: str, *, take_over: bool) -> bool:
        own, other = self._stores[""], self._stores[name]
        return is_free(own, other) if self._dry_run else claim(own, other, take_over=take_over)

    def _sweep(self, name: str, horizon: float) -> None:
        garbage = self._garbage(name, horizon)
        while batch := list(islice(garbage, _BATCH)):
            self._lease.check()
            if not self._dry_run:
                self._raise_fence()
            with side_by_side(lambda stored: self._remove(name, stored), batch, jobs=self._jobs) as removals:
                for freed in removals:
                    self._tally.removed += freed is not None
                    self._tally.freed += freed or 0

    def _garbage(self, name: str, horizon: float) -> Iterator[Stored]:
        """Listed, named by nothing retained, and older than the horizon by the store's own clock."""
        for stored in _listed(self._stores[name], self._prefixes(name)):
            if self._is_named(stored.key):
                self._tally.kept += 1
            elif stored.modified > horizon:
                self._tally.young += 1
            else:
                yield stored
            self._progress.worked(stored.key)

    def _prefixes(self, name: str) -> list[str]:
        """Where we write in this back end; nothing else is looked at."""
        own, other = self._stores[""], self._stores[name]
        folders = sorted({shelf.folder for shelf in self._terms.named.blobs if shelf.backend == name} | {""})
        strange = [folder for folder in folders if is_anothers(own, other, folder)]
        self._strange.update(f"{name or 'primary'}/{folder}" for folder in strange)
        folders = [folder for folder in folders if folder not in strange]
        blobs = [f"{folder}/blobs/" if folder else "blobs/" for folder in folders]
        return [*_DOCUMENTS, *blobs] if name == "" else blobs

    def _is_named(self, key: str) -> bool:
        folder, _, digest = key.rpartition("/")
        if f"{folder}/" in _DOCUMENTS:
            return key in self._terms.named.documents
        return bytes.fromhex(digest) in self._marked

    def _raise_fence(self) -> None:
        """Before the first removal: the head anew, with the same root."""
        if not self._fenced:
            head = self._terms.head
            # The cut first: whoever moves the head behind the fence must not go back to what is let go here.
            remember_cut(self._stores[""], self._terms.kept)
            move_head(self._stores[""], head.moved(fence=self._lease.epoch), head=head)
            self._fenced = True

    def _remove(self, name: str, stored: Stored) -> int | None:
        """The bytes that this freed; None when somebody stored it anew."""
        if self._dry_run:
            return stored.size
        self._lease.check()  # where a store can't delete "only while unchanged", no pause may come in between
        if self._stores[name].delete(stored.key, seen=stored):
            return stored.size
        return None


def _listed(store: BlobStore, prefixes: Iterable[str]) -> Iterator[Stored]:
    """What has a name of ours; whatever else lies there is none of our business."""
    for prefix in prefixes:
        for stored in store.listing(prefix):
            if _DIGEST.fullmatch(stored.key.removeprefix(prefix)):
                yield stored


def _clock(store: BlobStore) -> float:
    """The store's own time: what it says of something written now. Clocks of machines may differ as they like."""
    store.put(_CLOCK, b"")
    now = store.stat(_CLOCK).modified
    store.delete(_CLOCK)
    return now
