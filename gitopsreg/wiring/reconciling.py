"""Reconcilers, planners, and what asks upstreams of a catalog that is being written."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gitopsreg.catalog.load import Loaded, Memo
from gitopsreg.catalog.revision import checkout_at, enclosing
from gitopsreg.catalog.source import CatalogCheckout, GitCatalog
from gitopsreg.errors import CheckoutFailed, UpstreamUnavailable
from gitopsreg.model.declaration import CatalogSource, PackageDeclaration
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.events import Reporter
from gitopsreg.reconcile.lease import Lease
from gitopsreg.reconcile.online import OnlineResult, check_online
from gitopsreg.reconcile.pipeline import Reconciler
from gitopsreg.reconcile.prepare import GivenCatalog, Planner
from gitopsreg.reconcile.process import is_gone, this_process
from gitopsreg.settings import Settings
from gitopsreg.storage.base import BlobReader, BlobStore
from gitopsreg.upstream.base import Upstream
from gitopsreg.wiring.remembered import memo_of
from gitopsreg.wiring.stores import open_backends, prove
from gitopsreg.wiring.upstreams import Upstreams, open_remotes

# The catalog is one small fetch: whoever needs longer is not answering.
_CATALOG_TIMEOUT = timedelta(minutes=1)


@contextmanager
def make_reconciler(settings: Settings, reporter: Reporter) -> Iterator[Reconciler]:
    """A reconciler on the settings' catalog and store; leaving the context ends its worker processes."""
    backends = open_backends(settings)
    # Twice as many as are asked at once, since those that are late still hold theirs.
    remotes = open_remotes(settings, workers=2 * settings.jobs)
    upstreams = Upstreams(settings, remotes)
    copies = settings.cache.absolute() / "catalog"
    catalog = GitCatalog(settings.catalog, settings.ref, settings.path, remotes, copies, _CATALOG_TIMEOUT)
    try:
        yield Reconciler(
            catalog,
            upstreams.of,
            backends[""],
            make_lease(backends[""]),
            now=lambda: datetime.now(UTC),
            reporter=reporter,
            jobs=settings.jobs,
            backends=backends,
            prove=lambda: prove(settings, backends),
            gathering_for=upstreams.gathering,
            memo=memo_of(settings),
        )
    finally:
        remotes.close()


def make_lease(store: BlobStore) -> Lease:
    """The store's lease, for this process: whoever changes what is published takes it."""
    return Lease(store, this_process(), is_gone=is_gone, now=lambda: datetime.now(UTC))


@contextmanager
def make_planner(
    settings: Settings, reader: BlobReader, reporter: Reporter, memo: Memo
) -> Iterator[Callable[[CatalogCheckout], Planner]]:
    """Planners for states of the catalog that are at hand; leaving the context ends their worker processes. `memo` is
    what is known of files already.
    """
    with open_remotes(settings) as remotes:
        upstreams = Upstreams(settings, remotes)
        yield lambda checkout: Planner(
            GivenCatalog(checkout),
            upstreams.of,
            reader,
            now=lambda: datetime.now(UTC),
            reporter=reporter,
            jobs=settings.jobs,
            memo=memo,
            gathering_for=upstreams.gathering,
        )


def ask_upstreams(settings: Settings, loaded: Loaded, folder: Path) -> OnlineResult:
    """What upstreams say of the catalog in `folder`; its content folders are read from the newest commit there."""
    checkout: CatalogCheckout | None = None
    why = ""
    try:
        top, inside = enclosing(folder)
        checkout = checkout_at(top, "HEAD", inside)
    except CheckoutFailed as error:
        why = str(error)
    remotes = open_remotes(settings)
    upstreams = Upstreams(settings, remotes)
    now = datetime.now(UTC)

    def upstream(declaration: PackageDeclaration) -> Upstream:
        if not isinstance(declaration.source, CatalogSource):
            return upstreams.elsewhere(declaration, stamp(now))
        if checkout is None:
            raise UpstreamUnavailable(why, reason="NotCommitted")
        return upstreams.of(declaration, checkout)

    with remotes, ThreadPoolExecutor(settings.jobs, thread_name_prefix="ask") as pool:
        return check_online(loaded, upstream, parallel=pool.map, now=now)
