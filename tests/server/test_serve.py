"""The running server: signals and drain with a real process, TLS, keep-alive, ports."""

import contextlib
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import trustme

from gitopsreg.errors import ConfigError
from gitopsreg.server.listen import Listen
from gitopsreg.server.serve import serve, serving
from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_module, a_module_version
from tests.server.house import ask, publish_packages, running, store_bytes
from tests.server.slow import FIRST, LAST, slow_app


@dataclass(frozen=True, slots=True)
class Program:
    process: subprocess.Popen[str]
    url: str
    go: Path

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    def finished(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err

    def stop_accepting(self) -> None:
        """Ask for the end, and wait until nobody new is let in."""
        self.process.send_signal(signal.SIGTERM)
        while True:
            try:
                socket.create_connection(self.address, timeout=20).close()
            except OSError:
                return


@contextlib.contextmanager
def _program(tmp_path: Path, drain: float) -> Iterator[Program]:
    go = tmp_path / "go"
    command = [sys.executable, "-m", "tests.server.slow", str(go), str(drain)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Program(process, process.stdout.readline().strip(), go)
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def _download(program: Program) -> Iterator[HTTPResponse]:
    """A download of which the first half has arrived."""
    connection = HTTPConnection(*program.address, timeout=60)
    try:
        connection.request("GET", "/slow")
        response = connection.getresponse()
        assert response.read(len(FIRST)) == FIRST
        yield response
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_server(tmp_path: Path, number: signal.Signals) -> None:
    with _program(tmp_path, 30) as program:
        assert ask(program.url, "/quick").body == b"quick"
        program.process.send_signal(number)
        assert program.finished() == (0, "closed in good order\n", "")


def test_a_download_in_flight_finishes(tmp_path: Path) -> None:
    with _program(tmp_path, 60) as program:
        with _download(program) as response:
            program.stop_accepting()
            program.go.touch()
            assert response.read() == LAST
        assert program.finished() == (0, "closed in good order\n", "")


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    with _program(tmp_path, 600) as program:
        with _download(program) as response:
            program.stop_accepting()
            program.process.send_signal(signal.SIGTERM)
            with pytest.raises((IncompleteRead, ConnectionError)):
                response.read()
        code, out, err = program.finished()
    assert (code, out) == (0, "closed in good order\n")
    assert "Traceback" not in err


def test_the_drain_has_an_end(tmp_path: Path) -> None:
    with _program(tmp_path, 0.1) as program:
        with _download(program) as response:
            program.stop_accepting()
            with pytest.raises((IncompleteRead, ConnectionError)):
                response.read()
        code, out, err = program.finished()
    assert (code, out) == (0, "closed in good order\n")
    assert "Traceback" not in err


class Gate(MemoryStore):
    """A store whose second piece comes when the gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = threading.Event()

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        for number, piece in enumerate(super().chunks(key, start, length)):
            if number:
                self.opened.wait(60)
            yield piece


def test_an_archive_in_flight_finishes_while_the_server_closes() -> None:
    store = Gate()
    data = bytes(600_000)
    version = a_module_version(archive=store_bytes(store, data))
    publish_packages(store, replace(a_module(), versions=(version,)))
    got: list[bytes] = []
    with contextlib.ExitStack() as stack:
        with running(store) as url:
            location = ask(url, "/v1/modules/platform/vpc/aws/1.0.0/download").headers["x-terraform-get"]
            parts = urlsplit(url)
            connection = HTTPConnection(parts.hostname or "", parts.port or 0, timeout=60)
            stack.callback(connection.close)
            connection.request("GET", location)
            response = connection.getresponse()
            got.append(response.read(1000))
            threading.Timer(0.3, store.opened.set).start()
        got.append(response.read())
    assert b"".join(got) == data


def test_requests_share_a_connection(url: str) -> None:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port or 0, timeout=20)
    try:
        connection.connect()
        opened = connection.sock
        for path in ("/healthz", "/v1/nothing", "/v1/modules/platform/vpc/aws/1.0.0/download", "/readyz"):
            for method in ("GET", "HEAD"):
                connection.request(method, path)
                connection.getresponse().read()
                assert connection.sock is opened
    finally:
        connection.close()


def test_the_server_does_not_tell_what_it_is_made_of(url: str) -> None:
    assert "server" not in ask(url, "/healthz").headers


def test_tls_is_served_with_the_given_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(cert)
    issued.private_key_pem.write_to_path(key)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with serving(slow_app(tmp_path / "go"), Listen("127.0.0.1", 0, cert, key)) as url:
        assert url.startswith("https://127.0.0.1:")
        with urlopen(f"{url}/quick", context=context, timeout=20) as answer:
            assert answer.read() == b"quick"


def test_ipv6_has_its_brackets(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serving(slow_app(tmp_path / "go"), Listen.parse("[::1]:0")) as url:
        assert url.startswith("http://[::1]:")
        assert ask(url, "/quick").body == b"quick"


def test_a_port_in_use_is_told_before_anything_runs(tmp_path: Path) -> None:
    app = slow_app(tmp_path / "go")
    with serving(app, Listen("127.0.0.1", 0)) as url:
        taken = Listen("127.0.0.1", urlsplit(url).port or 0)
        with pytest.raises(ConfigError, match="already in use"):
            serve(app, taken)
        with pytest.raises(ConfigError, match="already in use"), serving(app, taken):
            pass
        assert ask(url, "/quick").body == b"quick"


def test_two_servers_run_side_by_side(tmp_path: Path) -> None:
    app = slow_app(tmp_path / "go")
    with serving(app, Listen("127.0.0.1", 0)) as one, serving(app, Listen("127.0.0.1", 0)) as two:
        assert ask(one, "/quick").body == ask(two, "/quick").body == b"quick"
