"""The limits on the wire."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

from gitopsreg.server.listen import Listen
from gitopsreg.server.serve import serving
from gitopsreg.server.wire import MAX_HEAD, BoundedProtocol
from tests.server.house import ask
from tests.server.slow import slow_app


def _connection(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port or 0), timeout=20)


def test_an_endless_head_is_ended(url: str) -> None:
    with _connection(url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Filler: ")
        connection.sendall(b"x" * (MAX_HEAD + 1))
        assert b" 400 " in connection.recv(65536)


def test_a_large_head_that_ends_is_answered(url: str) -> None:
    with _connection(url) as connection:
        filler = b"x" * 30_000
        connection.sendall(
            b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Filler: " + filler + b"\r\n\r\n"
        )
        assert b" 200 " in connection.recv(65536)


def test_requests_on_one_connection_are_counted_apart(url: str) -> None:
    with _connection(url) as connection, connection.makefile("rb") as answers:
        for _ in range(5):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Filler: " + b"x" * 20_000 + b"\r\n\r\n")
            assert b" 200 " in answers.readline()
            while answers.readline() != b"\r\n":
                pass
            answers.read(len(b'{"status":"ok"}'))


def test_what_is_no_http_is_400(url: str) -> None:
    with _connection(url) as connection:
        connection.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        assert b" 400 " in connection.recv(65536)


class Hasty(BoundedProtocol):
    head_seconds = 0.05


def test_a_head_that_does_not_come_to_its_end_is_ended(tmp_path: Path) -> None:
    with serving(slow_app(tmp_path / "go"), Listen("127.0.0.1", 0), protocol=Hasty) as url:
        for start in (b"", b"GET / HTTP/1.1\r\nHost: a\r\n"):
            with _connection(url) as connection:
                connection.sendall(start)
                assert connection.recv(65536) == b""
        assert ask(url, "/quick").body == b"quick"
