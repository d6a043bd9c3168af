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
from gitopsreg.server.memo import Memo
from gitopsreg.server.quick import QuickProtocol
from gitopsreg.server.wire import BoundedProtocol

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# After the drain what is left is cut off; this long may the cutting take.
_LAST_WORDS = 2.0


class _Server(uvicorn.Server):
    """uvicorn's, with our drain: the first signal stops accepting, the second (or the time) ends what is left."""

    def __init__(self, config: uvicorn.Config, drain: float, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain
        self._on_start = on_start
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        self._on_start()

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

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn we return after a signal: whoever called us has more to close."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- the shape of signal handlers
        self.stop()

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
    return _Server(config, drain, on_start)


def _protocol(app: Any, proxies: Sequence[str]) -> type[BoundedProtocol]:
    """One that answers from the app's memory, if it has any."""
    memo = getattr(getattr(app, "state", None), "memo", None)
    return QuickProtocol.with_memo(memo, behind_proxies=bool(proxies)) if isinstance(memo, Memo) else BoundedProtocol


def serve(
    app: Any,
    listen: Listen,
    *,
    drain: float = 30.0,
    on_ready: Callable[[str], None] = lambda _: None,
    trusted_proxies: Sequence[str] = (),
) -> None:
    """Serve until SIGTERM or SIGINT; returns when downloads have finished, after `drain` seconds, or a second signal.

    `on_ready` is told the URL once requests are answered. `trusted_proxies` are addresses or networks (or "*") whose
    X-Forwarded-For and X-Forwarded-Proto count. Raises ConfigError for an address or certificate that can't be used.
    """
    context = tls_context(listen)
    sockets = open_sockets(listen)
    url = listen.url(sockets)
    protocol = _protocol(app, trusted_proxies)
    with _closing(sockets):
        _server(app, context, drain, trusted_proxies, lambda: on_ready(url), protocol).run(sockets)


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
