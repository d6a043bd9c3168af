"""An HTTP server between us and a store's: it writes down what passes, and spoils the answers it is told to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

Answer = tuple[int, list[tuple[str, str]], bytes]


@dataclass(frozen=True, slots=True)
class Passed:
    """A request that passed: header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Spoiled:
    """The next request of this method whose path holds `part`."""

    method: str
    part: str
    status: int = 0  # instead of asking the server, when not 0
    body: bytes = b""
    cut: int | None = None  # bytes of the server's body that get through, if not all; -1: not even the headers
    then: Callable[[], object] = field(default=lambda: None)  # done when the server has answered


class Relay:
    def __init__(self, target: str) -> None:
        self.passed: list[Passed] = []
        self._spoiled: list[_Spoiled] = []
        self._target = urlsplit(target).netloc
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._server.daemon_threads = False  # so that closing waits for them
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, method: str, status: int, body: str, part: str = "", times: int = 1) -> None:
        """Answer by itself."""
        self._spoiled += [_Spoiled(method, part, status=status, body=body.encode())] * times

    def lose(self, method: str, part: str = "", then: Callable[[], object] = lambda: None) -> None:
        """Let the server do it, and break the connection instead of answering."""
        self._spoiled.append(_Spoiled(method, part, cut=-1, then=then))

    def delay(self, method: str, then: Callable[[], object]) -> None:
        """Do something before the server's answer gets through."""
        self._spoiled.append(_Spoiled(method, "", then=then))

    def cut(self, method: str, after: int, times: int = 1, then: Callable[[], object] = lambda: None) -> None:
        """Break the connection `after` this many bytes of the answer's body."""
        self._spoiled += [_Spoiled(method, "", cut=after, then=then)] * times

    def those(self, method: str, part: str = "") -> list[Passed]:
        return [passed for passed in self.passed if passed.method == method and part in passed.path]

    @contextmanager
    def running(self) -> Iterator["Relay"]:
        thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def take(self, request: Passed) -> Answer | None:
        """What to answer; None: break the connection."""
        self.passed.append(request)
        spoiled = next((it for it in self._spoiled if it.method == request.method and it.part in request.path), None)
        if spoiled is None:
            return self._ask(request)
        self._spoiled.remove(spoiled)
        if spoiled.status:
            return spoiled.status, [("Content-Length", str(len(spoiled.body)))], spoiled.body
        status, headers, data = self._ask(request)
        spoiled.then()
        return None if spoiled.cut == -1 else (status, headers, data[: spoiled.cut])

    def _ask(self, request: Passed) -> Answer:
        connection = HTTPConnection(self._target)
        kept = {name: value for name, value in request.headers.items() if name not in {"connection", "expect"}}
        try:
            connection.request(request.method, request.path, request.body, kept)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    """One request a connection, so that none is open when the relay closes."""

    protocol_version = "HTTP/1.1"  # clients wait for the "100 Continue" of this version

    def __init__(self, relay: Relay, *rest: Any) -> None:
        self._relay = relay
        super().__init__(*rest)

    def do_GET(self) -> None:
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self._relay.take(Passed(self.command, self.path, headers, body))
        with suppress(ConnectionError):  # the client has heard enough
            if answer is not None:
                self._send(*answer)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the base class looks for these names

    def _send(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"connection", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass
