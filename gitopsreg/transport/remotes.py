"""Git repositories elsewhere: their refs, and their content brought into a folder here.

Every conversation happens in a worker process with a deadline that holds: libgit2's own time limits are for single
reads, and a server that drips bytes would keep a thread for ever. Which URLs are allowed at all is decided here.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from threading import BoundedSemaphore, Lock
from types import TracebackType
from typing import Any, Self

from gitopsreg.errors import InvalidName, UpstreamUnavailable
from gitopsreg.transport.advertisement import Advertisement
from gitopsreg.transport.child import Child
from gitopsreg.transport.failures import too_slow
from gitopsreg.transport.home import Home
from gitopsreg.transport.location import Location

# All that a worker may see of our environment: how to reach the network, nothing else.
_PASSED = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)


class Remotes:
    """Safe for threads. Workers start on first use, stay for the next call, and end with `close` or with us.

    `credentials_file` is in the format of git's credential store; `ssh_directory` holds `known_hosts` and keys;
    `certificates` is a PEM file of authorities to trust instead of the system's.
    """

    def __init__(
        self,
        *,
        credentials_file: Path | None = None,
        ssh_directory: Path | None = None,
        allow_local: bool = False,
        certificates: Path | None = None,
        workers: int = 4,
    ) -> None:
        self._credentials = credentials_file
        self._ssh = ssh_directory
        self._allow_local = allow_local
        self._environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        if certificates:
            self._environment["SSL_CERT_FILE"] = str(certificates.absolute())
        self._slots = BoundedSemaphore(workers)
        self._lock = Lock()
        self._idle: list[Child] = []
        self._busy: dict[Child, Home] = {}
        self._closed = False
        self._home: Home | None = None

    def refs(self, url: str, *, timeout: timedelta, trusted: bool = False) -> dict[str, str]:
        """Full ref names and "HEAD" with their commits, annotated tags peeled. Raises UpstreamUnavailable.

        A `trusted` URL is the operator's own word: it may be local, and its address is not judged.
        """
        return self.advertised(url, timeout=timeout, trusted=trusted).refs

    def advertised(self, url: str, *, timeout: timedelta, trusted: bool = False) -> Advertisement:
        """As `refs`, with the branch that HEAD points to. Raises UpstreamUnavailable."""
        answer = self._ask({"operation": "refs", "url": url, "trusted": trusted}, timeout)
        return Advertisement(refs=answer["refs"], head=answer["head"])

    def fetch(
        self,
        url: str,
        into: Path,
        refspecs: Sequence[str],
        *,
        depth: int,
        timeout: timedelta,
        trusted: bool = False,
    ) -> None:
        """Bring refs into a repository made by `git.create`; `depth` 0 is all history. Raises UpstreamUnavailable.

        A ref that the remote has not is passed over in silence.
        """
        request = {"operation": "fetch", "url": url, "trusted": trusted}
        request |= {"into": str(into.absolute()), "refspecs": list(refspecs), "depth": depth}
        self._ask(request, timeout)

    def close(self) -> None:
        """End all workers; conversations that are under way fail. May be called again."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for child in self._busy:
                child.kill()
            home, self._home = self._home, None
        for child in idle:
            child.stop()
        if home:
            home.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ask(self, request: Mapping[str, Any], timeout: timedelta) -> dict[str, Any]:
        url = str(request["url"])
        self._check(url, trusted=bool(request["trusted"]))
        seconds = timeout.total_seconds()
        with self._slots:
            try:
                answer = self._answer({**request, "seconds": seconds}, seconds)
            except TimeoutError as error:
                raise too_slow(url, seconds) from error
            except EOFError as error:
                raise UpstreamUnavailable(f'"{url}" can\'t be read: the process that asked it ended') from error
            except OverflowError as error:
                raise UpstreamUnavailable(f'"{url}" can\'t be read: it has too many branches and tags') from error
        if "error" in answer:
            raise UpstreamUnavailable(answer["error"], reason=answer["reason"])
        return answer

    def _answer(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Raises what Child.ask raises."""
        child, is_fresh = self._take()
        try:
            answer = child.ask(request, seconds=seconds)
        except BaseException as error:
            self._drop(child)
            if isinstance(error, EOFError) and not is_fresh:
                # Somebody killed it while it waited for work.
                return self._answer(request, seconds)
            raise
        if answer.get("reason") == UpstreamUnavailable.default_reason:
            # Nobody knows what went wrong; libgit2 remembers files by their path, and may remember broken ones.
            self._drop(child)
        else:
            self._give_back(child)
        return answer

    def _check(self, url: str, *, trusted: bool) -> None:
        try:
            location = Location.parse(url)
        except InvalidName as error:
            raise UpstreamUnavailable(str(error)) from error
        if location.is_local and not (trusted or self._allow_local):
            raise UpstreamUnavailable(
                f'"{url}" is on this machine: sources there are only read with --allow-local-sources'
            )

    def _take(self) -> tuple[Child, bool]:
        """A worker, and whether it was started just now."""
        with self._lock:
            if self._closed:
                raise UpstreamUnavailable("the connection to Git servers is closed")
            home = self._whole_home()
            is_fresh = not self._idle
            child = Child(self._setup(home), self._environment) if is_fresh else self._idle.pop()
            self._busy[child] = home
            return child, is_fresh

    def _give_back(self, child: Child) -> None:
        with self._lock:
            home = self._busy.pop(child)
            if not self._closed and home is self._home:
                self._idle.append(child)
                return
        child.stop()

    def _drop(self, child: Child) -> None:
        with self._lock:
            del self._busy[child]
        child.stop()

    def _whole_home(self) -> Home:
        """The home, made anew when somebody cleared it away: then workers that know the old one are of no more use."""
        if self._home and not self._home.is_whole():
            idle, self._idle = self._idle, []
            for child in idle:
                child.stop()
            self._home.remove()
            self._home = None
        if self._home is None:
            self._home = Home(self._ssh)
        return self._home

    def _setup(self, home: Home) -> dict[str, Any]:
        return {
            "home": str(home.path),
            "scratch": str(home.scratch),
            "credentials": str(self._credentials.absolute()) if self._credentials else None,
            "allow_local": self._allow_local,
        }
