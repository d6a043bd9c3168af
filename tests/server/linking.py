"""A store that signs links, and the little web server that honours them, as a cloud's object store does."""

import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from gitopsreg.errors import StorageError
from gitopsreg.storage.base import BlobReader, LinkTerms, Stored, Token

_SECRET = b"the store's own secret"


@dataclass
class Linking:
    """A reader that signs links to `url`. `asked` lists the keys that links were asked for, `read` those read.

    `fault` is raised instead of signing; `silent` signs nothing; signing waits for `signs`, reading for `answers`.
    """

    inner: BlobReader
    url: str = ""
    fault: Exception | None = None
    silent: bool = False
    asked: list[tuple[str, LinkTerms]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    signs: threading.Event = field(default_factory=threading.Event)
    answers: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.signs.set()
        self.answers.set()

    def link(self, key: str, terms: LinkTerms) -> str | None:
        self.asked.append((key, terms))
        if not self.signs.wait(60):
            raise StorageError("nobody let it go on")
        if self.fault is not None:
            raise self.fault
        query = urlencode({"type": terms.content_type, "name": terms.filename})
        path = f"/{key}?{query}"
        return None if self.silent else f"{self.url}{path}&signature={_signature(path)}"

    def _look(self, key: str) -> BlobReader:
        self.read.append(key)
        if not self.answers.wait(60):
            raise StorageError("nobody let it go on")
        return self.inner

    def get(self, key: str) -> bytes:
        return self._look(key).get(key)

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        return self._look(key).get_with_token(key)

    def size(self, key: str) -> int:
        return self._look(key).size(key)

    def stat(self, key: str) -> Stored:
        return self._look(key).stat(key)

    def keys(self, prefix: str) -> Iterator[str]:
        return self._look(prefix).keys(prefix)

    def listing(self, prefix: str) -> Iterator[Stored]:
        return self._look(prefix).listing(prefix)

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        return self._look(key).chunks(key, start, length)


def _signature(path: str) -> str:
    return hmac.new(_SECRET, path.encode(), sha256).hexdigest()


@contextmanager
def linking(inner: BlobReader) -> Iterator[Linking]:
    """The store, with its web server running: GET by a signed link and nothing else, HEAD neither."""
    store = Linking(inner)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, signature = self.path.rpartition("&signature=")
            if not hmac.compare_digest(signature, _signature(path)):
                self.send_error(403)
                return
            data = inner.get(urlsplit(path).path.lstrip("/"))
            query = parse_qs(urlsplit(path).query)
            self.send_response(200)
            self.send_header("Content-Type", query["type"][0])
            self.send_header("Content-Disposition", f'attachment; filename="{query["name"][0]}"')
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_HEAD(self) -> None:
            self.send_error(403)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    store.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        store.signs.set()
        store.answers.set()
        server.shutdown()
        thread.join()
        server.server_close()
