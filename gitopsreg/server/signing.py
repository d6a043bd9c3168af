"""The signer of links whose key lies in the store: read where snapshots are refreshed, asked for by requests in memory.

A server may start before any reconciler has made the key, and its store may go away: then the last key stays.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from gitopsreg.errors import StorageError
from gitopsreg.index.keys import LINK_KEY
from gitopsreg.index.link_key import read_link_key
from gitopsreg.protocol.links import LinkSigner
from gitopsreg.storage.base import BlobReader

_MISSING = f'the store has no "{LINK_KEY}" yet: a reconcile makes it'


class StoredSigner:
    """One thread at a time refreshes; any thread may ask. `kept` is what an earlier process had kept: it is asked while
    there is no key yet and the store has none.
    """

    def __init__(
        self, *, ttl: timedelta, kept: BlobReader | None = None, report: Callable[[str], None] = lambda _: None
    ) -> None:
        self._ttl = ttl
        self._kept = kept
        self._report = report
        self._key = b""
        self._signer: LinkSigner | None = None
        self._error = _MISSING
        self._told = ""

    def current(self) -> LinkSigner:
        """Raises StorageError while there was never a key; reads nothing."""
        if self._signer is None:
            raise StorageError(self._error)
        return self._signer

    def refresh(self, reader: BlobReader) -> None:
        """Read the key again: it may have come, or been made anew. Never raises StorageError."""
        try:
            key = read_link_key(reader)
        except StorageError as error:
            self._complain(str(error))
            return
        if key is None:
            self._complain(_MISSING)
            return
        if key != self._key:
            self._key, self._signer = key, LinkSigner(key, ttl=self._ttl)
        self._told = ""

    def _recall(self) -> None:
        """The key that an earlier process had, while there is no other."""
        with suppress(StorageError):
            key = read_link_key(self._kept) if self._kept and self._signer is None else None
            if key is not None:
                self._key, self._signer = key, LinkSigner(key, ttl=self._ttl)

    def _complain(self, error: str) -> None:
        """Once an outage, not once a look."""
        self._recall()
        self._error = error
        if error != self._told:
            self._report(f"the key of download links can't be read: {error}")
        self._told = error
