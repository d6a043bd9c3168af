"""Our copy of a remote repository: only the commits that were asked for, without their history.

A copy is worth nothing: whatever is wrong with it, it is thrown away and made again. Commits are kept under
`refs/kept/<commit>`, so that no name of the remote's meets another.
"""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from gitopsreg.errors import UpstreamUnavailable
from gitopsreg.transport import git
from gitopsreg.transport.git import Repository
from gitopsreg.transport.remotes import Remotes

# Each fetch adds a pack, and looking into many is slow: a copy is small, so it is simply made anew.
_MOST_PACKS = 200
# Stands inside the copy while a download is under way, and longer when it failed: locks and half packs may lie about.
_INTERRUPTED = "gitopsreg-fetching"
# Older than any download that is still under way.
_STALE = 24 * 60 * 60


class Mirror:
    """One writer at a time, over threads and processes; reading is free.

    The copy lies at `<cache>/<sha256 of the URL>.<random>.git`: a new one never has the path of an old one, because
    libgit2 remembers packs by their path, and may remember broken ones.
    """

    def __init__(self, url: str, cache: Path, remotes: Remotes, *, trusted: bool = False) -> None:
        self.url = url
        self._cache = cache
        self._key = sha256(url.encode()).hexdigest()
        self._remotes = remotes
        self._trusted = trusted

    def fetch(self, wanted: Mapping[str, str], *, timeout: timedelta) -> Repository:
        """The copy, with these refs' commits in it, as far as the remote still has them there.

        `wanted` maps full refs to the commits they were last seen at; nothing is asked for that is here already.
        Raises UpstreamUnavailable.
        """
        with self._writing():
            repository, is_fresh = self._open()
            missing = {ref: commit for ref, commit in wanted.items() if not _has(repository, commit)}
            if not missing:
                return repository
            try:
                self._download(repository, missing, timeout)
            except UpstreamUnavailable as error:
                # libgit2 does not tell a damaged copy from a server that misbehaves.
                if is_fresh or error.reason != UpstreamUnavailable.default_reason:
                    raise
                self._remove()
                repository, _ = self._open()
                self._download(repository, missing, timeout)
            return repository

    def here(self) -> Repository:
        """The copy as it is now, asking nobody. Raises UpstreamUnavailable (`NotFound`) when there is none."""
        return Repository(next(iter(self._copies()), self._cache / f"{self._key}.git"))

    def discard(self) -> None:
        """Throw the copy away: it turned out to be damaged."""
        with self._writing():
            self._remove()

    def _open(self) -> tuple[Repository, bool]:
        """The copy, and whether it was made just now."""
        for folder in self._copies():
            packs = sum(1 for _ in (folder / "objects" / "pack").glob("*.pack"))
            if not (folder / _INTERRUPTED).exists() and packs <= _MOST_PACKS:
                with suppress(UpstreamUnavailable):
                    return Repository(folder), False
        self._remove()
        folder = Path(tempfile.mkdtemp(dir=self._cache, prefix=f"{self._key}.", suffix=".git"))
        git.create(folder)
        return Repository(folder), True

    def _download(self, repository: Repository, missing: Mapping[str, str], timeout: timedelta) -> None:
        refspecs = [f"+{ref}:refs/kept/{commit}" for ref, commit in missing.items()]
        (repository.path / _INTERRUPTED).touch()
        self._remotes.fetch(self.url, repository.path, refspecs, depth=1, timeout=timeout, trusted=self._trusted)
        (repository.path / _INTERRUPTED).unlink()

    def _remove(self) -> None:
        """Whole or not at all: moved aside first."""
        for folder in self._copies():
            aside = Path(tempfile.mkdtemp(dir=self._cache, prefix="discarded-"))
            folder.rename(aside / "repository")
            shutil.rmtree(aside, ignore_errors=True)

    def _copies(self) -> list[Path]:
        """One at most, unless somebody was killed just then."""
        return sorted(self._cache.glob(f"{self._key}.*.git"))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._cache.mkdir(parents=True, exist_ok=True)
        with (self._cache / f"{self._key}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            _sweep(self._cache)
            yield


def _sweep(cache: Path) -> None:
    """Remove what somebody left behind who was killed over it, whichever repository it was a copy of."""
    for mark in (*cache.glob("discarded-*"), *cache.glob(f"*.git/{_INTERRUPTED}")):
        with suppress(OSError):  # another may be sweeping too
            if mark.lstat().st_mtime < time.time() - _STALE:
                shutil.rmtree(mark.parent if mark.name == _INTERRUPTED else mark, ignore_errors=True)


def _has(repository: Repository, commit: str) -> bool:
    try:
        return repository.peeled(f"refs/kept/{commit}") == commit
    except UpstreamUnavailable:
        return False
