"""One state of a registry's repository, read from the object database of our copy. Safe for threads; asks nobody."""

from collections.abc import Iterable
from contextlib import suppress
from threading import RLock

from gitopsreg.errors import UpstreamError
from gitopsreg.transport.git import Commit, Repository
from gitopsreg.transport.many_blobs import ManyBlobs
from gitopsreg.upstream.opentofu_git_layout import Layout, Surveyor
from gitopsreg.upstream.opentofu_git_reading import MAX_SIZE

# Of what is read ahead. Packages' files have some kilobytes; those of strangers may have 32 MB each.
_MOST_AHEAD = 64 * 1024 * 1024
# Fewer blobs are read faster than a process is started.
_MANY = 64


class Seen:
    """What everything is about until the next look."""

    def __init__(self, repository: Repository, commit: Commit, surveyor: Surveyor) -> None:
        self.commit = commit
        self.path = repository.path
        self._repository = repository
        self._surveyor = surveyor
        self._lock = RLock()
        self._layout: Layout | None = None
        self._ahead: ManyBlobs | None = None

    @property
    def is_drawn(self) -> bool:
        """Whether the layout was asked for."""
        return self._layout is not None

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
        """Get these blobs ready, in the order in which they will be asked for and as many as may be held, and forget
        those that were prepared before. What can't be read is found out again.
        """
        with self._lock:
            sizes = self._sizes(oids)
            if self._ahead is not None:
                self._ahead.close()
            self._ahead = ManyBlobs(self.path, sizes) if len(sizes) >= _MANY else None

    def blob(self, oid: str) -> bytes:
        """Raises UpstreamUnavailable (`NotFound`), IntegrityError (`TooLarge`)."""
        with self._lock:
            data = self._ahead.get(oid) if self._ahead is not None else None
            return self._repository.read(oid, limit=MAX_SIZE) if data is None else data

    def _sizes(self, oids: Iterable[str]) -> dict[str, int]:
        sizes: dict[str, int] = {}
        held = 0
        for oid in oids:
            with suppress(UpstreamError):
                size = self._repository.size(oid)
                if size > MAX_SIZE:
                    continue
                if (held := held + size) > _MOST_AHEAD:
                    break
                sizes[oid] = size
        return sizes
