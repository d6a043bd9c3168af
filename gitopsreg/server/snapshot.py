"""The snapshot that is being served, swapped whole. A request takes the reference once; nobody waits for the store.

A store that is broken or gone leaves the last snapshot in place: it is still true, only older. A server that starts
meanwhile takes what was kept on this machine.

The first snapshot of a large registry is served before all of its documents are read: until then a request may have to
read one, and the rest follows behind. Every later one is read first, and served then.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gitopsreg.errors import StorageError
from gitopsreg.index import repository
from gitopsreg.index.keys import HEAD
from gitopsreg.index.model import Snapshot
from gitopsreg.model.digest import Sha256
from gitopsreg.server.filling import Filling
from gitopsreg.server.served import Served, survey
from gitopsreg.server.sizes import add_sizes
from gitopsreg.storage.base import BlobReader

# For clients, who are not to learn where the store lies; the report says it all.
_UNREADABLE = "the store can't be read; the registry's log says why"
_NO_INDEX = "the store no longer has an index"
_SILENT = "the store has not answered yet"
_BUG = "the registry failed to look at its store; its log says why"

# The first snapshot is read whole before it is served, if it has no more packages.
_AT_ONCE = 1_000

# A look that hangs may not keep the process from ending.
_LAST_LOOK = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """`confirmed`: seconds since the store last confirmed the snapshot; `stale`: whether that is too long.

    `error`: why the store does not confirm it now, or "", in words that may be shown to anyone.
    """

    confirmed: float
    stale: bool
    error: str


class Snapshots:
    """Holds the newest complete snapshot. Safe for threads; only one of them loads at a time.

    `beside` is called at each look with what is read, before what was found is served: whatever else answers need of
    the store is read there, and by no request. `confirmed` is told of the snapshot at each look that the store
    answered, once all of it is read, and whether it is a new one. Of more than `at_once` packages the first snapshot is
    served before they are read. `kept` is what an earlier process had kept of it: asked once, while there is
    nothing else. After `stale_after` seconds without an answer of the store the snapshot is stale.
    """

    def __init__(
        self,
        reader: BlobReader,
        *,
        kept: BlobReader | None = None,
        beside: Callable[[BlobReader], None] = lambda _: None,
        confirmed: Callable[[Snapshot, bool], None] = lambda _, __: None,
        stale_after: float = 30.0,
        at_once: int = _AT_ONCE,
        report: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._kept = kept
        self._beside = beside
        self._tell_confirmed = confirmed
        self._stale_after = stale_after
        self._at_once = at_once
        self._report = report
        self._clock = clock
        self._served: Served | None = None
        self._newest: Sha256 | None = None
        self._missed = False  # what was published last could not be read
        self._settled: Sha256 | None = None
        self._filling = Filling(done=self._size, report=report)
        self._confirm(clock())
        self._began: float | None = None
        self._error = self._told = ""
        self._loading = threading.Lock()

    def current(self) -> Served | None:
        """None only until the first snapshot was loaded."""
        return self._served

    @property
    def stale(self) -> bool:
        """Whether the store has not confirmed the snapshot for too long."""
        return self._clock() > self._stale_at

    def freshness(self) -> Freshness:
        now, began = self._clock(), self._began
        confirmed = max(0.0, now - self._confirmed)
        hangs = began is not None and now - began > self._stale_after
        late = (hangs and _SILENT) or (self._filling.failed and _UNREADABLE) or ""
        return Freshness(confirmed=confirmed, stale=now > self._stale_at, error=self._error or late)

    def refresh(self) -> bool:
        """Look at the pointer and load what is new; whether the snapshot changed. Never raises StorageError."""
        with self._loading:
            self._began = self._clock()
            try:
                return self._refresh()
            except StorageError as error:
                self._complain(_UNREADABLE, str(error))
                return False
            finally:
                self._recall()
                self._began = None

    @contextmanager
    def following(self, interval: float) -> Iterator[None]:
        """Refresh now, and every `interval` seconds in a thread of its own while the block runs."""
        self._look()
        stop = threading.Event()

        def follow() -> None:
            while not stop.wait(interval):
                self._look()

        thread = threading.Thread(target=follow, name="gitopsreg-snapshots", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(_LAST_LOOK)
            self._filling.stop(_LAST_LOOK)

    def _look(self) -> None:
        try:
            self.refresh()
        except Exception as error:  # noqa: BLE001 -- a thread that died would let the snapshot age unseen
            self._complain(_BUG, f"{type(error).__name__}: {error}")

    def _refresh(self) -> bool:
        head = repository.read_head(self._reader)
        if head is None:
            self._recall()
            if self._served is not None:
                self._complain(_NO_INDEX, _NO_INDEX)
            return False
        changed, served = self._load(self._reader, head, None if self._served else self._at_once)
        self._confirm(self._clock())
        self._error = self._told = ""
        if self._filling.is_whole(served.snapshot):
            self._tell_confirmed(served.snapshot, served.snapshot.digest != self._settled)
            self._settled = served.snapshot.digest
        return changed

    def _confirm(self, when: float) -> None:
        self._confirmed, self._stale_at = when, when + self._stale_after

    def _size(self, snapshot: Snapshot) -> None:
        """Of bytes that late documents name."""
        served = self._served
        if served is not None:
            add_sizes(served.sizes, snapshot)

    def _load(self, reader: BlobReader, head: repository.Head, ahead: int | None = None) -> tuple[bool, Served]:
        old = self._served
        if old is not None and (old.snapshot.digest, self._newest) == (head.root, head.newest):
            self._beside(reader)
            return False, old
        snapshot = repository.load(reader, head.root, known=old.snapshot if old else None, ahead=ahead)
        newest = self._published(reader, head, snapshot)
        served = survey(snapshot, old, None if newest is snapshot else newest)
        self._beside(reader)
        # None: what was blocked since is asked for again at the next look.
        self._served, self._newest = served, newest.digest if newest else None
        self._missed = newest is None
        return True, served

    def _published(self, reader: BlobReader, head: repository.Head, snapshot: Snapshot) -> Snapshot | None:
        """What was published last: where an older snapshot is served, it says what was blocked since."""
        if head.newest == head.root:
            return snapshot
        if self._served is not None and self._served.snapshot.digest == head.newest:
            return self._served.snapshot  # rolled back just now: nothing need be read
        try:
            return repository.load(reader, head.newest, known=snapshot)
        except StorageError as error:  # what is served is whole all the same
            if not self._missed:
                self._report(f"what was blocked since the snapshot that is served can't be read: {error}")
            self._missed = True
            return None

    def _recall(self) -> None:
        """Serve what was kept, if nothing else is there. How old it is counts on: the copy's time is its last look."""
        kept, self._kept = self._kept, None
        if kept is None or self._served is not None:
            return
        try:
            head = repository.read_head(kept)
            if head is not None:
                age = time.time() - kept.stat(HEAD).modified
                self._load(kept, head)
                self._confirm(self._clock() - max(0.0, age))
        except StorageError as error:
            self._report(f"what was kept of the last snapshot can't be used: {error}")

    def _complain(self, error: str, why: str) -> None:
        """Once an outage, not once a look."""
        if why != self._told:
            self._report(f"the snapshot can't be refreshed: {why}")
        self._error, self._told = error, why
