"""What a failure means to a shell: the one mapping from errors to exit codes, and how each is told. No tracebacks."""

import logging
import os
import sys
import traceback

from gitopsreg.catalog.report import printable
from gitopsreg.cli.stream import write
from gitopsreg.errors import (
    BundleRefused,
    CatalogInvalid,
    CheckoutFailed,
    ConfigError,
    GitopsregError,
    InvalidName,
    KeyMissing,
    LeaseError,
    NotPublished,
    PublishHeld,
    StorageError,
    UnsafePlan,
    UpstreamError,
    UpstreamUnavailable,
)

DONE, FOUND, MISUSED, UNAVAILABLE, INTERRUPTED = 0, 1, 2, 3, 130

# The first class that fits: (exit code, what to do next).
_MEANINGS: tuple[tuple[type[GitopsregError], int, str], ...] = (
    (CheckoutFailed, UNAVAILABLE, "check --catalog, --ref and the credentials, or try again later"),
    (CatalogInvalid, FOUND, "mend the catalog; 'gitopsreg validate' shows every finding"),
    (UpstreamUnavailable, UNAVAILABLE, "try again later; 'gitopsreg status' shows what is affected"),
    (UpstreamError, FOUND, "the publisher must mend this; 'gitopsreg status' shows what is affected"),
    (KeyMissing, UNAVAILABLE, "check --store: something that should be stored is gone"),
    (StorageError, UNAVAILABLE, "check that --store can be read and written, then try again"),
    (LeaseError, UNAVAILABLE, "try again when it is done; 'gitopsreg status' shows who is at work"),
    (PublishHeld, FOUND, "'gitopsreg release' ends the hold"),
    (
        UnsafePlan,
        FOUND,
        "look at 'gitopsreg plan', then approve exactly this plan with 'gitopsreg reconcile --approve'",
    ),
    (NotPublished, FOUND, "'gitopsreg status' lists what there is"),
    (BundleRefused, FOUND, ""),
    (ConfigError, MISUSED, ""),
    (InvalidName, MISUSED, ""),
    (GitopsregError, MISUSED, ""),
)


def meaning(error: GitopsregError) -> tuple[int, str]:
    """(exit code, what to do next or "")."""
    code, advice = next((code, advice) for kind, code, advice in _MEANINGS if isinstance(error, kind))
    return code, advice if error.next_step is None else error.next_step


def tell(message: str, advice: str = "") -> None:
    """One expected error, in the form that all commands share."""
    for line in message.splitlines() or [""]:
        write(f"error: {printable(line)}\n", sys.stderr)
    if advice:
        write(f"  next: {advice}\n", sys.stderr)


def _tell_forbidden(error: PermissionError) -> None:
    """A file or folder that the operating system keeps from us; whoever runs us can mend that."""
    where = f'"{error.filename}"' if error.filename else "a file"
    tell(f"{where} can't be used: permission denied", f"let the user with id {os.geteuid()} read it, or name another")


def tell_unexpected(error: BaseException) -> None:
    """A mistake of ours: one line and a request to report; the traceback only when debugging was asked for."""
    if isinstance(error, PermissionError):
        _tell_forbidden(error)
        return
    write(f"error: unexpected {type(error).__name__}: {printable(' '.join(str(error).split()))}\n", sys.stderr)
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        write("".join(traceback.format_exception(error)), sys.stderr)
        report = "please report it with the lines above"
    else:
        report = "please report it, with the output of '--log-level debug'"
    write(f"  next: this is a mistake in gitopsreg; {report}\n", sys.stderr)
