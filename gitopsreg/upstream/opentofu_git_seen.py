"""One state of a registry's repository, read from the object database of our copy. Safe for threads; asks nobody."""

from collections.abc import Iterable
from contextlib import suppress
from threading import RLock

from gitopsreg.errors import UpstreamError
from gitopsreg.transport.git import Commit, Repository
from gitopsreg.upstream.opentofu_git_layout import Layout, Surveyor
from gitopsreg.upstream.opentofu_git_reading import MAX_SIZE

# Of what is read ahead. Packages' files have some kilobytes; those of strangers may have 32 MB each.
_MOST_AHEAD = 64 * 1024 * 1024


class Seen:
    """What everything is about until the next look."""

    def __init__(self, repository: Repository, commit: Commit, surveyor: Surveyor) -> None:
        self.commit = commit
        self.path = repository.path
        self._repository = repository
        self._surveyor = surveyor
        self._lock = RLock()
        self._layout: Layout | None = None
        self._prepared: dict[str, bytes] = {}

    @property
    def layout(self) -> Layout:
        """Drawn when it is first asked for, since a look that finds nothing new asks for nothing.

        Raises UpstreamUnavailable and IntegrityError when the trees can't be read.
        """
        with self._lock:
            if self._layout is None:
                self._layout = self._surveyor.layout(self._repository, self.commit.tree)
            return self._layout

    def prepare(self, oids: Iterable[str]) -> None:
        """Read these blobs, as many as may be held, and forget those that were prepared before. What can't be read is
        found out again.
        """
        prepared: dict[str, bytes] = {}
        with self._lock:
            self._prepared = {}
            held = 0
            for oid in oids:
                with suppress(UpstreamError):
                    data = self._repository.read(oid, limit=MAX_SIZE)
                    if (held := held + len(data)) > _MOST_AHEAD:
                        break
                    prepared[oid] = data
            self._prepared = prepared

    def blob(self, oid: str) -> bytes:
        """Raises UpstreamUnavailable (`NotFound`), IntegrityError (`TooLarge`)."""
        if (data := self._prepared.get(oid)) is not None:
            return data
        with self._lock:
            return self._repository.read(oid, limit=MAX_SIZE)
