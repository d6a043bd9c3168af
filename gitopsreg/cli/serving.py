"""What serving takes: where to listen and with which certificate, an access log, and how a worker tells of failures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gitopsreg.cli import failures
from gitopsreg.errors import ConfigError, GitopsregError
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.server.access_log import OnAccess
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


@contextmanager
def access_log(settings: Settings) -> "Iterator[OnAccess | None]":
    """Who is told of each request, if anybody; all of it is written when the block ends. Raises ConfigError."""
    if settings.access_log is None:
        yield None
        return
    import structlog

    from gitopsreg.server.access_file import AccessFile

    path = None if settings.access_log == Path("-") else settings.access_log
    file = AccessFile(path, report=structlog.get_logger("gitopsreg").warning)
    try:
        yield file.tell
    finally:
        file.close()


def told(work: Callable[[], None]) -> int:
    """The exit code of one process among several; what went wrong is told as for a command."""
    try:
        work()
    except GitopsregError as error:
        code, advice = failures.meaning(error)
        failures.tell(str(error), advice)
        return code
    except Exception as error:  # noqa: BLE001 - the last door of this process
        failures.tell_unexpected(error)
        return failures.MISUSED
    return failures.DONE
