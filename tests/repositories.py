"""Real Git repositories in temporary folders, and a real Git server over HTTP and HTTPS, for tests."""

import base64
import os
import ssl
import subprocess
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pygit2
import trustme
from pygit2.enums import ObjectType

from tests.threaded_server import ThreadedServer

_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}
COMMIT_TIME = "2026-10-01T12:00:00Z"


def git(repository: Path, *arguments: str, time: str = COMMIT_TIME) -> str:
    """Run git in a repository; what it printed, stripped."""
    dates = {"GIT_AUTHOR_DATE": time, "GIT_COMMITTER_DATE": time}
    command = ["git", "-C", str(repository), *arguments]
    done = subprocess.run(command, env=_ENVIRONMENT | dates, capture_output=True, errors="surrogateescape", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def a_repository(path: Path, *, branch: str = "main") -> Path:
    """An empty repository with a working tree."""
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--initial-branch", branch)
    return path


def write(repository: Path, files: Mapping[str, str | bytes]) -> None:
    """Files of the working tree; a text that starts with "-> " makes a symbolic link."""
    for name, content in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content.startswith("-> "):
            path.symlink_to(content.removeprefix("-> "))
        else:
            path.write_text(content)


def commit(repository: Path, files: Mapping[str, str | bytes] | None = None, *, time: str = COMMIT_TIME) -> str:
    """Commit everything in the working tree; the commit's id."""
    write(repository, files or {})
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "a change", time=time)
    return git(repository, "rev-parse", "HEAD")


def tag(repository: Path, name: str, *, annotated: bool = False) -> None:
    git(repository, "tag", "--force", *(("--annotate", "--message", name) if annotated else ()), name)


def raw_tree(repository: Path, entries: Iterable[tuple[str, bytes, bytes | str]]) -> str:
    """A tree object made of (mode, name, content or id of an object), well-formed or not; its id."""
    objects = pygit2.Repository(str(repository)).odb
    lines = []
    for mode, name, content in entries:
        oid = content if isinstance(content, str) else str(objects.write(ObjectType.BLOB, content))
        lines.append(mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid))
    return str(objects.write(ObjectType.TREE, b"".join(lines)))


def tree_of(repository: Path, folder: str = "", ref: str = "HEAD") -> str:
    return git(repository, "rev-parse", f"{ref}:{folder}")


class Request(NamedTuple):
    """One request as the server saw it; `path` without its query."""

    method: str
    path: str
    authorization: str | None


class GitServer(ThreadedServer):
    """Serves the repositories below `root` with `git http-backend`, well or, on demand, badly.

    `login` demands basic auth, `redirects` maps path prefixes to where they went, `status` answers everything with
    that status, `stall` never answers, `drip` sends one byte of the answer a tenth of a second.
    """

    def __init__(self, root: Path, *, authority: trustme.CA | None = None, host: str = "127.0.0.1") -> None:
        super().__init__(_Handler)
        self.root = root
        self.requests: list[Request] = []
        self.login: tuple[str, str] | None = None
        self.redirects: dict[str, str] = {}
        self.status: int | None = None
        self.stall = False
        self.drip = False
        self._scheme = "https" if authority else "http"
        self._host = host
        if authority:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(host).configure_cert(context)
            # The handshake happens in the request's own thread, where a client that hangs up hurts nobody.
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)

    def url(self, path: str = "") -> str:
        return f"{self._scheme}://{self._host}:{self.port}/{path}"

    @property
    def fetches(self) -> int:
        """How many times content was asked for; a look at the refs does not count."""
        return sum(request.path.endswith("/git-upload-pack") and request.method == "POST" for request in self.requests)


class _Handler(BaseHTTPRequestHandler):
    @property
    def _git(self) -> GitServer:
        return self.server.owner  # type: ignore[attr-defined,no-any-return]

    def do_GET(self) -> None:
        git = self._git
        address = urlsplit(self.path)
        body = self._body()
        git.requests.append(Request(self.command, address.path, self.headers.get("Authorization")))
        if git.stall:
            git.stopping.wait()
            return
        moved = next((prefix for prefix in git.redirects if address.path.startswith(prefix)), None)
        if moved is not None:
            self._answer(302, {"Location": git.redirects[moved] + self.path.removeprefix(moved)}, b"")
        elif git.status is not None:
            self._answer(git.status, {}, b"")
        elif not self._welcome():
            self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
        else:
            self._run(address.path, address.query, body)

    do_POST = do_GET  # noqa: N815  (the base class looks for this name)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        return b"".join(parts)

    def _welcome(self) -> bool:
        if self._git.login is None:
            return True
        wanted = base64.b64encode(":".join(self._git.login).encode()).decode()
        return self.headers.get("Authorization") == f"Basic {wanted}"

    def _run(self, path: str, query: str, body: bytes) -> None:
        environment = _ENVIRONMENT | {
            "GIT_PROJECT_ROOT": str(self._git.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self._answer(int(headers.pop("Status", "200").split()[0]), headers, content)

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if not self._git.drip:
            self.wfile.write(content)
            return
        for byte in content:
            if self._git.stopping.wait(0.1):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it)
        """Tests read `requests` instead."""
