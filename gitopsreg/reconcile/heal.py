"""What becomes of the faults that a scrub found: repaired where that can be tried now, or kept with what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gitopsreg.errors import GitopsregError, StorageError, UpstreamError
from gitopsreg.index.care import FoundFault
from gitopsreg.index.check import check_name
from gitopsreg.index.contents import Place
from gitopsreg.reconcile.backoff import is_transient, retry_delay, stamp
from gitopsreg.reconcile.repair import Repair
from gitopsreg.storage.base import BlobReader

_NO_UPSTREAM = (
    "an index document can't be made again: bring it back with 'gitopsreg store copy' from a copy of the store, or "
    "roll back"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """When, and at which catalog revision; `anyway` tries also what was tried in vain."""

    now: datetime
    revision: str
    anyway: bool = False


def heal(
    faults: tuple[FoundFault, ...], stores: Mapping[str, BlobReader], repair: Repair | None, occasion: Occasion
) -> tuple[FoundFault, ...]:
    """Those that are left. One attempt for each fault and revision; more only where the network may have been it."""
    due = [fault for fault in faults if fault.version and is_due(fault, occasion)]
    waiting = set(due)
    left = [
        replace(fault, reply=fault.reply if fault.version else _NO_UPSTREAM) for fault in faults if fault not in waiting
    ]
    if repair is None or not due:
        return (*left, *due)
    wanted: dict[str, set[str]] = {}
    for fault in due:
        wanted.setdefault(fault.package, set()).add(fault.version)
    replies = repair(wanted)
    # Looked at whatever was replied: another package with the same bytes may have brought them.
    still = ((fault, wrong(fault, stores)) for fault in due)
    return (
        *left,
        *(
            _tried(fault, replies.get((fault.package, fault.version), error), occasion)
            for fault, error in still
            if error is not None
        ),
    )


def is_due(fault: FoundFault, occasion: Occasion) -> bool:
    later = bool(fault.retry) and fault.retry <= stamp(occasion.now)
    return occasion.anyway or later or fault.tried != occasion.revision


def wrong(fault: FoundFault, stores: Mapping[str, BlobReader]) -> StorageError | None:
    """How the object is now; None when it is well."""
    try:
        check_name(stores, Place(fault.backend, fault.key))
    except StorageError as error:
        return error
    return None


def _tried(fault: FoundFault, error: GitopsregError, occasion: Occasion) -> FoundFault:
    attempts = fault.attempts + 1
    transient = isinstance(error, StorageError) or (isinstance(error, UpstreamError) and is_transient(error.reason))
    delay = retry_delay(attempts, seed=fault.key, integrity=True)
    return replace(
        fault,
        tried=occasion.revision,
        attempts=attempts,
        retry=stamp(occasion.now + delay) if transient else "",
        reply=f"it was not repaired: {error}",
    )
