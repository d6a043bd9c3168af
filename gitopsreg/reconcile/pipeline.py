"""One run, from the catalog's newest commit to the published index.

Always true here: bytes first, pointer last; a failure leaves the last good index; a run that is repeated finishes the
work of one that was killed. `plan` is the same walk, stopped before anything is fetched or written.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import Protocol, TypeVar

from gitopsreg.catalog.load import Loaded, Memo, load
from gitopsreg.catalog.source import CatalogCheckout
from gitopsreg.errors import CheckoutFailed, PublishConflict
from gitopsreg.index import repository
from gitopsreg.index.link_key import ensure_link_key
from gitopsreg.index.model import Snapshot
from gitopsreg.index.repository import Head
from gitopsreg.index.status_store import read_status, write_status
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.declaration import PackageDeclaration
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.content import content, gate, statuses
from gitopsreg.reconcile.events import Reporter
from gitopsreg.reconcile.gather import gather
from gitopsreg.reconcile.health import Verdict, registry_status
from gitopsreg.reconcile.plan import make_plan
from gitopsreg.reconcile.resolve import Resolution, Resolved, Visit, resolve
from gitopsreg.reconcile.run import Outcome, Prepared, held_open
from gitopsreg.reconcile.sync import Synced, sync
from gitopsreg.storage.base import BlobStore
from gitopsreg.upstream.base import Upstream

# How often a run starts over because another reconciler published first.
_RACES = 5

Out = TypeVar("Out")
Late = tuple[tuple[PackageAddress, Future[Out]], ...]


class CatalogSource(Protocol):
    """The catalog's repository. `poll` and `read` use the network and raise CheckoutFailed."""

    def poll(self) -> str:
        """The newest commit, 40 hex digits, cheaply: nothing is fetched."""

    def read(self) -> CatalogCheckout:
        """The newest commit's files; fetched only when the ref moved."""

    def at(self, revision: str) -> CatalogCheckout | None:
        """A revision that was read before, without the network, also by an earlier process; None if it is not here."""


