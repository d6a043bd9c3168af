"""The snapshot that is being served, swapped whole. A request takes the reference once; nobody waits for the store.

A store that is broken or gone leaves the last snapshot in place: it is still true, only older.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gitopsreg.errors import StorageError
from gitopsreg.index import repository
from gitopsreg.index.contents import blobs_of
from gitopsreg.index.model import Snapshot
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A snapshot and what follows from it: `withheld` are the bytes that only blocked versions name."""

    snapshot: Snapshot
    withheld: frozenset[Sha256]


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """`confirmed`: seconds since the store last confirmed the snapshot; `error`: why it does not now, or ""."""

    confirmed: float
    error: str


class Snapshots:
    """Holds the newest complete snapshot. Safe for threads; only one of them loads at a time.

    `beside` is called at each look, before what it found is served: whatever else answers need of the store is read
    there, and by no request.
    """

    def __init__(
        self,
        reader: BlobReader,
        *,
        beside: Callable[[], None] = lambda: None,
        report: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._beside = beside
        self._report = report
        self._clock = clock
        self._served: Served | None = None
        self._confirmed = clock()
        self._error = ""
        self._loading = threading.Lock()

    def current(self) -> Served | None:
        """None only until the first snapshot was loaded."""
        return self._served

    def freshness(self) -> Freshness:
        return Freshness(confirmed=max(0.0, self._clock() - self._confirmed), error=self._error)

    def refresh(self) -> bool:
        """Look at the pointer and load what is new; whether the snapshot changed. Never raises StorageError."""
        with self._loading:
            try:
                return self._refresh()
            except StorageError as error:
                self._complain(str(error))
                return False

    @contextmanager
    def following(self, interval: float) -> Iterator[None]:
        """Refresh now, and every `interval` seconds in a thread of its own while the block runs."""
        self.refresh()
        stop = threading.Event()

        def follow() -> None:
            while not stop.wait(interval):
                try:
                    self.refresh()
                except Exception as error:  # noqa: BLE001 -- a thread that died would let the snapshot age unseen
                    self._complain(f"{type(error).__name__}: {error}")

        thread = threading.Thread(target=follow, name="gitopsreg-snapshots", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _refresh(self) -> bool:
        old = self._served
        head = repository.read_head(self._reader)
        if head is None:
            if old is not None:
                self._complain("the store no longer has an index")
            return False
        changed = old is None or old.snapshot.digest != head.root
        snapshot = repository.load(self._reader, head.root, known=old.snapshot if old else None) if changed else None
        self._beside()
        if snapshot is not None:
            self._served = Served(snapshot=snapshot, withheld=withheld(snapshot))
        self._confirmed = self._clock()
        self._error = ""
        return changed

    def _complain(self, error: str) -> None:
        """Once an outage, not once a look."""
        if error != self._error:
            self._report(f"the snapshot can't be refreshed: {error}")
        self._error = error


def withheld(snapshot: Snapshot) -> frozenset[Sha256]:
    """What blocked versions name and no other version does: not served even to who holds a link."""
    blocked: set[Sha256] = set()
    for package in snapshot.packages.values():
        for version in package.versions:
            if not version.downloadable:
                blocked.update(blob.sha256 for blob in blobs_of(version))
    if not blocked:
        return frozenset()
    for package in snapshot.packages.values():
        for version in package.versions:
            if version.downloadable:
                blocked.difference_update(blob.sha256 for blob in blobs_of(version))
    return frozenset(blocked)
