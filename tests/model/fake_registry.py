"""A registry that only lists versions and remembers which one it was then asked for."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote


class FakeRegistry(ThreadingHTTPServer):
    """`chosen` maps a path like `acme/m1/aws` (module) or `acme/p1` (provider) to the version asked for."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, versions: Mapping[str, Sequence[str]]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.versions = versions
        self.chosen: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str) -> bytes | None:
        service, _, rest = path.removeprefix("/v1/").partition("/")
        parts = unquote(rest).split("/")
        size = 3 if service == "modules" else 2
        package = "/".join(parts[:size])
        if parts[size:] == ["versions"]:
            listed = [{"version": version} for version in self.versions[package]]
            document = {"modules": [{"versions": listed}]} if service == "modules" else {"versions": listed}
            return json.dumps(document).encode()
        self.chosen[package] = parts[size]
        return None


class _Answer(BaseHTTPRequestHandler):
    server: FakeRegistry
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet: else every request waits for a delayed acknowledgement

    def do_GET(self) -> None:
        body = self.server.answer(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving(versions: Mapping[str, Sequence[str]]) -> Iterator[FakeRegistry]:
    with FakeRegistry(versions) as registry:
        thread = Thread(target=registry.serve_forever)
        thread.start()
        try:
            yield registry
        finally:
            registry.shutdown()
            thread.join()
