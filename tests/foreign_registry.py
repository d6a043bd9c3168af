"""Somebody else's module registry on a real server: discovery, a list in pages, versions, and where each lies."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

BASE = "/api/modules/"


class ForeignRegistry(ThreadingHTTPServer):
    """`modules` is `namespace/name/system` → version → location.

    `page` modules come at once, told apart by offsets or (`by_url`) by links; `lists` False answers lists with 404;
    `in_body` says locations as tofu reads them; `token` is wanted of everybody; `busy` so many answers are 503 first.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, modules: Mapping[str, Mapping[str, str]], **how: Any) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.modules = modules
        self.page: int = how.get("page", 2)
        self.by_url: bool = how.get("by_url", False)
        self.lists: bool = how.get("lists", True)
        self.in_body: bool = how.get("in_body", False)
        self.token: str | None = how.get("token")
        self.busy: int = how.get("busy", 0)
        self.discovery: object = how.get("discovery", {"modules.v1": BASE})
        self.moved_to: str | None = how.get("moved_to")
        self.asked: list[tuple[str, str | None]] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests are about."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, target: str) -> tuple[int, dict[str, str], object]:
        """(status, headers, document or None)."""
        parts = urlsplit(target)
        path = unquote(parts.path)
        if path == "/.well-known/terraform.json":
            return 200, {}, self.discovery
        if self.moved_to:
            return 302, {"Location": self.moved_to + target}, None
        inside = path.removeprefix(BASE).split("/")
        module = self.modules.get("/".join(inside[:3]))
        if module is not None and inside[3:] == ["versions"]:
            return 200, {}, {"modules": [{"versions": [{"version": version} for version in module]}]}
        if module is not None and len(inside) == 5 and inside[3] in module:
            location = module[inside[3]]
            return (200, {}, {"location": location}) if self.in_body else (204, {"X-Terraform-Get": location}, None)
        if self.lists and len(inside) == 1:
            return 200, {}, self._page(inside[0], parse_qs(parts.query))
        return 404, {}, {"errors": ["Not Found"]}

    def _page(self, namespace: str, query: Mapping[str, list[str]]) -> object:
        start = int(query.get("offset", ["0"])[0])
        chosen = [path for path in self.modules if not namespace or path.startswith(namespace + "/")]
        shown = [dict(zip(("namespace", "name", "provider"), path.split("/"), strict=True)) for path in chosen]
        meta: dict[str, Any] = {"limit": self.page, "current_offset": start}
        following = start + self.page
        if following < len(chosen):
            link = {"next_url": f"{BASE}{namespace}?offset={following}"}
            meta |= link if self.by_url else {"next_offset": following} | link
        return {"meta": meta, "modules": shown[start:following]}


class _Answer(BaseHTTPRequestHandler):
    server: ForeignRegistry
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet

    def do_GET(self) -> None:
        registry = self.server
        given = self.headers.get("Authorization")
        registry.asked.append((self.path, given))
        if registry.busy:
            registry.busy -= 1
            return self._send(503, {"Retry-After": "0"}, None)
        if registry.token and given != f"Bearer {registry.token}":
            return self._send(401, {}, None)
        return self._send(*registry.answer(self.path))

    def _send(self, status: int, headers: Mapping[str, str], document: object) -> None:
        body = b"" if document is None else document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving(registry: ForeignRegistry) -> Iterator[ForeignRegistry]:
    with registry:
        thread = Thread(target=registry.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield registry
        finally:
            registry.shutdown()
            thread.join()


@contextmanager
def foreign_registry(modules: Mapping[str, Mapping[str, str]], **how: Any) -> Iterator[ForeignRegistry]:
    with serving(ForeignRegistry(modules, **how)) as registry:
        yield registry
