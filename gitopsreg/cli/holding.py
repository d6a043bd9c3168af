"""What the verbs that change what is published share: the hold that is asked for, who asks, and the lease."""

import getpass
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from gitopsreg.catalog.report import printable
from gitopsreg.cli.publishing import published_head, stamp
from gitopsreg.cli.stream import write
from gitopsreg.errors import InvalidName, PublishConflict, quoted
from gitopsreg.index.head import Head
from gitopsreg.index.pointer import Hold
from gitopsreg.storage.base import BlobStore

if TYPE_CHECKING:
    from gitopsreg.reconcile.held_lease import HeldLease

_Result = TypeVar("_Result")

_RACES = 10
_LONGEST = timedelta(days=366)
_LONG_REASON = 200
_LONG_NAME = 64


@contextmanager
def leased(store: BlobStore) -> Iterator["HeldLease"]:
    """The lease, for what brings bytes. Who has it is told while it is waited for. Raises LeaseHeld."""
    from gitopsreg.wiring.reconciling import make_lease

    with make_lease(store).held(wait=True, waiting=tell_waiting) as lease:
        yield lease


@dataclass(slots=True)
class Beside:
    """Beside whoever is at work: a person in an emergency waits for nobody. The head's compare-and-swap keeps it right:
    who is at work finds the head changed, and publishes and collects nothing on what it knew before.
    """

    epoch: int

    def check(self) -> None:
        """Nothing to lose."""


def on_the_head(store: BlobStore, change: Callable[[Head, Beside], _Result]) -> _Result:
    """Do it to the head as it is, anew when it moved meanwhile. Raises NotPublished, PublishConflict, StorageError."""
    for _ in range(_RACES):
        head = published_head(store)
        with suppress(PublishConflict):
            return change(head, Beside(head.fence))
    raise PublishConflict(f"others published meanwhile, {_RACES} times in a row: try again")


def tell_waiting(message: str) -> None:
    write(f"waiting: {printable(message)}\n", sys.stderr)


def a_hold(until: str | None, reason: str, *, now: datetime, was: Hold | None = None) -> Hold:
    """What the operator asks for; one that is in force goes on. Raises InvalidName."""
    if len(reason) > _LONG_REASON:
        raise InvalidName(f"--reason has {len(reason)} characters: {_LONG_REASON} at most")
    wanted = Hold(since=stamp(now), by=operator(), reason=printable(reason), until=parse_until(until, now))
    return replace(wanted, since=was.since) if was else wanted


def says_the_same(hold: Hold, was: Hold | None) -> bool:
    """Whether the one in force is as good, whoever asked for it."""
    return was is not None and (was.until, was.reason) == (hold.until, hold.reason)


def parse_until(text: str | None, now: datetime) -> str:
    """`4h` from now or RFC 3339; "" without. Raises InvalidName, also for a time that is past or a year away."""
    if text is None:
        return ""
    end = _moment(text) or _later(text, now)
    if end is None or not now < end <= now + _LONGEST:
        raise InvalidName(
            f'--until {quoted(text)}: write a duration like "4h", or a time to come with its zone, like '
            f'"{stamp(now + timedelta(hours=4))}"'
        )
    return stamp(end)


def _moment(text: str) -> datetime | None:
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else None
    return None


def _later(text: str, now: datetime) -> datetime | None:
    from gitopsreg.settings.values import duration

    with suppress(InvalidName):
        period = duration(timedelta(seconds=1), _LONGEST)(text)
        return now + period if isinstance(period, timedelta) else None
    return None


def operator() -> str:
    """Who this is to the machine: user@host."""
    user = "?"
    with suppress(OSError, KeyError):  # a user id without a name
        user = getpass.getuser()
    return printable(f"{user}@{socket.gethostname()}")[:_LONG_NAME]
