"""A lease while it is ours: kept alive, looked after, let go. Whatever the store does, the run does not end of it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from threading import Event

from gitopsreg.errors import KeyMissing, LostLease, PublishConflict
from gitopsreg.index.codec import decode_lease, encode_lease
from gitopsreg.index.keys import LEASE
from gitopsreg.index.lease import LeaseRecord
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.storage.base import BlobStore, Token


class HeldLease:
    """A lease that was taken. `epoch` is greater than that of every holder before."""

    def __init__(
        self,
        store: BlobStore,
        record: LeaseRecord,
        token: Token,
        *,
        since: float,
        now: Callable[[], datetime],
        clock: Callable[[], float],
    ) -> None:
        self.epoch = record.epoch
        self._store = store
        self._record = record
        self._token = token
        self._renewed = since
        self._taken = False
        self._now = now
        self._clock = clock

    def check(self) -> None:
        """Raises LostLease when it was taken, or others may think soon that it has lapsed."""
        if self._taken:
            raise LostLease("another reconciler has taken the lease meanwhile", taken=True)
        silent = self._clock() - self._renewed
        if silent > self._record.duration * 5 / 6:
            raise LostLease(f"the lease could not be renewed for {silent:.0f} seconds", taken=False)

    def keep(self, stop: Event) -> None:
        """Renew three times a duration until told to stop, more often while the store does not answer."""
        duration = self._record.duration
        pause = duration / 3
        while not stop.wait(pause):
            pause = duration / 3 if self.renew() else duration / 15

    def renew(self) -> bool:
        """Show that we live; whether the store took it. Never raises."""
        since = self._clock()
        record = replace(self._record, renewed=stamp(self._now()), renewals=self._record.renewals + 1)
        try:
            self._token = self._store.replace(LEASE, encode_lease(record), expected=self._token)
            self._record = record
        except PublishConflict:
            return self._find_again(since)
        except Exception:  # noqa: BLE001 - whatever it is, the run must not end of it: `check` tells
            return False
        self._renewed = since
        return True

    def _find_again(self, since: float) -> bool:
        """An earlier renewal may have been stored though its answer was lost."""
        try:
            data, token = self._store.get_with_token(LEASE)
            record = decode_lease(data)
        except KeyMissing:
            self._taken = True
            return False
        except Exception:  # noqa: BLE001 - as above
            return False
        self._taken = record.holder != self._record.holder or record.epoch != self.epoch
        if not self._taken:
            self._record, self._token, self._renewed = record, token, since
        return not self._taken

    def release(self) -> None:
        """Let others have it at once. A store that does not take that lets it lapse."""
        with suppress(Exception):  # whatever it is, what the run did is done
            self._store.replace(LEASE, encode_lease(replace(self._record, holder=None)), expected=self._token)
