"""The web applications."""

import os
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

import structlog

from gitopsreg.errors import ConfigError
from gitopsreg.index.keys import HEAD, LINK_KEY
from gitopsreg.index.model import Delivery, Snapshot
from gitopsreg.protocol.links import LinkSigner
from gitopsreg.server.access_log import OnAccess
from gitopsreg.server.app import Application, build_app, build_hooks_app
from gitopsreg.server.counts import Counts
from gitopsreg.server.receivers import Receiver
from gitopsreg.server.served import documents
from gitopsreg.server.signing import StoredSigner
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.settings import Secret, Settings
from gitopsreg.storage.base import BlobReader
from gitopsreg.storage.bounded import BoundedReader
from gitopsreg.storage.cached import CachedReader
from gitopsreg.wiring import pauses

# Seconds until a look at the index gives up a call to the store, and how many of them may hang on.
_PATIENCE = 10.0
_HANGING = 16
# The snapshot is stale when so many looks in a row would have found it unconfirmed.
_LOOKS_MISSED = 3


def make_app(
    settings: Settings,
    readers: Mapping[str, BlobReader],
    *,
    trigger: Callable[[str], None] | None,
    on_access: OnAccess | None = None,
    counts: Counts | None = None,
) -> tuple[Application, Snapshots]:
    """The web application and the snapshots it answers from; `readers` are back ends by name. Raises ConfigError."""
    report = structlog.get_logger("gitopsreg").warning
    signer = _given_signer(settings)
    cached = _cached(settings, readers[""], (HEAD,) if signer else (HEAD, LINK_KEY), report)
    stored = StoredSigner(ttl=settings.link_ttl, kept=cached.kept, report=report)

    settle = pauses.Settling()

    def confirmed(snapshot: Snapshot, changed: bool) -> None:
        cached.settle((lambda: documents(snapshot)) if changed else None)
        if changed and trigger is None:  # beside a reconciler it is done after each of its runs
            settle()

    snapshots = Snapshots(
        cached,
        kept=cached.kept,
        beside=(lambda _: None) if signer else stored.refresh,
        confirmed=confirmed,
        stale_after=_LOOKS_MISSED * settings.refresh.total_seconds(),
        report=report,
    )
    app = build_app(
        snapshots,
        readers,
        signer or stored.current,
        delivery=Delivery(serve=settings.delivery),
        public_url=settings.public_url or None,
        receivers=_receivers(settings),
        trigger=trigger,
        report=report,
        on_access=on_access,
        counts=counts,
    )
    return app, snapshots


def _cached(
    settings: Settings, reader: BlobReader, copied: tuple[str, ...], report: Callable[[str], None]
) -> CachedReader:
    folder = settings.cache.absolute() / "server" / sha256(settings.store.encode()).hexdigest()[:16]
    return CachedReader(BoundedReader(reader, _PATIENCE, most=_HANGING), folder, copied=copied, report=report)


def make_hooks_app(settings: Settings, trigger: Callable[[str], None]) -> Application:
    """An application that receives webhooks and nothing else. Raises ConfigError."""
    return build_hooks_app(_receivers(settings), trigger)


def _given_signer(settings: Settings) -> LinkSigner | None:
    """The signer of a key that the operator gives, else None: then the key is the store's."""
    if settings.link_key_file is None:
        return None
    return LinkSigner(_secret(Secret("file", str(settings.link_key_file))), ttl=settings.link_ttl)


def _receivers(settings: Settings) -> tuple[Receiver, ...]:
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
