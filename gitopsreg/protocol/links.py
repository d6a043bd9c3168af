"""Links to stored bytes: signed, so that only who was given one can fetch. Knows no clock: it is told the time.

The signature covers the path and the expiry, and nothing else: module clients take `archive` and `checksum` out of the
query and sort what is left. HEAD and GET are signed alike, since clients send both.
"""

import hmac
import re
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import NoReturn
from urllib.parse import quote

from gitopsreg.errors import ConfigError, LinkRefused
from gitopsreg.index.model import Content, Remote
from gitopsreg.model.digest import Sha256

PREFIX = "/artifacts/"

# (digest, file name) -> a path with its signed query
Link = Callable[[Sha256, str], str]

_SHORTEST_KEY = 32
_EXPIRES = re.compile(r"[1-9][0-9]{0,11}")
_AGAIN = "run the command again: it asks the registry for a fresh one"


def url_of(content: Content, filename: str, link: Link, base: str = "") -> str:
    """Where clients fetch something: here, by a link after `base` (our own origin), or where it stayed."""
    return content.url if isinstance(content, Remote) else base + link(content.sha256, filename)


def artifact_path(digest: Sha256, filename: str) -> str:
    """The path as the server sees it, not yet quoted for a URL."""
    return f"{PREFIX}{digest.hex}/{filename}"


class LinkSigner:
    """Signs and verifies with one key.

    A link lives at least `ttl` and at most `ttl + window`: the expiry is rounded up to whole windows, so that answers
    that carry links (and their ETags) stay the same inside one. Raises ConfigError for a short key or no time.
    """

    def __init__(
        self, key: bytes, *, ttl: timedelta = timedelta(hours=1), window: timedelta = timedelta(minutes=10)
    ) -> None:
        if len(key) < _SHORTEST_KEY:
            raise ConfigError(f"the link key has {len(key)} bytes: it must have {_SHORTEST_KEY} or more, random ones")
        if ttl < timedelta(seconds=1) or window < timedelta(seconds=1):
            raise ConfigError(f'links can\'t live "{ttl}" in windows of "{window}": both take a second or more')
        self._key = key
        self._ttl = int(ttl.total_seconds())
        self._window = int(window.total_seconds())

    def sign(self, path: str, now: float) -> str:
        """The path, quoted for a URL, with its query. `+` stays `+`: clients and we read paths literally."""
        expires = -(-(int(now) + self._ttl) // self._window) * self._window
        return f"{quote(path, safe='/+~')}?expires={expires}&signature={self._signature(path, str(expires))}"

    def same_until(self, now: float) -> float:
        """Until when links are signed as they are now, in seconds since 1970."""
        return float(-(-(int(now) + self._ttl) // self._window) * self._window - self._ttl + 1)

    def verify(self, path: str, expires: str, signature: str, now: float) -> None:
        """Raises LinkRefused. `path` is the decoded path of the request."""
        if not _EXPIRES.fullmatch(expires) or not signature:
            _refuse("this link is not signed: links to artifacts are handed out by the registry's download answers")
        if not hmac.compare_digest(self._signature(path, expires).encode(), signature.encode()):
            _refuse("the signature of this link does not match: it was altered, or the registry's key has changed")
        if now >= int(expires):
            _refuse(f"this link has expired; {_AGAIN}")
        # Ours never live this long: signed under longer-lived settings. One window more for clocks that differ.
        if int(expires) > now + self._ttl + 2 * self._window:
            _refuse(f"this link lives longer than links of this registry may; {_AGAIN}")

    def _signature(self, path: str, expires: str) -> str:
        return hmac.new(self._key, f"{path}\n{expires}".encode(), sha256).hexdigest()


def _refuse(why: str) -> NoReturn:
    raise LinkRefused(why)
