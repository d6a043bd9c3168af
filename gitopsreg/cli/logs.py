"""Logs of the long-running commands: structlog to stderr, as text or JSON; other libraries' logs in the same form."""

import logging
import sys

import structlog

from gitopsreg.cli.output import colours
from gitopsreg.settings import Settings

# When debugging these write whole requests, whose URLs and headers are signed.
_INDISCREET = ("azure", "botocore", "google", "urllib3")


def configure(settings: Settings) -> None:
    """Once, at the start of the process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%SZ", utc=True),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendered(settings.log_format)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    if settings.log_level != "debug":
        for chatty in (*_INDISCREET, "apscheduler", "boto3", "httpx", "httpcore", "uvicorn"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
    for indiscreet in _INDISCREET:
        logging.getLogger(indiscreet).setLevel(max(logging.INFO, logging.getLogger(indiscreet).getEffectiveLevel()))


def _rendered(log_format: str) -> list[structlog.typing.Processor]:
    if log_format == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [
        structlog.dev.ConsoleRenderer(colors=colours(sys.stderr), exception_formatter=structlog.dev.plain_traceback)
    ]
