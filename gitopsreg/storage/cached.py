"""A reader that keeps on this machine what it read: documents by their digest, and the last copy of what changes.

Documents named by their content are read here first, so that a second start asks a remote store for little. A cache
that is broken, torn or can't be written is as if it were not there. The folder is for its owner alone: a key may be
among the copies.
"""

import math
import os
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from gitopsreg.storage.base import BlobReader, LinkTerms, Stored, Token, check_key
from gitopsreg.storage.filesystem import FilesystemReader

_DIGEST = re.compile(r"[0-9a-f]{64}")
# Another process on the same folder may be about to need what this one no longer does.
_STRAY_AFTER = 60 * 60  # seconds


class CachedReader:
    """A `BlobReader` around another. `copied` are the keys whose values change and whose last copy is kept.

    `settle` says that what was read is whole: only then copies are written, so that they never lead to what is not
    here.
    """

    def __init__(
        self,
        inner: BlobReader,
        folder: Path,
        *,
        copied: Collection[str],
        report: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._inner = inner
        self._folder = folder
        self._copied = copied
        self._report = report
        self._clock = clock
        self._seen: dict[str, bytes] = {}
        self._written: dict[str, bytes] = {}
        self._broken = False
        self._swept = -math.inf

    @property
    def kept(self) -> BlobReader:
        """What is here, without the store. A copy was `modified` when it was last settled."""
        return FilesystemReader(self._folder)

    def settle(self, needed: Callable[[], Iterable[str]] | None = None) -> None:
        """Write the copies; they are as fresh as now. With `needed`, documents that are not among them go, if old: all
        of the folder is looked through for that, so it is done now and then.
        """
        for key, data in self._seen.items():
            if self._written.get(key) == data:
                with suppress(OSError):
                    os.utime(self._folder / key)
            elif self._write(key, data):
                self._written[key] = data
        if needed is not None and not self._broken and self._clock() >= self._swept + _STRAY_AFTER:
            self._swept = self._clock()
            self._forget_all_but(frozenset(needed()))

    def get(self, key: str) -> bytes:
        digest = check_key(key).rpartition("/")[2]
        if not _DIGEST.fullmatch(digest):
            return self._noted(key, self._inner.get(key))
        data = self._read(key, digest)
        if data is None:
            data = self._inner.get(key)
            if sha256(data).hexdigest() == digest:
                self._write(key, data)
        return data

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        data, token = self._inner.get_with_token(key)
        return self._noted(key, data), token

    def size(self, key: str) -> int:
        return self._inner.size(key)

    def stat(self, key: str) -> Stored:
        return self._inner.stat(key)

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        return self._inner.chunks(key, start, length)

    def keys(self, prefix: str) -> Iterator[str]:
        return self._inner.keys(prefix)

    def listing(self, prefix: str) -> Iterator[Stored]:
        return self._inner.listing(prefix)

    def link(self, key: str, terms: LinkTerms) -> str | None:
        return self._inner.link(key, terms)

    def _noted(self, key: str, data: bytes) -> bytes:
        if key in self._copied:
            self._seen[key] = data
        return data

    def _read(self, key: str, digest: str) -> bytes | None:
        with suppress(OSError):
            data = (self._folder / key).read_bytes()
            if sha256(data).hexdigest() == digest:
                return data
        return None

    def _write(self, key: str, data: bytes) -> bool:
        """Once it fails nothing more is written: half a cache is none, and the last whole one stays."""
        if self._broken:
            return False
        path = self._folder / key
        temporary = path.with_name(f"{path.name}~{secrets.token_hex(8)}")
        try:
            _make_private(self._folder, path.parent)
            with open(temporary, "xb", opener=_private) as file:
                file.write(data)
            temporary.replace(path)
        except OSError as error:
            self._broken = True
            self._report(
                f'nothing more can be kept in the cache "{self._folder}" ({error.strerror}): '
                "a server that starts while the store is gone needs it"
            )
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        return not self._broken

    def _forget_all_but(self, needed: frozenset[str]) -> None:
        before = self._clock() - _STRAY_AFTER
        for path in self._folder.glob("**/*"):
            key = path.relative_to(self._folder).as_posix()
            if key in needed or key in self._copied:
                continue
            with suppress(OSError):
                if path.is_file() and path.stat().st_mtime < before:
                    path.unlink()


def _make_private(folder: Path, below: Path) -> None:
    if not below.is_dir():
        folder.mkdir(0o700, parents=True, exist_ok=True)
        below.mkdir(0o700, parents=True, exist_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
