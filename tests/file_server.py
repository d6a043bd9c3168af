"""A web server of files, well behaved or, on demand, not."""

from http.server import BaseHTTPRequestHandler

from tests.threaded_server import ThreadedServer


class FileServer(ThreadedServer):
    """Serves `files` by path (without the slash in front).

    `moved` maps paths to where they are now, `failing` paths to the statuses of their next answers; `drip` sends one
    byte of an answer a tenth of a second; `length` is said instead of the true one.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.files: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.failing: dict[str, list[int]] = {}
        self.drip = False
        self.length: int | None = None
        self.requests: list[str] = []

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}/{path}".rstrip("/")


class _Handler(BaseHTTPRequestHandler):
    @property
    def _files(self) -> FileServer:
        return self.server.owner  # type: ignore[attr-defined,no-any-return]

    def do_GET(self) -> None:
        files = self._files
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
        files = self._files
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
