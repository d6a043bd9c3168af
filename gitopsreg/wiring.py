"""Settings become live objects. The only file that names concrete classes, and the door to APScheduler."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from gitopsreg.catalog.load import Loaded, Memo
from gitopsreg.catalog.revision import checkout_at, enclosing
from gitopsreg.catalog.source import CatalogCheckout, GitCatalog
from gitopsreg.errors import CheckoutFailed, ConfigError, GitopsregError, StorageError, UpstreamUnavailable
from gitopsreg.model.declaration import (
    CatalogSource,
    GitSource,
    ModuleDeclaration,
    PackageDeclaration,
    ProviderDeclaration,
)
from gitopsreg.protocol.links import LinkSigner
from gitopsreg.reconcile.events import Reporter
from gitopsreg.reconcile.forecast import SizeOf
from gitopsreg.reconcile.loop import Loop
from gitopsreg.reconcile.online import OnlineResult, check_online
from gitopsreg.reconcile.pipeline import Reconciler
from gitopsreg.reconcile.prepare import GivenCatalog, Planner
from gitopsreg.reconcile.run import Outcome
from gitopsreg.settings import Secret, Settings
from gitopsreg.storage.base import BlobReader, BlobStore
from gitopsreg.storage.filesystem import FilesystemReader, FilesystemStore
from gitopsreg.transport.git import Repository
from gitopsreg.transport.remotes import Remotes
from gitopsreg.upstream.base import Found, Upstream
from gitopsreg.upstream.catalog_modules import CatalogModules
from gitopsreg.upstream.catalog_providers import CatalogProviders
from gitopsreg.upstream.git_tags import GitTags
from gitopsreg.upstream.measure import size_in

if TYPE_CHECKING:  # the web framework is slow to import, and half of the commands do without
    from gitopsreg.server.app import Application
    from gitopsreg.server.receivers import Receiver
    from gitopsreg.server.snapshot import Snapshots

# The catalog is one small fetch: whoever needs longer is not answering.
_CATALOG_TIMEOUT = timedelta(minutes=1)
# A person waits at the keyboard for the tags of one repository.
_ASKING_TIMEOUT = timedelta(seconds=30)

# How many seconds a publish waits for slow upstreams; what they bring is published by itself when it is there.
_PATIENCE = 5.0
_REST = timedelta(seconds=2)


def open_store(settings: Settings) -> BlobStore:
    """The store for writing. Raises ConfigError for a URL that names none."""
    return FilesystemStore(_directory(settings.store))


def open_reader(settings: Settings) -> BlobReader:
    """The store as the server gets it: a type without a way to write. Raises ConfigError."""
    return FilesystemReader(_directory(settings.store))


def _directory(store: str) -> Path:
    parts = urlsplit(store)
    if parts.scheme not in {"", "file"} or parts.netloc not in {"", "localhost"} or not parts.path:
        raise ConfigError(f'"{store}" is no store of this release: write "file:///var/lib/gitopsreg" or a directory')
    return Path(unquote(parts.path) if parts.scheme else store).expanduser()


@contextmanager
def make_reconciler(settings: Settings, reporter: Reporter) -> Iterator[Reconciler]:
    """A reconciler on the settings' catalog and store; leaving the context ends its worker processes."""
    store = open_store(settings)
    remotes = Remotes(
        credentials_file=settings.git_credentials_file,
        ssh_directory=settings.ssh_directory,
        allow_local=settings.allow_local_sources,
        # Twice as many as are asked at once, since those that are late still hold theirs.
        workers=2 * settings.jobs,
    )
    folder = settings.cache.absolute()
    catalog = GitCatalog(settings.catalog, settings.ref, settings.path, remotes, folder / "catalog", _CATALOG_TIMEOUT)
    try:
        yield Reconciler(
            catalog,
            lambda declaration, checkout: _upstream(declaration, checkout, remotes, folder / "modules"),
            store,
            now=lambda: datetime.now(UTC),
            reporter=reporter,
            jobs=settings.jobs,
        )
    finally:
        remotes.close()


