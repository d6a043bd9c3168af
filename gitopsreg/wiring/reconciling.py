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
from gitopsreg.model.declaration import GitSource, ModuleDeclaration, PackageDeclaration
from gitopsreg.reconcile.events import Reporter
from gitopsreg.reconcile.lease import Lease
from gitopsreg.reconcile.online import OnlineResult, check_online
from gitopsreg.reconcile.pipeline import Reconciler
from gitopsreg.reconcile.prepare import GivenCatalog, Planner
from gitopsreg.reconcile.process import is_gone, this_process
from gitopsreg.settings import Settings
from gitopsreg.storage.base import BlobReader, BlobStore
from gitopsreg.upstream.base import Upstream
from gitopsreg.upstream.git_tags import GitTags
from gitopsreg.wiring.stores import open_backends, prove
from gitopsreg.wiring.upstreams import open_remotes, upstream_for

# The catalog is one small fetch: whoever needs longer is not answering.
_CATALOG_TIMEOUT = timedelta(minutes=1)


@contextmanager
def make_reconciler(settings: Settings, reporter: Reporter) -> Iterator[Reconciler]:
    """A reconciler on the settings' catalog and store; leaving the context ends its worker processes."""
    backends = open_backends(settings)
    # Twice as many as are asked at once, since those that are late still hold theirs.
    remotes = open_remotes(settings, workers=2 * settings.jobs)
    folder = settings.cache.absolute()
    catalog = GitCatalog(settings.catalog, settings.ref, settings.path, remotes, folder / "catalog", _CATALOG_TIMEOUT)
    try:
        yield Reconciler(
            catalog,
            lambda declaration, checkout: upstream_for(declaration, checkout, remotes, folder / "modules"),
            backends[""],
            make_lease(backends[""]),
            now=lambda: datetime.now(UTC),
            reporter=reporter,
            jobs=settings.jobs,
            backends=backends,
            prove=lambda: prove(settings, backends),
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
    cache = settings.cache.absolute() / "modules"
    with open_remotes(settings) as remotes:
        yield lambda checkout: Planner(
            GivenCatalog(checkout),
            lambda declaration, given: upstream_for(declaration, given, remotes, cache),
            reader,
            now=lambda: datetime.now(UTC),
            reporter=reporter,
            jobs=settings.jobs,
            memo=memo,
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
    cache = settings.cache.absolute() / "modules"

    def upstream(declaration: PackageDeclaration) -> Upstream:
        match declaration, declaration.source:
            case ModuleDeclaration(), GitSource() as source:
                return GitTags(declaration, source, remotes, cache)
            case _ if checkout is None:
                raise UpstreamUnavailable(why, reason="NotCommitted")
            case _:
                return upstream_for(declaration, checkout, remotes, cache)

    with remotes, ThreadPoolExecutor(settings.jobs, thread_name_prefix="ask") as pool:
        return check_online(loaded, upstream, parallel=pool.map, now=datetime.now(UTC))
