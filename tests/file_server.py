"""A web server of files, well behaved or, on demand, not."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class FileServer:
    """Serves `files` by path (without the slash in front).

    `moved` maps paths to where they are now, `failing` paths to the statuses of their next answers; `drip` sends one
    byte of an answer a tenth of a second; `length` is said instead of the true one.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.failing: dict[str, list[int]] = {}
        self.drip = False
        self.length: int | None = None
        self.requests: list[str] = []
        self.stopping = threading.Event()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.server = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self._http.server_port}/{path}".rstrip("/")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    server: FileServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Http

    def do_GET(self) -> None:
        files = self.server.server
        path = self.path.lstrip("/")
        files.requests.append(path)
        if statuses := files.failing.get(path):
            self._answer(statuses.pop(0), b"not now")
        elif path in files.moved:
            self._answer(302, b"", location=files.moved[path])
        elif path in files.files:
            self._answer(200, files.files[path])
        else:
            self._answer(404, b"nothing here")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, status: int, body: bytes, location: str = "") -> None:
        files = self.server.server
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body) if files.length is None else files.length))
        self.end_headers()
        if self.command == "HEAD":
            return
        for piece in (body[at : at + 1] for at in range(len(body))) if files.drip else (body,):
            if files.drip and files.stopping.wait(0.1):
                return
            self.wfile.write(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it)
        """Tests read `requests` instead."""
