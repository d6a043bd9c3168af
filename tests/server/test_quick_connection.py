"""One connection's life with the memory on the wire: time limits, slow readers, drain, and the log."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest

from gitopsreg.model.address import ModuleAddress
from gitopsreg.protocol.links import LinkSigner
from gitopsreg.server.access_log import Access
from gitopsreg.server.app import Application, build_app
from gitopsreg.server.listen import Listen
from gitopsreg.server.quick import QuickProtocol
from gitopsreg.server.serve import serving
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.server.wire import BoundedProtocol
from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_module
from tests.e2e.process import eventually
from tests.server.house import KEY, ask, fill

PATH = "/v1/modules/platform/vpc/aws/versions"
REQUEST = f"GET {PATH} HTTP/1.1\r\nHost: a\r\nUser-Agent: it\r\n\r\n".encode()
LARGE = a_module(*(f"1.0.{number}" for number in range(200)), address=ModuleAddress("platform", "large", "aws"))
HEAD_SECONDS = 0.2


def an_app(accesses: list[Access] | None = None) -> Application:
    store = MemoryStore()
    fill(store, LARGE)
    snapshots = Snapshots(store)
    snapshots.refresh()
    on_access = accesses.append if accesses is not None else None
    return build_app(snapshots, {"": store}, LinkSigner(KEY), on_access=on_access)


def quick(app: Application) -> type[QuickProtocol]:
    return QuickProtocol.with_memory(app.state.memory, behind_proxies=False)


@contextmanager
def connected(url: str, buffer: int | None = None) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    with socket.socket() as connection:
        if buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.settimeout(20)
        connection.connect((parts.hostname, parts.port))
        yield connection


def an_answer(connection: socket.socket) -> bytes:
    """The next answer's head and body."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += _more(connection)
    head, _, body = said.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += _more(connection)
    return head + body


def _more(connection: socket.socket) -> bytes:
    more = connection.recv(65536)
    assert more, "the connection was closed"
    return more


def remembered(url: str, request: bytes = REQUEST) -> None:
    """The request is known, byte by byte."""
    for _ in range(3):
        with connected(url) as connection:
            connection.sendall(request)
            an_answer(connection)


def test_the_time_of_a_head_ends_with_the_head() -> None:
    """A connection whose first request is known by its bytes lives on."""
    app = an_app()
    protocol = type("Hasty", (quick(app),), {"head_seconds": HEAD_SECONDS})
    with serving(app, Listen("127.0.0.1", 0), protocol=protocol) as url:
        remembered(url)
        with connected(url) as connection:
            connection.sendall(REQUEST)
            first = an_answer(connection)
            time.sleep(2 * HEAD_SECONDS)
            connection.sendall(REQUEST)
            assert an_answer(connection)[-80:] == first[-80:]


def test_half_a_head_is_still_ended_after_a_known_request() -> None:
    app = an_app()
    protocol = type("Hasty", (quick(app),), {"head_seconds": HEAD_SECONDS})
    with serving(app, Listen("127.0.0.1", 0), protocol=protocol) as url:
        remembered(url)
        with connected(url) as connection:
            connection.sendall(REQUEST)
            an_answer(connection)
            connection.sendall(REQUEST[:-2])
            assert connection.recv(1) == b""


def test_who_rests_too_long_is_left_and_who_has_begun_is_not() -> None:
    app = an_app()

    class Impatient(quick(app)):  # type: ignore[misc]
        def connection_made(self, transport: object) -> None:
            super().connection_made(transport)
            self.timeout_keep_alive = HEAD_SECONDS

    with serving(app, Listen("127.0.0.1", 0), protocol=Impatient) as url:
        remembered(url)
        with connected(url) as resting, connected(url) as writing:
            for connection in (resting, writing):
                connection.sendall(REQUEST)
                an_answer(connection)
            writing.sendall(REQUEST[:20])
            assert resting.recv(1) == b""
            time.sleep(HEAD_SECONDS)
            writing.sendall(REQUEST[20:])
            assert b"200 OK" in an_answer(writing)
            assert writing.recv(1) == b""


@pytest.mark.parametrize("with_memory", [True, False])
def test_a_reader_that_is_slow_gets_all_and_is_not_written_to_meanwhile(*, with_memory: bool) -> None:
    """Nothing piles up for who asks much and reads nothing."""
    app = an_app()
    many = 6_000
    buffered: list[int] = []
    base = quick(app) if with_memory else BoundedProtocol

    class Watched(base):  # type: ignore[misc, valid-type]
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            buffered.append(self.transport.get_write_buffer_size())

    with serving(app, Listen("127.0.0.1", 0), protocol=Watched) as url, connected(url, buffer=4096) as connection:
        request = REQUEST.replace(b"vpc", b"large")
        remembered(url, request)
        last = request.replace(b"User-Agent: it", b"Connection: close")
        sender = threading.Thread(target=lambda: connection.sendall(request * many + last), daemon=True)
        sender.start()
        eventually(lambda: max(buffered, default=0) > 64 * 1024 or not sender.is_alive())
        said = bytearray()
        while more := connection.recv(1024 * 1024):
            said += more
        sender.join()
    assert said.count(b"HTTP/1.1 200 OK") == many + 1
    assert max(buffered) < 1024 * 1024


def test_connections_that_rest_do_not_hold_up_a_drain() -> None:
    with ExitStack() as stack:
        with serving(an_app(), Listen("127.0.0.1", 0), drain=600) as url:
            remembered(url)
            connections = [stack.enter_context(connected(url)) for _ in range(5)]
            for connection in connections:
                connection.sendall(REQUEST)
                an_answer(connection)
        assert [connection.recv(1) for connection in connections] == [b""] * 5


@pytest.mark.parametrize("known", [True, False])
def test_what_a_new_connection_asks_during_a_drain_is_answered(*, known: bool) -> None:
    with ExitStack() as stack:
        with serving(an_app(), Listen("127.0.0.1", 0), drain=60) as url:
            if known:
                remembered(url)
            new, used = stack.enter_context(connected(url)), stack.enter_context(connected(url))
            used.sendall(REQUEST)
            an_answer(used)
            answers: list[bytes] = []

            def ask_late() -> None:
                used.recv(1)  # closed: the server is ending
                new.sendall(REQUEST)
                answers.append(an_answer(new))

            thread = threading.Thread(target=ask_late)
            thread.start()
        thread.join()
    assert b"200 OK" in answers[0]


def test_the_log_is_the_same_with_a_memory() -> None:
    records = {True: [], False: []}  # type: dict[bool, list[Access]]
    odd = PATH.replace("vpc", "%76pc%0A")
    asked = [(path, method) for path in (PATH, f"{PATH}?a=%20", odd) for method in ("GET", "GET", "HEAD", "HEAD")]
    for with_memory, told in records.items():
        app = an_app(told)
        with serving(app, Listen("127.0.0.1", 0), protocol=None if with_memory else BoundedProtocol) as url:
            for path, method in asked:
                for agent in ("one", "two"):
                    ask(url, path, method, {"User-Agent": agent})
    plain, quick = ([access._replace(seconds=0.0) for access in told] for told in (records[False], records[True]))
    assert quick == plain
    assert len(quick) == 2 * len(asked)
    assert sum(access.seconds == 0 for access in records[True]) > len(asked) / 2


def test_who_is_known_by_bytes_is_logged_under_the_own_address() -> None:
    told: list[Access] = []
    with serving(an_app(told), Listen("", 0)) as url:
        port = urlsplit(url).port
        for address in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
            remembered(f"http://{address}:{port}")
    assert len(told) == 9
