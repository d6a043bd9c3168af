"""Runs the application: sockets, TLS, signals, and a drain that lets downloads finish. Knows nothing of the routes."""

import asyncio
import contextlib
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import uvicorn

from gitopsreg.server.listen import Listen, open_sockets, tls_context
from gitopsreg.server.quick import Memory, QuickProtocol
from gitopsreg.server.seats import DONE, STOP, TAKE, Seats, Sockets, word, words
from gitopsreg.server.wire import BoundedProtocol

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# After the drain what is left is cut off; this long may the cutting take.
_LAST_WORDS = 2.0


@dataclass(frozen=True, slots=True)
class Place:
    """One of several processes on an address: its seat, and the line to the process that gives it orders."""

    seats: Seats
    number: int
    line: socket.socket


class _Server(uvicorn.Server):
    """uvicorn's, with our drain: the first signal stops accepting, the second (or the time) ends what is left. With a
    `place` orders, not signals, are what counts.
    """

    def __init__(
        self, config: uvicorn.Config, drain: float, on_start: Callable[[], None], place: Place | None = None
    ) -> None:
        super().__init__(config)
        self._drain = drain
        self._on_start = on_start
        self._place = place
        self._covered: dict[int, list[asyncio.AbstractServer]] = {}
        self._covering = asyncio.Lock()
        self._orders: set[asyncio.Future[None]] = set()
        self._told = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        if self._place is not None:
            self._loop.add_reader(self._place.line, self._ordered, self._place)
        self._on_start()

    def _ordered(self, place: Place) -> None:
        said = place.line.recv(64)
        if not said:  # whoever gave them is gone
            asyncio.get_running_loop().remove_reader(place.line)
            self.should_exit = True
        for verb, seat in words(said):
            if verb == STOP:
                self._told_to_stop()
            else:
                task = asyncio.ensure_future(self._cover(place.seats.sockets[seat], seat, begin=verb == TAKE))
                self._orders.add(task)
                task.add_done_callback(self._orders.discard)

    def _told_to_stop(self) -> None:
        """The first order comes also to who was told by a signal already: only one more means at once."""
        if self._told:
            self.stop()
        self._told = self.should_exit = True

    async def _cover(self, sockets: Sockets, seat: int, *, begin: bool) -> None:
        """Accept for a seat that nobody serves, or no longer. One order after the other."""
        async with self._covering:
            for server in self._covered.pop(seat, []):
                server.close()
            if begin and not self.should_exit:
                self._covered[seat] = [await self._accept(each.dup()) for each in sockets]

    async def _accept(self, opened: socket.socket) -> asyncio.AbstractServer:
        def connected() -> asyncio.Protocol:
            return self.config.http_protocol_class(  # type: ignore[call-arg]  # as uvicorn itself
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )

        loop = asyncio.get_running_loop()
        return await loop.create_server(connected, sock=opened, ssl=self.config.ssl, backlog=self.config.backlog)

    async def _leave(self, place: Place) -> None:
        """Nobody is accepted here any more; what waits in a queue is somebody else's."""
        for seat in range(len(place.seats.sockets)):
            await self._cover([], seat, begin=False)
        place.seats.close()
        with contextlib.suppress(OSError):
            place.line.send(word(DONE))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        timers = [
            loop.call_later(self._drain, self._cut),
            loop.call_later(self._drain + _LAST_WORDS, self._force),
        ]
        if self._place is not None:
            await self._leave(self._place)
        try:
            await super().shutdown(sockets=sockets)
        finally:
            for timer in timers:
                timer.cancel()
        if self.server_state.tasks:  # cut off a moment ago: the end of the loop would be an error in each of them
            await asyncio.wait(list(self.server_state.tasks), timeout=_LAST_WORDS)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn we return after a signal: whoever called us has more to close."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = _SIGNALS if self._place is None else (signal.SIGTERM,)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- the shape of signal handlers
        if self._place is None:
            self.stop()
        else:
            self.should_exit = True  # whoever stops a whole group tells us and our parent, who tells us again

    def stop(self) -> None:
        """Drain; said again, end at once. Safe from signal handlers and other threads."""
        if self.should_exit and self._loop is not None:
            self._loop.call_soon_threadsafe(self._force)
        self.should_exit = True

    def _cut(self) -> None:
        """To the routes it looks as if the clients had left, so they end in good order."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    def _force(self) -> None:
        self.force_exit = True
        self._cut()


def _server(
    app: Any,
    context: ssl.SSLContext | None,
    drain: float,
    proxies: Sequence[str],
    on_start: Callable[[], None],
    protocol: type[BoundedProtocol],
    place: Place | None = None,
) -> _Server:
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        # Every scanner's nonsense is a warning to uvicorn; what is an error is said by its logger `uvicorn.error`.
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        timeout_keep_alive=65,
    )
    config.load()
    config.ssl = context
    return _Server(config, drain, on_start, place)


def _protocol(app: Any, proxies: Sequence[str]) -> type[BoundedProtocol]:
    """One that answers from the app's memory, if it has any."""
    memory = getattr(getattr(app, "state", None), "memory", None)
    if not isinstance(memory, Memory):
        return BoundedProtocol
    return QuickProtocol.with_memory(memory, behind_proxies=bool(proxies))


def serve(
    app: Any,
    listen: Listen,
    *,
    drain: float = 30.0,
    on_ready: Callable[[str], None] = lambda _: None,
    trusted_proxies: Sequence[str] = (),
    place: Place | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; returns when downloads have finished, after `drain` seconds, or a second signal.

    With a `place` it is one of several processes on the same address, and also stops when told so on its line, or when
    the line ends.

    `on_ready` is told the URL once requests are answered. `trusted_proxies` are addresses or networks (or "*") whose
    X-Forwarded-For and X-Forwarded-Proto count. Raises ConfigError for an address or certificate that can't be used.
    """
    context = tls_context(listen)
    sockets = place.seats.sockets[place.number] if place else open_sockets(listen)
    url = listen.url(sockets)
    protocol = _protocol(app, trusted_proxies)
    with _closing(sockets):
        _server(app, context, drain, trusted_proxies, lambda: on_ready(url), protocol, place).run(sockets)


@contextlib.contextmanager
def serving(
    app: Any,
    listen: Listen,
    *,
    drain: float = 30.0,
    trusted_proxies: Sequence[str] = (),
    protocol: type[BoundedProtocol] | None = None,
) -> Iterator[str]:
    """Serve in a thread of its own while the block runs, which gets the URL. Raises ConfigError, as `serve`."""
    protocol = protocol or _protocol(app, trusted_proxies)
    context = tls_context(listen)
    sockets = open_sockets(listen)
    started = threading.Event()
    with _closing(sockets):
        server = _server(app, context, drain, trusted_proxies, started.set, protocol)
        thread = threading.Thread(target=server.run, args=(sockets,), name="gitopsreg-http", daemon=True)
        thread.start()
        try:
            while not started.wait(0.05) and thread.is_alive():
                pass
            yield listen.url(sockets)
        finally:
            server.stop()
            thread.join()


@contextlib.contextmanager
def _closing(sockets: list[socket.socket]) -> Iterator[None]:
    try:
        yield
    finally:
        for each in sockets:
            each.close()
