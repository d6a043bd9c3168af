"""HTTP/1.1 on the wire: uvicorn's protocol with two limits that it leaves to a proxy: the head's size and its time."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024
_GRACE = 0.5  # seconds, for who has just connected when the server is told to end


class BoundedProtocol(HttpToolsProtocol):
    """Ends a connection whose request line and headers are larger than MAX_HEAD or take longer than `head_seconds`."""

    head_seconds = 20.0
    _head = 0
    _in_head = True
    _heard = False  # anything
    _ended = False  # with the bytes fed last
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn itself
        super().connection_made(transport)
        self._watch()

    def shutdown(self) -> None:
        """What was asked on a new connection may lie here unread: closed at once, it would be lost."""
        if self._heard:
            super().shutdown()
        else:
            self.loop.call_later(_GRACE, super().shutdown)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._heard = True
        if self._in_head:
            self._head += len(data)
        self._ended = False
        super().data_received(data)
        # Asked afterwards: the first piece may hold a small head and much of a body, or a whole request.
        if not self._in_head or self.transport.is_closing():
            return
        if self._head > MAX_HEAD:
            self.send_400_response("The request's headers are too large.")
        elif self._deadline is None and not self._ended:
            self._watch()

    def on_message_begin(self) -> None:
        self._in_head = True
        self._ended = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.head_ended()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.message_ended()
        super().on_message_complete()

    def head_ended(self) -> None:
        """A request's head was read in time."""
        self._in_head = False
        self._head = 0
        self._unwatch()

    def message_ended(self) -> None:
        """The next byte begins a head."""
        self._in_head = True
        self._ended = True

    def _watch(self) -> None:
        self._deadline = self.loop.call_later(self.head_seconds, self._too_slow)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
