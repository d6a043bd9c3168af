"""Where and how to listen, and with which certificate: checked before anything starts."""

from typing import TYPE_CHECKING

from gitopsreg.errors import ConfigError
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.server.listen import Listen


def listen_at(settings: Settings) -> "Listen":
    """Raises ConfigError for half a pair of TLS files, or a pair that can't be used."""
    from gitopsreg.server.listen import Listen, tls_context

    if (settings.tls_cert is None) != (settings.tls_key is None):
        given, missing = ("--tls-cert", "--tls-key") if settings.tls_cert else ("--tls-key", "--tls-cert")
        raise ConfigError(f"{given} needs {missing}: https takes a certificate and its key")
    listen = Listen(settings.listen.host, settings.listen.port, settings.tls_cert, settings.tls_key)
    tls_context(listen)
    return listen
