"""What repairs a store from upstreams."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from gitopsreg.catalog.source import GitCatalog
from gitopsreg.reconcile.events import Silent
from gitopsreg.reconcile.prepare import Planner
from gitopsreg.reconcile.repair import UpstreamRepair
from gitopsreg.settings import Settings
from gitopsreg.storage.base import BlobStore
from gitopsreg.wiring.upstreams import open_remotes, upstream_for

_CATALOG_TIMEOUT = timedelta(minutes=1)


@contextmanager
def make_repair(settings: Settings, stores: Mapping[str, BlobStore]) -> Iterator[UpstreamRepair]:
    """From what the settings' catalog declares; leaving the context ends its worker processes."""
    folder = settings.cache.absolute()
    with open_remotes(settings, workers=settings.jobs) as remotes:
        catalog = GitCatalog(
            settings.catalog, settings.ref, settings.path, remotes, folder / "catalog", _CATALOG_TIMEOUT
        )
        planner = Planner(
            catalog,
            lambda declaration, checkout: upstream_for(declaration, checkout, remotes, folder / "modules"),
            stores[""],
            now=lambda: datetime.now(UTC),
            reporter=Silent(),
            jobs=settings.jobs,
        )
        yield UpstreamRepair(planner, stores, Silent())
