"""One run, from the catalog's newest commit to the published index.

Always true here: bytes first, pointer last; a failure leaves the last good index; a run that is repeated finishes the
work of one that was killed. `plan` is the same walk, stopped before anything is fetched or written.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Protocol, TypeVar

from gitopsreg.catalog.load import Loaded, Memo, load
from gitopsreg.catalog.source import CatalogCheckout
from gitopsreg.errors import CheckoutFailed, PublishConflict
from gitopsreg.index import repository
from gitopsreg.index.model import Snapshot
from gitopsreg.index.status_store import read_status, write_status
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.declaration import PackageDeclaration
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.content import content, gate, statuses
from gitopsreg.reconcile.events import Reporter
from gitopsreg.reconcile.health import Verdict, registry_status
from gitopsreg.reconcile.plan import make_plan
from gitopsreg.reconcile.resolve import Resolved, Visit, resolve
from gitopsreg.reconcile.run import Outcome, Prepared
from gitopsreg.reconcile.sync import Synced, sync
from gitopsreg.storage.base import BlobStore
from gitopsreg.upstream.base import Upstream

# How often a run starts over because another reconciler published first.
_RACES = 5

In = TypeVar("In")
Out = TypeVar("Out")


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
        return moved or behind or self._is_due()

    def _is_due(self) -> bool:
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
        synced = self._sync(prepared.resolved)
        snapshot = repository.publish(self._store, content(prepared, synced), base=prepared.base, head=prepared.head)
        if prepared.base is None or snapshot.digest != prepared.base.digest:
            self._reporter.published(snapshot.digest.hex)
        return self._finish(prepared, synced, snapshot, Verdict())

    def _prepare(self, *, everything: bool, force: bool) -> Prepared:
        now = self._now()
        head = repository.read_head(self._store)
        base = repository.load(self._store, head.root, known=self._snapshot) if head else None
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
        )
        resolved = self._resolve(loaded, checkout, visit)
        plan = make_plan(
            [item.draft for item in resolved],
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
            resolved=tuple(resolved),
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

    def _resolve(self, loaded: Loaded, checkout: CatalogCheckout, visit: Visit) -> list[Resolved]:
        if loaded.registry_broken or loaded.catalog.registry.suspend:
            return []
        return resolve(
            loaded.catalog,
            visit,
            lambda declaration: self._upstream_for(declaration, checkout),
            parallel=self._parallel,
            reporter=self._reporter,
        )

    def _parallel(self, work: Callable[[In], Out], items: Iterable[In]) -> Iterable[Out]:
        if self._jobs == 1:
            return [work(item) for item in items]
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="reconcile") as pool:
            return list(pool.map(work, items))

    def _sync(self, resolved: Iterable[Resolved]) -> dict[PackageAddress, Synced]:
        work = [item for item in resolved if item.draft.wanted or item.draft.again]
        self._reporter.fetching(sum(len(item.draft.wanted) + len(item.draft.again) for item in work))
        results = self._parallel(lambda item: sync(item, self._store, self._reporter), work)
        return {item.draft.address: result for item, result in zip(work, results, strict=True)}

    def _finish(
        self, prepared: Prepared, synced: Mapping[PackageAddress, Synced], snapshot: Snapshot | None, verdict: Verdict
    ) -> Outcome:
        self._snapshot = snapshot
        self._commit = "" if prepared.unreachable else prepared.checkout.commit.oid
        status = registry_status(
            prepared.known,
            loaded=prepared.loaded,
            packages=statuses(prepared, synced, snapshot) if prepared.resolved else prepared.known.packages,
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
