"""Who the server says it is: the Host header is untrusted, a public URL wins, proxies count only when trusted."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from gitopsreg.errors import ConfigError
from gitopsreg.protocol.links import LinkSigner
from gitopsreg.server.app import build_app
from gitopsreg.server.host import checked_public_url
from gitopsreg.server.listen import Listen
from gitopsreg.server.serve import serving
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.storage.memory import MemoryStore
from tests.server.house import KEY, a_registry, ask, fill

DOWNLOAD = "/v1/providers/platform/hello/1.0.0/download/linux/amd64"
FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example.com"}


def _start(body: bytes) -> str:
    parts = urlsplit(json.loads(body)["download_url"])
    return f"{parts.scheme}://{parts.netloc}"


def test_absolute_urls_name_the_host_of_the_request(url: str) -> None:
    assert _start(ask(url, DOWNLOAD).body) == url
    assert _start(ask(url, DOWNLOAD, headers={"Host": "Reg.Example.com:8443"}).body) == "http://reg.example.com:8443"
    assert _start(ask(url, DOWNLOAD, headers={"Host": "[::1]:80"}).body) == "http://[::1]:80"


@pytest.mark.parametrize("host", ["", "a b", "a/b", "user@evil", "a:99999999", "-x", "a\tb", "é", "a?b", "a#b", "[zz]"])
def test_a_host_that_is_none_is_refused(url: str, host: str) -> None:
    answer = ask(url, DOWNLOAD, headers={"Host": host})
    assert answer.status == 400


def _raw(url: str, *pieces: bytes) -> bytes:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


def test_a_host_header_that_arrives_in_pieces_is_one_host(url: str) -> None:
    request = (
        f"GET {DOWNLOAD} HTTP/1.1\r\nHo".encode(),
        b"st: reg.exam",
        b"ple.com:8443\r\nConnection: cl",
        b"ose\r\n\r\n",
    )
    status, _, body = _raw(url, *request).partition(b"\r\n\r\n")
    assert status.startswith(b"HTTP/1.1 200")
    assert _start(body) == "http://reg.example.com:8443"


def test_two_hosts_or_none_are_refused(url: str) -> None:
    start = f"GET {DOWNLOAD} HTTP/1.1\r\nConnection: close\r\n".encode()
    assert _raw(url, start, b"Host: a.example\r\nHost: b.example\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert _raw(url, start, b"\r\n").startswith(b"HTTP/1.1 400")


def test_a_public_url_is_what_absolute_urls_start_with() -> None:
    with a_registry(public_url="https://registry.acme.dev/") as url:
        assert _start(ask(url, DOWNLOAD, headers=FORWARDED).body) == "https://registry.acme.dev"
        assert ask(url, "/v1/mirror/registry.acme.dev/platform/hello/index.json").status == 200


@pytest.mark.parametrize(("trusted", "scheme"), [((), "http"), (("127.0.0.1",), "https"), (("10.0.0.0/8",), "http")])
def test_forwarded_headers_count_only_from_trusted_proxies(trusted: tuple[str, ...], scheme: str) -> None:
    store = MemoryStore()
    fill(store)
    snapshots = Snapshots(store)
    snapshots.refresh()
    app = build_app(snapshots, {"": store}, LinkSigner(KEY))
    with serving(app, Listen("127.0.0.1", 0), trusted_proxies=trusted) as url:
        start = _start(ask(url, DOWNLOAD, headers=FORWARDED).body)
    assert start == url.replace("http", scheme)


@pytest.mark.parametrize(
    "text", ["registry.acme.dev", "ftp://a.example", "https://", "https://u:p@a.example", "https://a b"]
)
def test_a_public_url_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a public URL"):
        checked_public_url(text)


@pytest.mark.parametrize("text", ["https://a.example/registry", "https://a.example?x=1", "https://a.example#x"])
def test_a_public_url_has_no_path(text: str) -> None:
    with pytest.raises(ConfigError, match=r'write "https://a\.example"'):
        checked_public_url(text)
