"""What looks after a store: repairs from upstreams, and the care that a watching reconciler takes by itself."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from gitopsreg.catalog.source import GitCatalog
from gitopsreg.errors import GitopsregError, LeaseHeld
from gitopsreg.index.care import read_care
from gitopsreg.reconcile.collect import collect
from gitopsreg.reconcile.events import Silent
from gitopsreg.reconcile.pace import Pace
from gitopsreg.reconcile.prepare import Planner
from gitopsreg.reconcile.repair import UpstreamRepair
from gitopsreg.reconcile.scrub import scrub
from gitopsreg.settings import Settings
from gitopsreg.storage.base import BlobStore
from gitopsreg.wiring.reconciling import make_lease
from gitopsreg.wiring.stores import open_backends
from gitopsreg.wiring.upstreams import Upstreams, open_remotes

_CATALOG_TIMEOUT = timedelta(minutes=1)

# A round reads for twenty seconds, twenty megabytes in each: some fifty gigabytes a day.
_PAUSE = timedelta(minutes=10)
_READING = timedelta(seconds=20)
_RATE = 20e6
_COLLECTED = timedelta(days=1)
_MOST_TOLD = 1000


@contextmanager
def make_repair(settings: Settings, stores: Mapping[str, BlobStore]) -> Iterator[UpstreamRepair]:
    """From what the settings' catalog declares; leaving the context ends its worker processes."""
    folder = settings.cache.absolute()
    with open_remotes(settings, workers=settings.jobs) as remotes:
        catalog = GitCatalog(
            settings.catalog, settings.ref, settings.path, remotes, folder / "catalog", _CATALOG_TIMEOUT
        )
        upstreams = Upstreams(settings, remotes)
        planner = Planner(
            catalog,
            upstreams.of,
            stores[""],
            now=lambda: datetime.now(UTC),
            reporter=Silent(),
            jobs=settings.jobs,
            gathering_for=upstreams.gathering,
        )
        yield UpstreamRepair(planner, stores, Silent())


class Caretaker:
    """Reads a little of the store at each round, and collects once a day. `report` is told of what went wrong."""

    def __init__(self, settings: Settings, stores: Mapping[str, BlobStore], report: Callable[[str], None]) -> None:
        self._settings = settings
        self._stores = stores
        self._report = report

    def round(self) -> None:
        """Never raises: the next round tries again."""
        for work in (self._scrub, self._collect):
            try:
                work()
            except LeaseHeld:
                pass  # somebody is at work, and may be collecting
            except GitopsregError as error:
                self._report(f"the store could not be looked after: {error}")
            except Exception as error:  # noqa: BLE001 - a fault of ours must not end all later rounds
                self._report(f"internal error, please report it: {error!r}")

    def _scrub(self) -> None:
        pace = Pace(seconds=_READING.total_seconds(), rate=_RATE)
        with make_repair(self._settings, self._stores) as repair:
            done = scrub(self._stores, now=datetime.now(UTC), repair=repair, pace=pace, jobs=1)
        for fault in done.figures.faults:
            self._report(f"{fault.package or 'index'} {fault.version}: {fault.message}")

    def _collect(self) -> None:
        last = read_care(self._stores[""]).collected
        now = datetime.now(UTC)
        if last is not None and now - datetime.fromisoformat(last.when) < _COLLECTED:
            return
        with make_lease(self._stores[""]).held(wait=False) as lease:
            collect(self._stores, lease, now=now)


@contextmanager
def looking_after(settings: Settings, report: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, a round every ten minutes, in a thread that keeps nobody from leaving."""
    if not settings.care:
        yield
        return
    stop = Event()
    caretaker = Caretaker(settings, open_backends(settings), once_each(report))

    def look() -> None:
        while not stop.wait(_PAUSE.total_seconds()):
            caretaker.round()

    Thread(target=look, name="gitopsreg-care", daemon=True).start()
    try:
        yield
    finally:
        stop.set()


def once_each(report: Callable[[str], None]) -> Callable[[str], None]:
    """Passes on what was not told before."""
    told: set[str] = set()

    def tell(sentence: str) -> None:
        if sentence not in told and len(told) < _MOST_TOLD:
            told.add(sentence)
            report(sentence)

    return tell