def _upstream(declaration: PackageDeclaration, checkout: CatalogCheckout, remotes: Remotes, cache: Path) -> Upstream:
    """The upstream of one declaration; each gets a Repository of its own, since that is for one thread at a time."""
    match declaration, declaration.source:
        case ModuleDeclaration(), GitSource() as source:
            return GitTags(declaration, source, remotes, cache)
        case ModuleDeclaration(), CatalogSource():
            return CatalogModules(declaration, Repository(checkout.repository), checkout.commit, checkout.root)
        case ProviderDeclaration(), CatalogSource():
            return CatalogProviders(declaration, Repository(checkout.repository), checkout.commit, checkout.root)
        case _:
            raise ConfigError(f'no upstream for {declaration.address} with source "{declaration.source}"')


@contextmanager
def make_planner(
    settings: Settings, reader: BlobReader, reporter: Reporter, memo: Memo
) -> Iterator[Callable[[CatalogCheckout], Planner]]:
    """Planners for states of the catalog that are at hand; leaving the context ends their worker processes. `memo` is
    what is known of files already.
    """
    cache = settings.cache.absolute() / "modules"
    with Remotes(
        credentials_file=settings.git_credentials_file,
        ssh_directory=settings.ssh_directory,
        allow_local=settings.allow_local_sources,
    ) as remotes:
        yield lambda checkout: Planner(
            GivenCatalog(checkout),
            lambda declaration, given: _upstream(declaration, given, remotes, cache),
            reader,
            now=lambda: datetime.now(UTC),
            reporter=reporter,
            jobs=settings.jobs,
            memo=memo,
        )


def open_index(path: Path | None) -> BlobReader:
    """An exported index as a store that only planning reads; without a file an empty one. Raises StorageError."""
    from gitopsreg.index import export
    from gitopsreg.storage.memory import MemoryStore

    store = MemoryStore()
    if path is None:
        return store
    try:
        if path.stat().st_size > export.MAX_BYTES:
            raise StorageError(f'the index "{path}" is too large: {export.MAX_BYTES:,} bytes at most')
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f'the index "{path}" can\'t be read: {error.strerror}') from error
    for key, document in export.unpacked(data).items():
        store.put(key, document)
    return store


def size_of(checkout: CatalogCheckout) -> SizeOf:
    """What versions weigh that come from the catalog itself; nobody knows of others before they are fetched."""

    def measured(declaration: PackageDeclaration, found: Found) -> int | None:
        if not isinstance(declaration.source, CatalogSource):
            return None
        return size_in(Repository(checkout.repository), found)

    return measured


def ask_upstreams(settings: Settings, loaded: Loaded, folder: Path) -> OnlineResult:
    """What upstreams say of the catalog in `folder`; its content folders are read from the newest commit there."""
    checkout: CatalogCheckout | None = None
    why = ""
    try:
        top, inside = enclosing(folder)
        checkout = checkout_at(top, "HEAD", inside)
    except CheckoutFailed as error:
        why = str(error)
    remotes = Remotes(
        credentials_file=settings.git_credentials_file,
        ssh_directory=settings.ssh_directory,
        allow_local=settings.allow_local_sources,
    )

    def upstream_for(declaration: PackageDeclaration) -> Upstream:
        match declaration, declaration.source:
            case ModuleDeclaration(), GitSource() as source:
                return GitTags(declaration, source, remotes, settings.cache.absolute() / "modules")
            case _ if checkout is None:
                raise UpstreamUnavailable(why, reason="NotCommitted")
            case _:
                return _upstream(declaration, checkout, remotes, settings.cache.absolute() / "modules")

    with remotes, ThreadPoolExecutor(settings.jobs, thread_name_prefix="ask") as pool:
        return check_online(loaded, upstream_for, parallel=pool.map, now=datetime.now(UTC))


def tags_of(settings: Settings, url: str) -> dict[str, str]:
    """The tags of a Git repository, without "refs/tags/", with their commits. Raises UpstreamUnavailable."""
    remotes = Remotes(
        credentials_file=settings.git_credentials_file,
        ssh_directory=settings.ssh_directory,
        allow_local=settings.allow_local_sources,
        workers=1,
    )
    with remotes:
        refs = remotes.refs(url, timeout=_ASKING_TIMEOUT)
    return {ref.removeprefix("refs/tags/"): commit for ref, commit in refs.items() if ref.startswith("refs/tags/")}


