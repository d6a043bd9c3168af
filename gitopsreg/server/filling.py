"""Reads the documents that a snapshot was served without, behind the requests, so that later the store may be away."""

import threading
from collections.abc import Callable

from gitopsreg.errors import StorageError
from gitopsreg.index.documents import Document
from gitopsreg.index.model import Snapshot
from gitopsreg.index.packages import Packages
from gitopsreg.index.side_by_side import JOBS, side_by_side

_SLICE = 64
# A bad document costs its own package; where so many are bad it is the store, and a later look tries again.
_ENOUGH = 10


class Filling:
    """One thread at a time. `done` is told of a snapshot once all of it is read, in that thread."""

    def __init__(self, *, done: Callable[[Snapshot], None], report: Callable[[str], None]) -> None:
        self._done = done
        self._report = report
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._errors: list[str] = []
        self._told = ""

    @property
    def failed(self) -> bool:
        """Whether something could not be read when it was tried last."""
        return bool(self._told)

    def is_whole(self, snapshot: Snapshot) -> bool:
        """Whether all is read; if not, it is seen to. Never raises."""
        if self._thread is not None and self._thread.is_alive():
            return False
        packages = snapshot.packages
        unread = packages.documents.unread() if isinstance(packages, Packages) else []
        if unread and isinstance(packages, Packages):
            self._thread = threading.Thread(
                target=self._fill, args=(snapshot, packages, unread), name="gitopsreg-documents", daemon=True
            )
            self._thread.start()
        return not unread

    def stop(self, patience: float) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(patience)

    def _fill(self, snapshot: Snapshot, packages: Packages, unread: list[Document]) -> None:
        self._errors = []
        slices = (unread[start : start + _SLICE] for start in range(0, len(unread), _SLICE))
        with side_by_side(lambda part: self._read(packages, part), slices, jobs=JOBS) as results:
            for _ in results:
                if self._is_over:
                    break
        if not self._errors and not self._stopped.is_set():
            self._done(snapshot)
        self._tell()

    def _read(self, packages: Packages, documents: list[Document]) -> None:
        for document in documents:
            if self._is_over:
                return
            try:
                packages.source.prove(document)
            except StorageError as error:
                self._errors.append(str(error))

    @property
    def _is_over(self) -> bool:
        return self._stopped.is_set() or len(self._errors) >= _ENOUGH

    def _tell(self) -> None:
        """Once an outage, not once a try."""
        first = min(self._errors, default="")
        if first and first != self._told:
            more = f" (and {len(self._errors) - 1} more)" if len(self._errors) > 1 else ""
            self._report(f"documents of packages can't be read: {first}{more}")
        self._told = first
