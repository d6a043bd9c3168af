"""One record a request, for whoever wants to write it down. Never the query: signatures are in it."""

import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Access(NamedTuple):
    """`status` is 0 when the client left before there was one; `sent` counts the body's bytes. `seconds` is 0 for what
    was answered before a request was made of it: it takes some millionths.
    """

    client: str
    method: str
    path: str
    status: int
    sent: int
    seconds: float
    user_agent: str


OnAccess = Callable[[Access], None]


class AccessLog:
    """An ASGI layer that tells `on_access` of every request when it is over."""

    def __init__(self, app: ASGIApp, on_access: OnAccess) -> None:
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
            elif message["type"] == "http.response.body" and scope["method"] != "HEAD":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, count)
        finally:
            self._on_access(_access(scope, status, sent, time.perf_counter() - started))


def _access(scope: Scope, status: int, sent: int, seconds: float) -> Access:
    return Access(
        client=scope["client"][0] if scope.get("client") else "",
        method=scope["method"],
        path=scope["path"],
        status=status,
        sent=sent,
        seconds=seconds,
        user_agent=_user_agent(scope["headers"]),
    )


def access_of_hit(
    client: str, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]], answered: tuple[int, int]
) -> Access:
    """What the layer would say of a request that did not come so far; `answered`: status and bytes of the body."""
    path = target.partition(b"?")[0].decode("ascii")
    status, sent = answered
    return Access(client, method.decode("ascii"), unquote(path), status, sent, 0.0, _user_agent(headers))


def _user_agent(headers: list[tuple[bytes, bytes]]) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == b"user-agent"), "")
