"""One run, from the catalog's newest commit to the published index.

Always true here: bytes first, pointer last; a failure leaves the last good index; a run that is repeated finishes the
work of one that was killed. `plan` is the same walk, stopped before anything is fetched or written.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from gitopsreg.catalog.load import Memo
from gitopsreg.errors import CheckoutFailed, LeaseHeld, LostLease, PublishConflict, StorageError
from gitopsreg.index import repository
from gitopsreg.index.link_key import ensure_link_key
from gitopsreg.index.model import Snapshot
from gitopsreg.index.status_store import read_status, read_summary, write_status
from gitopsreg.index.statuses import PackageStatuses
from gitopsreg.model.address import PackageAddress
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.content import content, given, served_after, statuses
from gitopsreg.reconcile.events import Reporter
from gitopsreg.reconcile.gate import OPEN, Verdict, gate
from gitopsreg.reconcile.gather import gather
from gitopsreg.reconcile.health import failed_status, registry_status
from gitopsreg.reconcile.held_lease import HeldLease
from gitopsreg.reconcile.late import LateComers
from gitopsreg.reconcile.lease import Lease
from gitopsreg.reconcile.prepare import CatalogSource, GatheringFor, Planner, UpstreamFor, no_gathering
from gitopsreg.reconcile.resolve import Resolved
from gitopsreg.reconcile.rest import at_rest, have_not_moved, rested, resting
from gitopsreg.reconcile.run import Asked, Last, Outcome, Prepared, held_open
from gitopsreg.reconcile.sync import Synced, sync
from gitopsreg.storage.base import BlobStore

# How often a run starts over because somebody else published first: one whose lease has lapsed, or who knows no lease.
_RACES = 5


class Reconciler:
    """Holds what makes the next run cheap (parsed files, the last snapshot); everything true is in the store."""

    def __init__(
        self,
        catalog: CatalogSource,
        upstream_for: UpstreamFor,
        store: BlobStore,
        lease: Lease,
        *,
        now: Callable[[], datetime],
        reporter: Reporter,
        jobs: int = 8,
        backends: Mapping[str, BlobStore] | None = None,
        prove: Callable[[], None] = lambda: None,
        gathering_for: GatheringFor = no_gathering,
        memo: Memo | None = None,
    ) -> None:
        """`prove` is called before the first run: it raises when the store is none that may be published to."""
        self._catalog = catalog
        self._store = store
        self._lease = lease
        self._stores = {**(backends or {}), "": store}
        self._now = now
        self._reporter = reporter
        self._prove = prove
        self._proven = False
        self._jobs = jobs
        self._late = LateComers()
        self._planner = Planner(
            catalog,
            upstream_for,
            store,
            now=now,
            reporter=reporter,
            jobs=jobs,
            memo=memo,
            late=self._late,
            gathering_for=gathering_for,
        )
        self._last: Last | None = None
        self._commit = ""
        self._epoch: int | None = None
        self._verdict = OPEN
        self._owes = self._turned_away = False

    def hurry(self, patience: float, wake: Callable[[], None]) -> None:
        """From now on wait `patience` seconds for slow upstreams, no longer: a later run publishes what they bring.

        `wake` is called, from any thread, when something late is there.
        """
        self._late.hurry(patience, wake)

    @property
    def turned_away(self) -> bool:
        """Whether the last tick had work to do, and another reconciler was at work."""
        return self._turned_away

    @property
    def owes(self) -> bool:
        """Whether a run that was asked for could not be made yet, because another reconciler is at work."""
        return self._owes

    def tick(self) -> Outcome | None:
        """Run if there is anything to do: the ref moved, another reconciler published, a package is due, a run is owed.

        None also while another reconciler is at work: a later tick looks again.
        """
        self._turned_away = False
        if not (self._owes or self._has_work()):
            return None
        try:
            return self._run(Asked(everything=self._owes), wait=False)
        except LeaseHeld:
            self._turned_away = True
            return None

    def run_once(self) -> Outcome:
        """As `run`, for who runs no more after it: where commits tell that nothing can have changed, no declaration is
        read, and nothing is remembered.
        """
        began = self._now()
        try:
            commit = self._catalog.poll()
        except CheckoutFailed:  # upstreams are followed all the same, and the status tells
            return self.run()
        known = at_rest(self._store, commit, self._catalog.path)
        if known is not None:
            looks = self._planner.look([item.url for item in known.upstreams], known, began)
            if have_not_moved(looks):
                return rested(self._store, known, looks, began)
        return self.run()

    def run(self, *, force: bool = False, approve: str | None = None, wait: bool = True) -> Outcome:
        """Ask every upstream, whatever its schedule says, and publish what comes of it.

        `force` also fetches and verifies again what is published already (it never replaces it); `approve` is the
        digest of a plan that a guard held back. Raises CheckoutFailed, StorageError and LostLease when the run could
        not be made, LeaseHeld while another reconciler is at work, with `wait` only if that goes on for longer than a
        lease: then the run is owed, and the next tick makes it.
        """
        try:
            return self._run(Asked(everything=True, force=force, approve=approve), wait=wait)
        except LeaseHeld:
            self._owes = True
            raise

    def plan(self) -> Prepared:
        """What `run` would do. Raises CheckoutFailed and StorageError."""
        return self._planner.prepare(last=self._last)

    def _has_work(self) -> bool:
        try:
            moved = self._catalog.poll() != self._commit
        except CheckoutFailed:
            return True
        head = repository.read_head(self._store)
        behind = (head.epoch if head else 0) != self._epoch
        return moved or behind or self._late.arrived or self._planner.has_news or self._is_due()

    def _is_due(self) -> bool:
        now = stamp(self._now())
        if self._verdict.blocked:  # only a new commit, somebody else's change, or the time set opens the gate
            return bool(self._verdict.until) and self._verdict.until <= now
        known = read_summary(self._store)
        if known.last_attempt > now:  # the clock went back: what was planned by the wrong one counts for nothing
            return True
        return bool(known.next_attempt) and known.next_attempt <= now

    def _run(self, asked: Asked, *, wait: bool) -> Outcome:
        if not self._proven:
            self._prove()
            self._proven = True
        with self._lease.held(wait=wait, waiting=self._reporter.waiting) as lease:
            self._owes = False
            for _ in range(_RACES):
                try:
                    return self._attempt(asked, lease)
                except PublishConflict:
                    continue  # what was stored stays: the next attempt is cheap
                except (CheckoutFailed, LostLease) as error:
                    self._note(error)
                    raise
        raise PublishConflict(f"other reconcilers published first, {_RACES} times in a row: is one of them in a loop?")

    def _attempt(self, asked: Asked, lease: HeldLease) -> Outcome:
        prepared = self._planner.prepare(everything=asked.everything, force=asked.force, last=self._last)
        verdict = gate(prepared, asked.approve)
        if verdict.blocked:
            # Nothing was applied, so nothing new is known of any package.
            return self._finish(prepared, {}, prepared.base, verdict, prepared.known.packages, prepared.served)
        return self._publish(*self._fetch(prepared), lease)

    def _fetch(self, prepared: Prepared) -> tuple[Prepared, dict[PackageAddress, Synced]]:
        """What comes home in time; whatever is slow is published by a later run and keeps nobody waiting."""
        work = [item for item in prepared.resolved if item.draft.wanted or item.draft.again]
        self._reporter.fetching(sum(len(item.draft.wanted) + len(item.draft.again) for item in work))
        # Where no bytes are fetched, threads would only cost time.
        at_hand = [(item, self._sync(item)) for item in work if _stays(item)]
        syncs = gather(
            self._sync, [item for item in work if not _stays(item)], jobs=self._jobs, patience=self._late.patience
        )
        late = {item.draft.address: future for item, future in syncs.late}
        self._late.expect_content(late.items())
        return held_open(prepared, late), {item.draft.address: result for item, result in (*at_hand, *syncs.done)}

    def _sync(self, item: Resolved) -> Synced:
        return sync(item, self._stores, self._reporter)

    def _publish(self, prepared: Prepared, synced: Mapping[PackageAddress, Synced], lease: HeldLease) -> Outcome:
        ensure_link_key(self._store)
        lease.check()
        changed = given(prepared, synced)
        snapshot = repository.publish(
            self._store,
            content(prepared, changed),
            base=prepared.base,
            head=prepared.head,
            fence=lease.epoch,
            now=stamp(prepared.now),
        )
        told = statuses(prepared, synced, changed)
        return self._finish(prepared, synced, snapshot, OPEN, told, served_after(prepared, changed))

    def _finish(
        self,
        prepared: Prepared,
        synced: Mapping[PackageAddress, Synced],
        snapshot: Snapshot | None,
        verdict: Verdict,
        packages: PackageStatuses,
        served: int,
    ) -> Outcome:
        head, blocked = prepared.head, bool(verdict.blocked)
        published = not blocked and snapshot is not None and (head is None or head.root != snapshot.digest)
        if published and snapshot is not None:
            self._reporter.published(snapshot.digest.hex)
        self._verdict = verdict
        self._epoch = (head.epoch if head else 0) + published
        self._commit = "" if prepared.unreachable else prepared.checkout.commit.oid
        status = registry_status(prepared, packages, snapshot, verdict)
        if not blocked:
            status = replace(status, resting=resting(prepared, status, served))
        write_status(self._store, status, known=prepared.known)
        applied = {} if blocked else prepared.loaded.catalog.parts
        self._last = Last(snapshot=snapshot, status=status, served=served, applied=applied)
        return Outcome(
            revision=prepared.loaded.catalog.revision,
            snapshot=status.snapshot,
            published=published,
            packages=served,
            versions_added=sum(len(item.records) for item in synced.values()),
            bytes_stored=sum(item.stored for item in synced.values()),
            seconds=(self._now() - prepared.now).total_seconds(),
            status=status,
            plan=prepared.plan,
            loaded=prepared.loaded,
            blocked=verdict.blocked,
        )

    def _note(self, error: CheckoutFailed | LostLease) -> None:
        """In the status, unless another reconciler has taken over: then it is the one to tell how things are."""
        if isinstance(error, LostLease) and error.taken:
            return
        known = read_status(self._store)
        with suppress(StorageError):  # the first error is the one to tell
            write_status(self._store, failed_status(known, error, self._now()), known=known)


def _stays(item: Resolved) -> bool:
    """Whether the package's bytes stay where they are."""
    declaration = item.draft.declaration
    return declaration is not None and declaration.delivery == "reference"
