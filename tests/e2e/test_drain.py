"""The end of a process: downloads under way finish, and nobody new comes in."""

import os
import shutil
import socket
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.asking import module_download
from tests.e2e.catalogs import Files, a_catalog, a_catalog_module, content_folder
from tests.e2e.process import eventually, places, running, up

pytestmark = pytest.mark.e2e

NET = "acme/net/generic"
# More than sockets hold on their way.
SIZE = 24 * 1024 * 1024


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a large module, and the catalog beside it."""
    folder = tmp_path_factory.mktemp("large")
    large: Files = {f"{content_folder(NET, '1.0.0')}/large.bin": os.urandom(SIZE)}
    a_catalog(folder / "catalog", a_catalog_module(NET, "1.0.0") | large)
    with up(folder / "catalog", folder) as registry:
        assert registry.event("reconciled")["bytesStored"] > SIZE
    return folder


def _slow_download(url: str) -> tuple[socket.socket, bytes]:
    """A download whose client has read its head only, and that head."""
    location = module_download(url, NET, "1.0.0").headers["x-terraform-get"]
    parts = urlsplit(url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    client.settimeout(60)
    client.connect((parts.hostname, parts.port))
    client.sendall(f"GET {location} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    return client, client.recv(4096)


def _refused(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("verb", ["up", "serve"])
def test_a_download_under_way_finishes(published: Path, tmp_path: Path, verb: str) -> None:
    shutil.copytree(published / "store", tmp_path / "store")
    what = ("--catalog", published / "catalog") if verb == "up" else ()
    where = (*places(tmp_path), "--listen", "127.0.0.1:0", "--output", "json")
    with running(verb, *what, *where, log=tmp_path / "log") as registry:
        url = registry.url
        digest = module_download(url, NET, "1.0.0").headers["x-terraform-get"].split("sha256:")[1][:64]
        client, start = _slow_download(url)
        with client:
            assert start.startswith(b"HTTP/1.1 200 ")
            registry.terminate()
            eventually(lambda: _refused(url))
            assert registry.process.poll() is None
            body = bytearray(start.partition(b"\r\n\r\n")[2])
            while piece := client.recv(1024 * 1024):
                body += piece
        assert registry.ended() == 0, registry.errors
    assert sha256(body).hexdigest() == digest


def test_the_drain_time_is_an_end(published: Path, tmp_path: Path) -> None:
    shutil.copytree(published / "store", tmp_path / "store")
    where = (*places(tmp_path), "--listen", "127.0.0.1:0", "--output", "json", "--drain", "1s")
    with running("serve", *where, log=tmp_path / "log") as registry:
        client, _ = _slow_download(registry.url)
        with client:
            registry.terminate()
            assert registry.ended() == 0, registry.errors


def test_a_second_signal_ends_at_once(published: Path, tmp_path: Path) -> None:
    shutil.copytree(published / "store", tmp_path / "store")
    where = (*places(tmp_path), "--listen", "127.0.0.1:0", "--output", "json", "--drain", "1h")
    with running("serve", *where, log=tmp_path / "log") as registry:
        url = registry.url
        client, _ = _slow_download(url)
        with client:
            registry.terminate()
            eventually(lambda: _refused(url))
            registry.terminate()
            assert registry.ended() == 0, registry.errors
