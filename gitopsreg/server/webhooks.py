"""`POST /hooks/<receiver>`: reads with a cap, asks `receivers.judge`, and says "look again" without waiting for it.

Hooks may be lost, doubled or replayed: the effect is an idempotent look, and polling stays on.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from gitopsreg.errors import ConfigError
from gitopsreg.server.receivers import Receiver, judge

MAX_BODY = 1024 * 1024
_READ_SECONDS = 10
_REMEMBERED = 1000
_LONGEST_ID = 200
# Senders repeat themselves within seconds. Later it is a person who wants another look, and who shall have it.
_REMEMBERED_SECONDS = 5 * 60


class Bucket:
    """How often one receiver may say it: `burst` times at once, then `per_second`."""

    def __init__(self, burst: int = 30, per_second: float = 1.0) -> None:
        self._burst = burst
        self._per_second = per_second
        self._tokens = float(burst)
        self._filled: float | None = None

    def wait(self, now: float) -> float:
        """Takes a token and says 0, or the seconds until there is one."""
        elapsed = max(0.0, now - self._filled) if self._filled is not None else 0.0
        self._tokens = min(self._burst, self._tokens + elapsed * self._per_second)
        self._filled = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._per_second


class Hook:
    """One receiver with what it remembers: the deliveries of the last minutes, so many at most, and its bucket."""

    def __init__(self, receiver: Receiver, bucket: Bucket) -> None:
        self.receiver = receiver
        self.bucket = bucket
        self._seen: OrderedDict[str, float] = OrderedDict()

    def seen(self, delivery: str, now: float) -> bool:
        """Whether it was remembered less than five minutes ago."""
        then = self._seen.get(delivery[:_LONGEST_ID])
        return then is not None and abs(now - then) < _REMEMBERED_SECONDS

    def remember(self, delivery: str, now: float) -> None:
        if delivery:
            self._seen[delivery[:_LONGEST_ID]] = now
            self._seen.move_to_end(delivery[:_LONGEST_ID])
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)


def build_router(
    receivers: Sequence[Receiver],
    trigger: Callable[[str], None],
    *,
    clock: Callable[[], float] = time.time,
    bucket: Callable[[], Bucket] = Bucket,
) -> APIRouter:
    """`trigger` gets the reason in words, and must not block. Raises ConfigError when two receivers share a name."""
    hooks = {receiver.name: Hook(receiver, bucket()) for receiver in receivers}
    if len(hooks) != len(receivers):
        raise ConfigError("two webhook receivers have the same name: each needs its own")
    router = APIRouter()

    async def hook(receiver: str, request: Request) -> Response:
        found = hooks.get(receiver)
        if found is None:
            raise HTTPException(404)
        return _receive(found, dict(request.headers), await _body(request), clock(), trigger)

    router.add_api_route(
        "/hooks/{receiver}",
        hook,
        methods=["POST"],
        tags=["webhooks"],
        summary="Tell the registry to look at the catalog again",
        response_class=Response,
        response_model=None,
        responses={
            200: {"description": "A ping; nothing is done."},
            202: {"description": "Accepted: the catalog is looked at as soon as can be."},
            204: {"description": "Authentic, and of no concern here (another event or ref)."},
            401: {"description": "The signature or token does not match."},
            413: {"description": "The body is larger than 1 MiB."},
            429: {"description": "Too often; try again after Retry-After seconds."},
        },
    )
    return router


def _receive(hook: Hook, headers: dict[str, str], body: bytes, now: float, trigger: Callable[[str], None]) -> Response:
    name = hook.receiver.name
    verdict = judge(hook.receiver, headers, body, now)
    if verdict.outcome == "refused":
        raise HTTPException(401, f'receiver "{name}": {verdict.message}')
    if verdict.outcome == "ping":
        return JSONResponse({"status": "pong"})
    if verdict.outcome == "irrelevant":
        return Response(status_code=204)
    if hook.seen(verdict.delivery, now):
        return JSONResponse({"status": "already accepted"}, 202)
    wait = hook.bucket.wait(now)
    if wait:
        seconds = min(29, max(1, math.ceil(wait)))
        raise HTTPException(429, f'receiver "{name}" is called too often', headers={"Retry-After": str(seconds)})
    # Only now: a delivery that was turned away is welcome again.
    hook.remember(verdict.delivery, now)
    trigger(f"webhook {name}: {verdict.message}")
    return JSONResponse({"status": "accepted"}, 202)


async def _body(request: Request) -> bytes:
    """The raw bytes, never more than the cap."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MAX_BODY:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(_READ_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_BODY:
                    raise _too_large()
    except TimeoutError as error:
        raise HTTPException(408, f"the body did not arrive within {_READ_SECONDS} seconds") from error
    return bytes(body)


def _too_large() -> HTTPException:
    # The rest of the body is not read, so the connection can't go on.
    return HTTPException(413, "the body is larger than 1 MiB", headers={"Connection": "close"})
