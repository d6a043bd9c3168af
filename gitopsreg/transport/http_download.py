"""Files from web servers as streams, bounded in size and time. A door to httpx; sends no login, and keeps nothing.

Redirects are followed to https only, and every address on the way is checked as those of Git servers are.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Self
from urllib.parse import urljoin

import httpx

from gitopsreg import __version__
from gitopsreg.errors import IntegrityError, InvalidName, UpstreamUnavailable, quoted
from gitopsreg.transport.address_guard import check_address
from gitopsreg.transport.location import Location

_MOST_REDIRECTS = 5
_TRIES = 3
_AGAIN = frozenset({429, 500, 502, 503, 504})
# For a connection, and for each read.
_SILENCE = 20.0
_ELSEWHERE = "files are fetched from web servers of other machines"
_HEADERS = {"User-Agent": f"gitopsreg/{__version__}", "Accept-Encoding": "identity"}
_REASONS = {401: "AuthenticationFailed", 403: "AuthenticationFailed", 404: "NotFound", 410: "NotFound"}


class Downloads:
    """Safe for threads; connections are kept for the next file. `allow_local` lets it ask this machine, and without
    encryption.
    """

    def __init__(self, *, allow_local: bool = False, pause: Callable[[float], None] = time.sleep) -> None:
        self._allow_local = allow_local
        self._pause = pause
        self._client = httpx.Client(timeout=_SILENCE, follow_redirects=False, headers=_HEADERS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def pieces(self, url: str, *, limit: int, timeout: timedelta) -> Iterator[bytes]:
        """All of the file, within `timeout`. Raises UpstreamUnavailable, IntegrityError (`TooLarge`) past `limit`."""
        deadline = time.monotonic() + timeout.total_seconds()
        with _explained(url), self._opened(url, deadline) as response:
            _check_length(response, url, limit)
            received = 0
            # Pieces as they come: a server that drips would take its time to fill larger ones.
            for piece in response.iter_raw():
                received += len(piece)
                if received > limit:
                    raise _too_large(url, limit)
                if time.monotonic() > deadline:
                    raise _too_slow(url)
                yield piece

    @contextmanager
    def _opened(self, url: str, deadline: float) -> Iterator[httpx.Response]:
        """The answer with the file; asked for again while the server says that it may come."""
        for attempt in range(_TRIES):
            response = self._followed(url, deadline)
            try:
                if response.status_code == httpx.codes.OK:
                    yield response
                    return
            finally:
                response.close()
            if response.status_code not in _AGAIN:
                break
            if attempt < _TRIES - 1:
                self._pause(2.0**attempt)
        reason = _REASONS.get(response.status_code)
        raise UpstreamUnavailable(f"{quoted(url)} answers with status {response.status_code}", reason=reason)

    def _followed(self, url: str, deadline: float) -> httpx.Response:
        first = url
        for _ in range(_MOST_REDIRECTS + 1):
            if time.monotonic() > deadline:
                raise _too_slow(first)
            self._check(url, first)
            response = self._client.send(self._client.build_request("GET", url), stream=True)
            if not response.has_redirect_location:
                return response
            response.close()
            url = urljoin(url, response.headers["location"])
        raise UpstreamUnavailable(f"{quoted(first)} redirects more than {_MOST_REDIRECTS} times", reason="Moved")

    def _check(self, url: str, first: str) -> None:
        try:
            location = Location.parse(url.partition("#")[0].partition("?")[0])
        except InvalidName as error:
            raise UpstreamUnavailable(f"{quoted(first)} leads to {quoted(url)}, which is no URL of a file") from error
        if location.scheme != "https" and not (location.scheme == "http" and self._allow_local):
            raise UpstreamUnavailable(f"{quoted(first)} leads to {quoted(url)}: files are fetched over https:// only")
        check_address(location, allow_loopback=self._allow_local, right=_ELSEWHERE)


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        raise _too_slow(url) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise UpstreamUnavailable(f"{quoted(url)} can't be read: {_said(error)}") from error


def _said(error: Exception) -> str:
    text = str(error)
    return quoted(text)[1:-1] if text else type(error).__name__


def _check_length(response: httpx.Response, url: str, limit: int) -> None:
    said = response.headers.get("content-length", "")
    if said.isdecimal() and int(said) > limit:
        raise _too_large(url, limit)


def _too_large(url: str, limit: int) -> IntegrityError:
    return IntegrityError(f"{quoted(url)} is larger than the {limit} bytes that are allowed", reason="TooLarge")


def _too_slow(url: str) -> UpstreamUnavailable:
    return UpstreamUnavailable(f"{quoted(url)} did not come in time", reason="Timeout")
