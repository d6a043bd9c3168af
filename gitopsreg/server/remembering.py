"""The memo in front of the routes, as an ASGI layer: it answers what was answered before, and listens to the rest."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gitopsreg.server.answers import HOLDS_UNTIL
from gitopsreg.server.memo import Memo, Question, Remembered, question

_PER_CONNECTION = frozenset((b"date", b"connection"))


class Remembering:
    """Answers from the memo, and has it remember what routes say may be remembered."""

    def __init__(self, app: ASGIApp, memo: Memo) -> None:
        self._app = app
        self._memo = memo

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = _asked(scope) if scope["type"] == "http" else None
        if asked is None:
            await self._app(scope, receive, send)
            return
        known = self._memo.find(asked)
        if known is not None:
            await _say(known, send)
            return
        await self._render(asked, scope, receive, send)

    async def _render(self, asked: Question, scope: Scope, receive: Receive, send: Send) -> None:
        epoch = self._memo.epoch()
        listener = _Listener(send)
        await self._app(scope, receive, listener.hear)
        until = scope.get("state", {}).get(HOLDS_UNTIL)
        if until is not None and listener.complete:
            self._memo.keep(asked, listener.heard(asked.method == b"HEAD", until), epoch)


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
        self._start: Message = {}
        self._body: bytes | None = None
        self.complete = False

    async def hear(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            whole = self._body is None and not message.get("more_body", False)
            self._body = message.get("body", b"")
            self.complete = whole
        await self._send(message)

    def heard(self, bodiless: bool, until: float) -> Remembered:
        headers = [(name.lower(), value) for name, value in self._start["headers"]]
        own = (pair for pair in headers if pair[0] not in _PER_CONNECTION)
        return Remembered.of(self._start["status"], own, b"" if bodiless else self._body or b"", until)
