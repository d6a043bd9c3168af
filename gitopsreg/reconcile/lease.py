"""The lease: of several reconcilers on one store only one is at work, so that no work is done twice.

It saves work and is not what keeps the index right: that is the head's compare-and-swap. A lease may lapse while its
holder still runs; the epoch goes with every publish as a fence, and a later holder's publish shuts out the earlier one.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from threading import Event, Thread

from gitopsreg.errors import KeyMissing, LeaseHeld, PublishConflict, StorageError, quoted
from gitopsreg.index.codec import decode_lease, encode_lease
from gitopsreg.index.head import read_head
from gitopsreg.index.keys import LEASE
from gitopsreg.index.lease import Holder, LeaseRecord
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.held_lease import HeldLease
from gitopsreg.storage.base import BlobStore, Token

DURATION = 30  # seconds
_LONGEST = 300  # no record is believed that claims more
_LOOK = 0.25  # seconds between two looks while waiting
_HANG = 1.0  # a renewal that hangs in the store is not waited for


class Lease:
    """One reconciler's side of the lease; used by one thread at a time.

    `me` is this holder, `is_gone` whether another one is known to have ended (else it must stay silent for the whole
    duration, on our own clock). `clock` is monotonic; `duration` and its values are seconds.
    """

    def __init__(
        self,
        store: BlobStore,
        me: Holder,
        *,
        is_gone: Callable[[Holder], bool],
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
        duration: int = DURATION,
    ) -> None:
        self._store = store
        self._me = me
        self._is_gone = is_gone
        self._now = now
        self._clock = clock
        self._pause = pause
        self._duration = duration
        self._seen: tuple[Token, float] | None = None

    @contextmanager
    def held(self, *, wait: bool = False, waiting: Callable[[str], None] = lambda _: None) -> Iterator[HeldLease]:
        """The lease, renewed in a thread while the block runs, then let go.

        With `wait` another holder is given time to end or to lapse, and `waiting` is told once who it is. Raises
        LeaseHeld and StorageError, both before the block.
        """
        held = self._waited(waiting) if wait else self._take()
        stop = Event()
        keeper = Thread(target=held.keep, args=(stop,), name="lease", daemon=True)
        keeper.start()
        try:
            yield held
        finally:
            stop.set()
            keeper.join(_HANG)
            held.release()

    def _waited(self, waiting: Callable[[str], None]) -> HeldLease:
        patience = self._clock() + self._duration * 7 / 6
        told = False
        while True:
            try:
                return self._take()
            except LeaseHeld as error:
                if self._clock() >= patience:
                    raise
                if not told:
                    waiting(str(error))
                told = True
            self._pause(_LOOK)

    def _take(self) -> HeldLease:
        record, token = self._read()
        if token is not None and not self._is_free(record, token):
            raise _refusal(record)
        head = read_head(self._store)
        # Whoever lost the lease's document, or brought an old one back, must not fence itself out.
        epoch = 1 + max(record.epoch if record else 0, head.fence if head else 0)
        now, since = stamp(self._now()), self._clock()
        mine = LeaseRecord(epoch=epoch, duration=self._duration, holder=self._me, acquired=now, renewed=now)
        try:
            token = self._store.replace(LEASE, encode_lease(mine), expected=token)
        except PublishConflict:
            raise _refusal(self._read()[0]) from None
        return HeldLease(self._store, mine, token, since=since, now=self._now, clock=self._clock)

    def _read(self) -> tuple[LeaseRecord | None, Token | None]:
        """A document that can't be read is some holder's all the same: (None, its token)."""
        try:
            data, token = self._store.get_with_token(LEASE)
        except KeyMissing:
            return None, None
        with suppress(StorageError):
            return decode_lease(data), token
        return None, token

    def _is_free(self, record: LeaseRecord | None, token: Token) -> bool:
        if self._seen is None or self._seen[0] != token:
            self._seen = token, self._clock()
        if record is None:
            return self._is_silent(self._duration)
        holder = record.holder
        if holder is None or holder.id == self._me.id or self._is_gone(holder):
            return True
        return self._is_silent(min(max(record.duration, 1), _LONGEST))

    def _is_silent(self, duration: int) -> bool:
        return self._seen is not None and self._clock() - self._seen[1] >= duration


def _refusal(record: LeaseRecord | None) -> LeaseHeld:
    if record is None or record.holder is None:
        return LeaseHeld("another reconciler is at work", until="")
    host = quoted(record.holder.host)
    return LeaseHeld(
        f"another reconciler is at work: process {record.holder.pid} of {host}, since {record.acquired}",
        until=_until(record),
    )


def _until(record: LeaseRecord) -> str:
    with suppress(ValueError, OverflowError):
        return stamp(datetime.fromisoformat(record.renewed) + timedelta(seconds=record.duration))
    return ""
