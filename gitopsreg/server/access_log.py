"""One record a request, for whoever wants to write it down. Never the query: signatures are in it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`status` is 0 when the client left before there was one; `sent` counts the body's bytes."""

    client: str
    method: str
    path: str
    status: int
    sent: int
    seconds: float
    user_agent: str


class AccessLog:
    """An ASGI layer that tells `on_access` of every request when it is over."""

    def __init__(self, app: ASGIApp, on_access: Callable[[Access], None]) -> None:
        self._app = app
        self._on_access = on_access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = sent = 0

        async def count(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, count)
        finally:
            self._on_access(_access(scope, status, sent, time.perf_counter() - started))


def _access(scope: Scope, status: int, sent: int, seconds: float) -> Access:
    agents = [value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"]
    return Access(
        client=scope["client"][0] if scope.get("client") else "",
        method=scope["method"],
        path=scope["path"],
        status=status,
        sent=sent,
        seconds=seconds,
        user_agent=agents[0] if agents else "",
    )
