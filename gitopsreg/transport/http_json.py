"""Questions to other registries over HTTP: small answers, bounded in size and time, asked again where that may help.

Another door to httpx. A token goes to the host that it is for and nowhere else, also not after a redirect; and never in
the clear to a host that was asked with encryption before.
"""

import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

from gitopsreg import __version__
from gitopsreg.errors import InvalidName, UpstreamUnavailable, quoted
from gitopsreg.transport.address_guard import check_address
from gitopsreg.transport.location import Location

_LARGEST = 16 * 1024 * 1024
_MOST_REDIRECTS = 3
_TRIES = 3
_LONGEST_PAUSE = 30.0
_AGAIN = frozenset({429, 500, 502, 503, 504})
_MOVED = frozenset({301, 302, 303, 307, 308})
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
# What OpenSSL calls an answer that is no record of TLS.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
_ELSEWHERE = "name a registry on another machine"

# "registry.example.com" or "registry.example.com:8443" → its token
Token = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """`url` is where it came from in the end. Names of `headers` are lower case."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes


class Asker:
    """Safe for threads. `allow_local` lets it ask this machine, and ask without encryption."""

    def __init__(
        self,
        *,
        token: Token = lambda _host: None,
        allow_local: bool = False,
        seconds: float = 60,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._token = token
        self._allow_local = allow_local
        self._seconds = seconds
        self._pause = pause
        self._encrypted: set[str] = set()
        self._client = httpx.Client(timeout=min(seconds, 20), follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str) -> Answer:
        """The answer, whatever its status. Raises UpstreamUnavailable when none comes, or the host is off limits."""
        for attempt in range(_TRIES):
            answer = self._followed(url)
            if answer.status not in _AGAIN or attempt == _TRIES - 1:
                break
            self._pause(_pause_asked(answer, 2.0**attempt))
        return answer

    def _followed(self, url: str) -> Answer:
        first = urlsplit(url).hostname
        for _ in range(_MOST_REDIRECTS + 1):
            self._check(url)
            in_the_clear = self._is_in_the_clear(url)  # noted of every host, also of one that gets no token now
            answer = self._once(url, with_token=urlsplit(url).hostname == first and not in_the_clear)
            if answer.status not in _MOVED or "location" not in answer.headers:
                return answer
            url = urljoin(url, answer.headers["location"])
        raise UpstreamUnavailable(f"{quoted(url)}: more than {_MOST_REDIRECTS} redirects", reason="Moved")

    def _is_in_the_clear(self, url: str) -> bool:
        """Whether this would give away what its host was told with encryption, now or in an earlier question."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            self._encrypted.add(host)
        return parts.scheme != "https" and host in self._encrypted

    def _check(self, url: str) -> None:
        try:
            location = Location.parse(url.partition("?")[0])
        except InvalidName as error:
            raise UpstreamUnavailable(f"{quoted(url)} is no URL of a registry") from error
        if location.scheme != "https" and not (location.scheme == "http" and self._allow_local):
            right = "registries are asked over https:// (--allow-local-sources permits http://)"
            raise UpstreamUnavailable(f"{quoted(url)} is refused: {right}")
        check_address(location, allow_loopback=self._allow_local, right=_ELSEWHERE)

    def _once(self, url: str, *, with_token: bool) -> Answer:
        token = self._token(urlsplit(url).netloc.lower()) if with_token else None
        headers = {"User-Agent": f"gitopsreg/{__version__}", "Accept": "application/json"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        try:
            with self._client.stream("GET", url, headers=headers) as response:
                body = self._body(response, url)
                found = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, url, found, body)
        except httpx.TimeoutException as error:
            raise UpstreamUnavailable(f"{quoted(url)} did not answer in time", reason="Timeout") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _unreadable(url, error) from error

    def _body(self, response: httpx.Response, url: str) -> bytes:
        """A server that drips bytes has its time limit too."""
        started = time.monotonic()
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > _LARGEST:
                raise UpstreamUnavailable(f"{quoted(url)} answers with more than {_LARGEST:,} bytes")
            if time.monotonic() - started > self._seconds:
                raise UpstreamUnavailable(f"{quoted(url)} took longer than {self._seconds:g} seconds", reason="Timeout")
        return bytes(body)


def _unreadable(url: str, error: Exception) -> UpstreamUnavailable:
    """Where encryption is what went wrong, in words; OpenSSL names its own source files."""
    said = _ERRNO.sub("", str(error)) or type(error).__name__
    cause = _tls_error(error)
    if cause is None:
        return UpstreamUnavailable(f"{quoted(url)} can't be read: {said}")
    if isinstance(cause, ssl.SSLCertVerificationError):
        return UpstreamUnavailable(f"{quoted(url)} can't be read: {cause.verify_message}", reason="TLSFailed")
    if cause.reason in _NO_TLS:
        return UpstreamUnavailable(f"{quoted(url)} can't be read: what answers speaks no TLS", reason="TLSFailed")
    why = (cause.reason or "it ended the conversation").replace("_", " ").lower()
    # Not `TLSFailed`: no advice to do without encryption where there is some.
    return UpstreamUnavailable(f"{quoted(url)} can't be read: no agreement on TLS ({why})")


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _pause_asked(answer: Answer, usual: float) -> float:
    """Seconds, as the server wishes, within reason."""
    asked = answer.headers.get("retry-after", "")
    return min(float(asked), _LONGEST_PAUSE) if asked.isdecimal() else usual
