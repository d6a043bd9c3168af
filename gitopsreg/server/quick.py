"""HTTP/1.1 with a memory: a question that was answered before is answered before a request is made of it.

Everything else goes uvicorn's ordinary way, through the application; what it says is remembered there (`remembering`).
Two looks: at the bytes as they came, when they are a whole request, and at the request once it is parsed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gitopsreg.server.access_log import Access, OnAccess, access_of_hit
from gitopsreg.server.counts import Cells, Counts
from gitopsreg.server.memo import Memo, Remembered, Repeated, question
from gitopsreg.server.shelf import Shelf
from gitopsreg.server.wire import BoundedProtocol

_LONGEST = 4096  # bytes of a request that is remembered as it came
_CLOSE = b"connection: close\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What an app lends to the wire: its memory, and who counts and logs what is answered from there."""

    memo: Memo
    counts: Counts
    on_access: OnAccess | None = None


class QuickProtocol(BoundedProtocol):
    """`with_memory` makes the class for a server.

    What is asked again byte by byte is most of what a busy server hears: on that way every call counts.
    """

    memory: ClassVar[Memory]
    memo: ClassVar[Memo]  # the memory's, nearer
    cells: ClassVar[Cells]  # so are these
    behind_proxies: ClassVar[bool] = False
    _idle = True  # between two requests, with no byte of the next one
    _ours = False  # the request being read needs no application
    _feeding = False
    _asked = 0  # requests that the bytes being fed have brought
    _given: Repeated | None = None  # what the last of them was answered
    _last = 0.0

    @classmethod
    def with_memory(cls, memory: Memory, *, behind_proxies: bool) -> "type[QuickProtocol]":
        """`behind_proxies`: headers of trusted proxies may change the scheme, so requests that have them are not
        answered here.
        """
        near = {"memo": memory.memo, "cells": memory.counts.mine}
        return type(cls.__name__, (cls,), {"memory": memory, "behind_proxies": behind_proxies} | near)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn itself
        super().connection_made(transport)
        self._raw: Shelf[bytes, Repeated] = self.memo.raw(self.scheme)
        self._time: Callable[[], float] = self.loop.time

    def data_received(self, data: bytes) -> None:
        if self._idle:
            known = self._raw.find(data)
            if known is not None and self.memo.holds(known) and self._is_free():
                self._give_again(known)
                return
        whole = self._idle and len(data) <= _LONGEST
        self._asked = 0
        self._feeding = True
        try:
            super().data_received(data)
        finally:
            self._feeding = False
        if whole and self._idle and self._asked == 1 and self._given is not None and self._is_free():
            self._raw.keep(bytes(data), self._given)

    def on_message_begin(self) -> None:
        self._idle = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        known = self._look() if self._is_free() else None
        self._given = None
        self._asked += 1
        self._ours = known is not None or self.transport.is_closing()
        if not self._ours:
            HttpToolsProtocol._unset_keepalive_if_required(self)  # noqa: SLF001 - held back while bytes are fed
            super().on_headers_complete()
            return
        self.head_ended()
        if known is not None:
            self._given = Repeated(known, self._tell(known), self.memo.of)
            self._give(known, keep_alive=self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive())

    def on_body(self, body: bytes) -> None:
        if not self._ours:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._idle = True
        if self._ours:
            self.message_ended()
        else:
            super().on_message_complete()

    def _look(self) -> Remembered | None:
        asked = question(self.parser.get_method(), self.url, self.scheme or "", self.headers)
        if asked is None or (self.behind_proxies and any(name.startswith(b"x-forwarded-") for name, _ in self.headers)):
            return None
        return self.memo.find(asked)

    def _is_free(self) -> bool:
        """Whether an answer may be written now: none is under way, and the client takes what it is sent."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            return False
        return not self.flow.write_paused and not self.transport.is_closing()

    def _give_again(self, known: Repeated) -> None:
        if self._deadline is not None:
            self._heard = True
            self._unwatch()  # a whole head is here
        if known.access is not None:
            self._tell_again(known.access)
        answer, own = known.answer, self.server_state.default_headers
        if answer.dated is not own:
            answer.date(own)
        self.transport.write(answer.ready)
        self.cells[answer.cell] += 1
        self._last = self._time()
        if self.timeout_keep_alive_task is None:
            self._rest(self.timeout_keep_alive)

    def _give(self, known: Remembered, *, keep_alive: bool) -> None:
        self.transport.write(known.wire(self.server_state.default_headers, b"" if keep_alive else _CLOSE))
        self.cells[known.cell] += 1
        if keep_alive:
            self._stay()
        else:
            self.transport.close()

    def _tell(self, known: Remembered) -> Access | None:
        """Has the access log written, if there is one; what it was told."""
        if self.memory.on_access is None:
            return None
        answered = (known.status, len(known.body))
        access = access_of_hit(self._client, self.parser.get_method(), self.url, self.headers, answered)
        self.memory.on_access(access)
        return access

    def _tell_again(self, access: Access) -> None:
        if self.memory.on_access is not None:
            client = self._client
            self.memory.on_access(access if access.client == client else access._replace(client=client))

    @property
    def _client(self) -> str:
        return self.client[0] if self.client else ""

    # A timer for each answer would cost as much as the answer: one goes on, and looks at the time when it rings.

    def _stay(self) -> None:
        self._last = self._time()
        if self.timeout_keep_alive_task is None:
            self._rest(self.timeout_keep_alive)

    def _rest(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        left = self._last + self.timeout_keep_alive - self.loop.time()
        if not self._idle:
            self.timeout_keep_alive_task = None  # the next request has begun; its answer sets the timer anew
        elif left > 0:
            self._rest(left)
        else:
            super().timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        if not self._feeding:
            super()._unset_keepalive_if_required()
