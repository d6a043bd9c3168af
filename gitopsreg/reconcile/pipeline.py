"""One run, from the catalog's newest commit to the published index.

Always true here: bytes first, pointer last; a failure leaves the last good index; a run that is repeated finishes the
work of one that was killed. `plan` is the same walk, stopped before anything is fetched or written.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from gitopsreg.errors import CheckoutFailed, PublishConflict
from gitopsreg.index import repository
from gitopsreg.index.link_key import ensure_link_key
from gitopsreg.index.model import Snapshot
from gitopsreg.index.status_store import read_status, write_status
from gitopsreg.model.address import PackageAddress
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.content import content, gate, statuses
from gitopsreg.reconcile.events import Reporter
from gitopsreg.reconcile.gather import gather
from gitopsreg.reconcile.health import Verdict, registry_status
from gitopsreg.reconcile.late import LateComers
from gitopsreg.reconcile.prepare import CatalogSource, Planner, UpstreamFor
from gitopsreg.reconcile.resolve import Resolved
from gitopsreg.reconcile.run import Outcome, Prepared, held_open
from gitopsreg.reconcile.sync import Synced, sync
from gitopsreg.storage.base import BlobStore

# How often a run starts over because another reconciler published first.
_RACES = 5


class Reconciler:
    """Holds what makes the next run cheap (parsed files, the last snapshot); everything true is in the store."""

    def __init__(
        self,
        catalog: CatalogSource,
        upstream_for: UpstreamFor,
        store: BlobStore,
        *,
        now: Callable[[], datetime],
        reporter: Reporter,
        jobs: int = 8,
        backends: Mapping[str, BlobStore] | None = None,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._stores = {**(backends or {}), "": store}
        self._now = now
        self._reporter = reporter
        self._jobs = jobs
        self._late = LateComers()
        self._planner = Planner(catalog, upstream_for, store, now=now, reporter=reporter, jobs=jobs, late=self._late)
        self._snapshot: Snapshot | None = None
        self._commit = ""
        self._held = False

    def hurry(self, patience: float, wake: Callable[[], None]) -> None:
        """From now on wait `patience` seconds for slow upstreams, no longer: a later run publishes what they bring.

        `wake` is called, from any thread, when something late is there.
        """
        self._late.hurry(patience, wake)

    def tick(self) -> Outcome | None:
        """Run if there is anything to do: the ref moved, another reconciler published, a package is due."""
        return self._run(everything=False, force=False, approve=None) if self._has_work() else None

    def run(self, *, force: bool = False, approve: str | None = None) -> Outcome:
        """Ask every upstream, whatever its schedule says, and publish what comes of it.

        `force` also fetches and verifies again what is published already (it never replaces it); `approve` is the
        digest of a plan that a guard held back. Raises CheckoutFailed and StorageError when the run could not be made.
        """
        return self._run(everything=True, force=force, approve=approve)

    def plan(self) -> Prepared:
        """What `run` would do. Raises CheckoutFailed and StorageError."""
        return self._planner.prepare(known=self._snapshot)

    def _has_work(self) -> bool:
        try:
            moved = self._catalog.poll() != self._commit
        except CheckoutFailed:
            return True
        head = repository.read_head(self._store)
        behind = head is None or self._snapshot is None or head.root != self._snapshot.digest
        return moved or behind or self._late.arrived or self._is_due()

    def _is_due(self) -> bool:
        if self._held:  # only a new commit, or another reconciler's publish, opens the gate
            return False
        now = stamp(self._now())
        return any(item.next_attempt and item.next_attempt <= now for item in read_status(self._store).packages)

    def _run(self, *, everything: bool, force: bool, approve: str | None) -> Outcome:
        for _ in range(_RACES):
            try:
                return self._attempt(everything=everything, force=force, approve=approve)
            except PublishConflict:
                continue  # what was stored stays: the next attempt is cheap
        raise PublishConflict(f"other reconcilers published first, {_RACES} times in a row: is one of them in a loop?")

    def _attempt(self, *, everything: bool, force: bool, approve: str | None) -> Outcome:
        started = self._now()
        try:
            prepared = self._planner.prepare(everything=everything, force=force, known=self._snapshot)
        except CheckoutFailed as error:
            self._note_unreachable(error, started)
            raise
        reason, blocked = gate(prepared, approve)
        if blocked:
            return self._finish(prepared, {}, prepared.base, Verdict(reason=reason, blocked=blocked))
        return self._publish(*self._fetch(prepared))

    def _fetch(self, prepared: Prepared) -> tuple[Prepared, dict[PackageAddress, Synced]]:
        """What comes home in time; whatever is slow is published by a later run and keeps nobody waiting."""
        work = [item for item in prepared.resolved if item.draft.wanted or item.draft.again]
        self._reporter.fetching(sum(len(item.draft.wanted) + len(item.draft.again) for item in work))
        syncs = gather(self._sync, work, jobs=self._jobs, patience=self._late.patience)
        late = {item.draft.address: future for item, future in syncs.late}
        self._late.expect_content(late.items())
        return held_open(prepared, late), {item.draft.address: result for item, result in syncs.done}

    def _sync(self, item: Resolved) -> Synced:
        return sync(item, self._stores, self._reporter)

    def _publish(self, prepared: Prepared, synced: Mapping[PackageAddress, Synced]) -> Outcome:
        ensure_link_key(self._store)
        snapshot = repository.publish(self._store, content(prepared, synced), base=prepared.base, head=prepared.head)
        if prepared.base is None or snapshot.digest != prepared.base.digest:
            self._reporter.published(snapshot.digest.hex)
        return self._finish(prepared, synced, snapshot, Verdict())

    def _finish(
        self, prepared: Prepared, synced: Mapping[PackageAddress, Synced], snapshot: Snapshot | None, verdict: Verdict
    ) -> Outcome:
        self._snapshot = snapshot
        self._held = bool(verdict.blocked)
        self._commit = "" if prepared.unreachable else prepared.checkout.commit.oid
        status = registry_status(
            prepared.known,
            loaded=prepared.loaded,
            # What a gate held back was not applied, so nothing new is known of any package.
            packages=prepared.known.packages if verdict.blocked else statuses(prepared, synced, snapshot),
            snapshot=snapshot,
            plan=prepared.plan,
            verdict=verdict,
            unreachable=prepared.unreachable,
            now=prepared.now,
        )
        write_status(self._store, status, known=prepared.known)
        changed = snapshot is not None and (prepared.base is None or snapshot.digest != prepared.base.digest)
        return Outcome(
            revision=prepared.loaded.catalog.revision,
            snapshot=snapshot.digest.hex if snapshot else "",
            published=changed,
            packages=sum(1 for p in snapshot.packages.values() if p.archived is None) if snapshot else 0,
            versions_added=sum(len(item.records) for item in synced.values()),
            bytes_stored=sum(item.stored for item in synced.values()),
            seconds=(self._now() - prepared.now).total_seconds(),
            status=status,
            plan=prepared.plan,
            loaded=prepared.loaded,
            blocked=verdict.blocked,
        )

    def _note_unreachable(self, error: CheckoutFailed, now: datetime) -> None:
        known = read_status(self._store)
        status = registry_status(
            known,
            loaded=None,
            packages=known.packages,
            snapshot=self._snapshot,
            plan=None,
            verdict=Verdict(),
            unreachable=error,
            now=now,
        )
        write_status(self._store, status, known=known)
