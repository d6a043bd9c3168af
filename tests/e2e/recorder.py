"""A proxy in front of a registry that writes down what clients ask and are told; it changes nothing.

With an authority it speaks https to clients, as the proxies of companies do, and says so to the registry.
"""

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import trustme

_BETWEEN_TWO = {"connection", "keep-alive", "transfer-encoding", "date", "server"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer; header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    status: int
    answer: Mapping[str, str]
    body: bytes

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


class Recorder:
    """`seen` are all exchanges in order; paths in `held` go on being answered as they were at first."""

    def __init__(self, upstream: str, *, authority: trustme.CA | None = None) -> None:
        self.upstream = urlsplit(upstream)
        self.seen: list[Exchange] = []
        self.held: set[str] = set()
        self.scheme = "https" if authority else "http"
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.recorder = self
        if authority:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def port(self) -> int:
        return self._http.server_port

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def of(self, ending: str) -> list[Exchange]:
        """The exchanges whose path ends so."""
        return [item for item in self.seen if item.path.endswith(ending)]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    recorder: Recorder

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is none of our business."""


class _Handler(BaseHTTPRequestHandler):
    server: _Http

    def do_GET(self) -> None:
        recorder = self.server.recorder
        parts = urlsplit(self.path)
        held = next((item for item in recorder.seen if item.path == parts.path and item.path in recorder.held), None)
        exchange = held or self._forward()
        recorder.seen.append(exchange)
        self.send_response(exchange.status)
        for name, value in exchange.answer.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(exchange.body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _forward(self) -> Exchange:
        recorder = self.server.recorder
        parts = urlsplit(self.path)
        asked = {name.lower(): value for name, value in self.headers.items()}
        passed = {name: value for name, value in asked.items() if name not in _BETWEEN_TWO}
        forwarded = {"X-Forwarded-Proto": recorder.scheme, "X-Forwarded-For": self.client_address[0]}
        connection = HTTPConnection(recorder.upstream.hostname or "", recorder.upstream.port, timeout=30)
        try:
            connection.request(self.command, self.path, headers=passed | forwarded)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        answer = {name.lower(): value for name, value in response.getheaders() if name.lower() not in _BETWEEN_TWO}
        return Exchange(self.command, parts.path, parts.query, asked, response.status, answer, body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it)
        """Tests read `seen` instead."""