class Ticking:
    """The loop with its clock: ticks at every interval, and once when the first package is due again."""

    def __init__(self, loop: Loop, clock: BackgroundScheduler) -> None:
        self._loop = loop
        self._clock = clock

    def start(self) -> None:
        """Run at once, then tick."""
        self._loop.start()
        self._clock.start()

    def request(self, _reason: str = "") -> None:
        """Reconcile now; returns at once."""
        self._loop.request()

    def stop(self, timeout: float | None = 10) -> bool:
        """Stop ticking and let the run under way end; whether it did in time."""
        if self._clock.running:  # it may never have started: the port was taken
            self._clock.shutdown(wait=False)
        return self._loop.stop(timeout)


def make_loop(
    settings: Settings,
    reconciler: Reconciler,
    *,
    on_outcome: Callable[[Outcome], None],
    on_error: Callable[[GitopsregError], None],
) -> Ticking:
    """The loop around a reconciler. The callbacks are told of each run, in the loop's thread."""
    clock = BackgroundScheduler(timezone=UTC)

    def work(everything: bool) -> None:
        try:
            outcome = reconciler.run() if everything else reconciler.tick()
            if outcome is not None:
                _wake_when_due(clock, loop, outcome)
                on_outcome(outcome)
        except GitopsregError as error:
            on_error(error)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a fault in one run must not end all later ones
            on_error(GitopsregError(f"internal error, please report it: {error!r}"))

    loop = Loop(work)
    reconciler.hurry(_PATIENCE, loop.tick)
    clock.add_job(
        loop.tick,
        "interval",
        seconds=settings.interval.total_seconds(),
        jitter=settings.interval.total_seconds() / 10,
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    return Ticking(loop, clock)


def _wake_when_due(clock: BackgroundScheduler, loop: Loop, outcome: Outcome) -> None:
    if outcome.status.next_attempt:
        # Never at once: what is overdue already was looked at in the run that just ended.
        due = max(datetime.fromisoformat(outcome.status.next_attempt), datetime.now(UTC) + _REST)
        clock.add_job(loop.tick, "date", run_date=due, id="due", replace_existing=True, misfire_grace_time=None)


def make_app(
    settings: Settings, reader: BlobReader, *, trigger: Callable[[str], None] | None
) -> "tuple[Application, Snapshots]":
    """The web application and the snapshots it answers from. Raises ConfigError."""
    from gitopsreg.server.app import build_app
    from gitopsreg.server.signing import StoredSigner
    from gitopsreg.server.snapshot import Snapshots

    report = structlog.get_logger("gitopsreg").warning
    signer = _given_signer(settings)
    stored = StoredSigner(reader, ttl=settings.link_ttl, report=report)
    snapshots = Snapshots(reader, beside=(lambda: None) if signer else stored.refresh, report=report)
    app = build_app(
        snapshots,
        reader,
        signer or stored.current,
        public_url=settings.public_url or None,
        receivers=_receivers(settings),
        trigger=trigger,
        report=report,
    )
    return app, snapshots


def make_hooks_app(settings: Settings, trigger: Callable[[str], None]) -> "Application":
    """An application that receives webhooks and nothing else. Raises ConfigError."""
    from gitopsreg.server.app import build_hooks_app

    return build_hooks_app(_receivers(settings), trigger)


def _given_signer(settings: Settings) -> LinkSigner | None:
    """The signer of a key that the operator gives, else None: then the key is the store's."""
    if settings.link_key_file is None:
        return None
    return LinkSigner(_secret(Secret("file", str(settings.link_key_file))), ttl=settings.link_ttl)


def _receivers(settings: Settings) -> "tuple[Receiver, ...]":
    from gitopsreg.server.receivers import Receiver

    return tuple(
        Receiver(
            name=item.name,
            type=item.type,
            secrets=tuple(_secret(secret) for secret in item.secrets),
            refs=item.refs,
        )
        for item in settings.receivers
    )


def _secret(secret: Secret) -> bytes:
    """The secret behind a name; a newline at the end of a file is an editor's. Raises ConfigError."""
    if secret.kind == "env":
        if not os.environ.get(secret.name):
            raise ConfigError(f'the variable "{secret.name}" is not set: it must hold a secret')
        return os.environ[secret.name].encode()
    try:
        return Path(secret.name).expanduser().read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise ConfigError(f'the secret file "{secret.name}" can\'t be read: {error.strerror}') from error
