"""Links to one blob, for reading, until they expire: signed by the account's key, or by one that Azure delegates.

A SAS token that we were given signs nothing, and is never handed on: it opens more than one blob.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from urllib.parse import quote

from gitopsreg.errors import StorageError
from gitopsreg.storage.azure_client import Container, SigningKey
from gitopsreg.storage.azure_credentials import AccountKey, EntraId
from gitopsreg.storage.base import LinkTerms

_UNSAFE = re.compile(r"[^0-9A-Za-z._+-]")
_DAY = timedelta(days=1)
_LONGEST = timedelta(days=7) - timedelta(hours=1)  # Azure's limit for delegated keys, and for clocks that differ
_MARGIN = timedelta(minutes=5)
_PAUSE = timedelta(seconds=5)


class Links:
    """Makes links to blobs of a container. `base` is what they start with instead of the endpoint."""

    def __init__(self, container: Container, base: str | None = None) -> None:
        self._container = container
        self._base = (base or container.endpoint).rstrip("/")
        self._delegated = DelegatedKey(container.delegation_key)

    def make(self, key: str, terms: LinkTerms) -> str | None:
        """None if there is nothing to sign with. Raises StorageError."""
        now = datetime.now(UTC)
        expiry = now + terms.lifetime
        signing = self._key(now, expiry)
        if signing is None:
            return None
        disposition = f'attachment; filename="{_UNSAFE.sub("_", terms.filename)}"'
        query = self._container.signature(key, signing, expiry, disposition, terms.content_type)
        return f"{self._base}/{self._container.name}/{quote(self._container.prefix + key)}?{query}"

    def _key(self, now: datetime, expiry: datetime) -> SigningKey | None:
        match self._container.credential:
            case AccountKey() as key:
                return key
            case EntraId():
                return self._delegated.get(now, expiry)
            case _:
                return None


class DelegatedKey:
    """Asked for once, by whichever thread comes first, and again shortly before a link would outlive it."""

    def __init__(self, ask: Callable[[datetime], SigningKey]) -> None:
        self._ask = ask
        self._key: SigningKey | None = None
        self._expiry = self._refused = datetime.min.replace(tzinfo=UTC)
        self._lock = Lock()

    def get(self, now: datetime, expiry: datetime) -> SigningKey:
        """A key for a link that ends at `expiry`. Raises StorageError when Azure gives none."""
        with self._lock:
            if self._key is None or self._expiry < expiry + _MARGIN:
                until = min(expiry + _DAY, now + _LONGEST)
                # Both or none: while Azure gives no new key the old one must not seem to live longer.
                self._key, self._expiry = self._new(now, expiry, until), until
            return self._key

    def _new(self, now: datetime, expiry: datetime, until: datetime) -> SigningKey:
        if expiry + _MARGIN > now + _LONGEST:
            raise StorageError("a link can't live for so long: without an account key 6 days are what Azure allows")
        # Those who waited while it failed should not each try as long again.
        if now < self._refused + _PAUSE:
            raise StorageError("Azure has just refused a key that signs links: try again in some seconds")
        try:
            return self._ask(until)
        except StorageError:
            self._refused = datetime.now(UTC)
            raise
