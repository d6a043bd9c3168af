"""The memo in front of the routes, as an ASGI layer: it answers what was answered before, and listens to the rest.

It sees every request that the wire has not answered, so it also counts them.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gitopsreg.server.answers import HOLDS_UNTIL
from gitopsreg.server.counts import PROTOCOLS, Counts, cell, kind_of
from gitopsreg.server.memo import Memo, Question, Remembered, question

_PER_CONNECTION = frozenset((b"date", b"connection"))


class Remembering:
    """Answers from the memo, and has it remember what routes say may be remembered."""

    def __init__(self, app: ASGIApp, memo: Memo, counts: Counts) -> None:
        self._app = app
        self._memo = memo
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = _asked(scope)
        known = self._memo.find(asked) if asked else None
        if known is not None:
            self._counts.mine[known.cell] += 1
            await _say(known, send)
            return
        await self._render(asked, scope, receive, send)

    async def _render(self, asked: Question | None, scope: Scope, receive: Receive, send: Send) -> None:
        epoch = self._memo.epoch()
        kind = kind_of(scope["path"])
        listener = _Listener(send)
        try:
            await self._app(scope, receive, listener.hear)
        finally:
            self._counts.mine[cell(kind, listener.status, remembered=False)] += 1
        until = scope.get("state", {}).get(HOLDS_UNTIL)
        # Of what else there is an answer may follow from more than a question tells, its query for one.
        if asked is not None and until is not None and listener.complete and kind in PROTOCOLS:
            self._memo.keep(asked, listener.heard(kind, asked.method == b"HEAD", until), epoch)


def _asked(scope: Scope) -> Question | None:
    query = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    return question(scope["method"].encode(), target, scope["scheme"], scope["headers"])


async def _say(known: Remembered, send: Send) -> None:
    await send({"type": "http.response.start", "status": known.status, "headers": list(known.headers)})
    await send({"type": "http.response.body", "body": known.body})


class _Listener:
    """Passes an answer on, and keeps a copy of one that has a single piece."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: bytes | None = None
        self.status = 0
        self.complete = False

    async def hear(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = message["headers"]
        elif message["type"] == "http.response.body":
            whole = self._body is None and not message.get("more_body", False)
            self._body = message.get("body", b"")
            self.complete = whole
        await self._send(message)

    def heard(self, kind: str, bodiless: bool, until: float) -> Remembered:
        headers = [(name.lower(), value) for name, value in self._headers]
        own = (pair for pair in headers if pair[0] not in _PER_CONNECTION)
        counted = cell(kind, self.status, remembered=True)
        return Remembered.of(self.status, own, b"" if bodiless else self._body or b"", until=until, cell=counted)