class Reconciler:
    """Holds what makes the next run cheap (parsed files, the last snapshot); everything true is in the store."""

    def __init__(
        self,
        catalog: CatalogSource,
        upstream_for: Callable[[PackageDeclaration, CatalogCheckout], Upstream],
        store: BlobStore,
        *,
        now: Callable[[], datetime],
        reporter: Reporter,
        jobs: int = 8,
    ) -> None:
        self._catalog = catalog
        self._upstream_for = upstream_for
        self._store = store
        self._now = now
        self._reporter = reporter
        self._jobs = jobs
        self._memo = Memo()
        self._snapshot: Snapshot | None = None
        self._commit = ""
        self._held = False
        self._patience: float | None = None
        self._wake: Callable[[], None] = lambda: None
        self._asking: dict[PackageAddress, Future[Resolved]] = {}
        self._fetching: dict[PackageAddress, Future[Synced]] = {}

    def hurry(self, patience: float, wake: Callable[[], None]) -> None:
        """From now on wait `patience` seconds for slow upstreams, no longer: a later run publishes what they bring.

        `wake` is called, from any thread, when something late is there.
        """
        self._patience = patience
        self._wake = wake

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
        return self._prepare(everything=True, force=False)

    def _has_work(self) -> bool:
        try:
            moved = self._catalog.poll() != self._commit
        except CheckoutFailed:
            return True
        head = repository.read_head(self._store)
        behind = head is None or self._snapshot is None or head.root != self._snapshot.digest
        return moved or behind or self._has_arrived() or self._is_due()

    def _has_arrived(self) -> bool:
        asked = any(future.done() for future in self._asking.values())
        return asked or any(future.done() for future in self._fetching.values())

    def _answers(self) -> dict[PackageAddress, Resolved]:
        """What came too late for the run before; what is still out stays out."""
        here = {address: future for address, future in self._asking.items() if future.done()}
        self._asking = {address: future for address, future in self._asking.items() if address not in here}
        self._fetching = {address: future for address, future in self._fetching.items() if not future.done()}
        return {address: future.result() for address, future in here.items()}

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
            prepared = self._prepare(everything=everything, force=force)
        except CheckoutFailed as error:
            self._note_unreachable(error, started)
            raise
        reason, blocked = gate(prepared, approve)
        if blocked:
            return self._finish(prepared, {}, prepared.base, Verdict(reason=reason, blocked=blocked))
        prepared, synced = self._fetch(prepared)
        return self._publish(prepared, synced)

    def _fetch(self, prepared: Prepared) -> tuple[Prepared, dict[PackageAddress, Synced]]:
        """What comes home in time; whatever is slow is published by a later run and keeps nobody waiting."""
        work = [item for item in prepared.resolved if item.draft.wanted or item.draft.again]
        self._reporter.fetching(sum(len(item.draft.wanted) + len(item.draft.again) for item in work))
        syncs = gather(self._sync, work, jobs=self._jobs, patience=self._patience)
        late = self._watch(tuple((item.draft.address, future) for item, future in syncs.late))
        self._fetching |= late
        return held_open(prepared, late), {item.draft.address: result for item, result in syncs.done}

    def _watch(self, late: Late[Out]) -> dict[PackageAddress, Future[Out]]:
        for _, future in late:
            future.add_done_callback(lambda _: self._wake())
        return dict(late)

    def _sync(self, item: Resolved) -> Synced:
        return sync(item, self._store, self._reporter)

    def _publish(self, prepared: Prepared, synced: Mapping[PackageAddress, Synced]) -> Outcome:
        ensure_link_key(self._store)
        snapshot = repository.publish(self._store, content(prepared, synced), base=prepared.base, head=prepared.head)
        if prepared.base is None or snapshot.digest != prepared.base.digest:
            self._reporter.published(snapshot.digest.hex)
        return self._finish(prepared, synced, snapshot, Verdict())

    def _published(self) -> tuple[Head | None, Snapshot | None]:
        head = repository.read_head(self._store)
        return head, repository.load(self._store, head.root, known=self._snapshot) if head else None

    def _prepare(self, *, everything: bool, force: bool) -> Prepared:
        now = self._now()
        head, base = self._published()
        checkout, unreachable = self._checkout(base)
        self._reporter.started(checkout.files.revision)
        loaded = load(checkout.files, memo=self._memo)
        known = read_status(self._store)
        visit = Visit(
            published=base.packages if base else {},
            known={item.address: item for item in known.packages},
            now=stamp(now),
            everything=everything,
            force=force,
            answers=self._answers(),
            busy=frozenset((*self._fetching, *self._asking)),
        )
        resolution = self._resolve(loaded, checkout, visit)
        self._asking |= self._watch(resolution.late)
        plan = make_plan(
            [item.draft for item in resolution.resolved],
            revision=loaded.catalog.revision,
            time=loaded.catalog.time,
            guards=loaded.catalog.registry.guards,
        )
        return Prepared(
            now=now,
            checkout=checkout,
            loaded=loaded,
            head=head,
            base=base,
            known=known,
            resolved=resolution.resolved,
            plan=plan,
            unreachable=unreachable,
        )

    def _checkout(self, base: Snapshot | None) -> tuple[CatalogCheckout, CheckoutFailed | None]:
        """The newest commit, or while its host is gone the published one: upstreams go on being followed."""
        try:
            return self._catalog.read(), None
        except CheckoutFailed as error:
            published = self._catalog.at(base.root.revision) if base else None
            if published is None:
                raise
            return published, error

    def _resolve(self, loaded: Loaded, checkout: CatalogCheckout, visit: Visit) -> Resolution:
        if loaded.registry_broken or loaded.catalog.registry.suspend:
            return Resolution(())
        return resolve(
            loaded.catalog,
            visit,
            lambda declaration: self._upstream_for(declaration, checkout),
            jobs=self._jobs,
            patience=self._patience,
            reporter=self._reporter,
        )

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
