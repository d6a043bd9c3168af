"""The web applications."""

import os
from collections.abc import Callable
from pathlib import Path

import structlog

from gitopsreg.errors import ConfigError
from gitopsreg.protocol.links import LinkSigner
from gitopsreg.server.app import Application, build_app, build_hooks_app
from gitopsreg.server.receivers import Receiver
from gitopsreg.server.signing import StoredSigner
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.settings import Secret, Settings
from gitopsreg.storage.base import BlobReader


def make_app(
    settings: Settings, reader: BlobReader, *, trigger: Callable[[str], None] | None
) -> tuple[Application, Snapshots]:
    """The web application and the snapshots it answers from. Raises ConfigError."""
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
