"""Runs the application: sockets, TLS, signals, and a drain that lets downloads finish. Knows nothing of the routes."""

import asyncio
import contextlib
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any

import uvicorn

from gitopsreg.server.listen import Listen, open_sockets, tls_context
from gitopsreg.server.quick import Memory, QuickProtocol
from gitopsreg.server.wire import BoundedProtocol

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# After the drain what is left is cut off; this long may the cutting take.
_LAST_WORDS = 2.0


class _Server(uvicorn.Server):
    """uvicorn's, with our drain: the first signal stops accepting, the second (or the time) ends what is left. With
    `orders` they, not signals, are what counts.
    """

    def __init__(
        self, config: uvicorn.Config, drain: float, on_start: Callable[[], None], orders: socket.socket | None = None
    ) -> None:
        super().__init__(config)
        self._drain = drain
        self._on_start = on_start
        self._orders = orders
        self._told = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        if self._orders is not None:
            self._loop.add_reader(self._orders, self._ordered, self._orders)
        self._on_start()

    def _ordered(self, orders: socket.socket) -> None:
        said = orders.recv(16)
        if not said:  # whoever gave them is gone
            asyncio.get_running_loop().remove_reader(orders)
        # The first comes also to who was told by a signal already: only one more means at once.
        for _ in said if self._told else said[1:]:
            self.stop()
        self._told = self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        timers = [
            loop.call_later(self._drain, self._cut),
            loop.call_later(self._drain + _LAST_WORDS, self._force),
        ]
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
        numbers = _SIGNALS if self._orders is None else (signal.SIGTERM,)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- the shape of signal handlers
        if self._orders is None:
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
    orders: socket.socket | None = None,
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
    return _Server(config, drain, on_start, orders)


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
    orders: socket.socket | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; returns when downloads have finished, after `drain` seconds, or a second signal.

    With `orders` it is one of several processes on the same address, and also stops when told so there: each byte is an
    order, and so is their end.

    `on_ready` is told the URL once requests are answered. `trusted_proxies` are addresses or networks (or "*") whose
    X-Forwarded-For and X-Forwarded-Proto count. Raises ConfigError for an address or certificate that can't be used.
    """
    context = tls_context(listen)
    sockets = open_sockets(listen, shared=orders is not None)
    url = listen.url(sockets)
    protocol = _protocol(app, trusted_proxies)
    with _closing(sockets):
        _server(app, context, drain, trusted_proxies, lambda: on_ready(url), protocol, orders).run(sockets)


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
