"""A header on answers of a snapshot that the store has not confirmed for long: old answers are to be told from new."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gitopsreg.server.answers import SNAPSHOT_HEADER
from gitopsreg.server.snapshot import Snapshots

AGE_HEADER = "X-Gitopsreg-Snapshot-Age"

_NAMED = SNAPSHOT_HEADER.lower().encode()


class Staleness:
    """An ASGI layer around routes that know nothing of it: what they answer, ETags too, is of the snapshot alone."""

    def __init__(self, app: ASGIApp, snapshots: Snapshots) -> None:
        self._app = app
        self._snapshots = snapshots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fresh = self._snapshots.freshness()
        if not fresh.stale or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        age = (AGE_HEADER.lower().encode(), str(int(fresh.confirmed)).encode())

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start" and any(name == _NAMED for name, _ in message["headers"]):
                message["headers"] = [*message["headers"], age]
            await send(message)

        await self._app(scope, receive, tell)
