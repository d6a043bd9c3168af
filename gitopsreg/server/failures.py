"""Our errors as HTTP answers: one mapping, one JSON shape (`{"errors": ["…"]}`), never a traceback."""

import math

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gitopsreg.errors import Blocked, InvalidName, LinkRefused, NotPublished, StorageError
from gitopsreg.server.answers import HOLDS_UNTIL, SNAPSHOT_HEADER
from gitopsreg.server.counts import PROTOCOLS, kind_of
from gitopsreg.server.desk import RETRY_AFTER, house

# Messages quote what was asked for, and that may be anything.
_LONGEST = 1000

# Of a store's failures clients are not told more: where it lies is nothing to them. Whoever met it has reported it.
_UNAVAILABLE = "the registry can't reach its store, or misses something there; its log says why. Try again soon"

# 410 for a blocked version: clients show its body where they download a module, and don't say that a platform is
# missing, as they would for a 404 of a provider.
_STATUS: dict[type[Exception], int] = {
    Blocked: 410,
    NotPublished: 404,
    InvalidName: 404,
    LinkRefused: 403,
    StorageError: 503,
}


def install(app: FastAPI) -> None:
    for kind in _STATUS:
        app.add_exception_handler(kind, _expected)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


async def _expected(request: Request, error: Exception) -> Response:
    status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    if status == 503:
        return _failure(request, status, _UNAVAILABLE, {"Retry-After": RETRY_AFTER})
    if getattr(request.state, "snapshot", None) and kind_of(request.url.path) in PROTOCOLS:
        setattr(request.state, HOLDS_UNTIL, math.inf)  # by this registry; clients are told to ask again
    return _failure(request, status, str(error), {})


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    detail = error.detail
    if error.status_code == 404:
        detail = f'there is nothing at "{request.url.path[:200]}"'
    if error.status_code == 405:
        allowed = "POST" if request.url.path.startswith("/hooks/") else "GET, HEAD"
        headers["Allow"] = allowed
        detail = f"{request.method} is not for this path: it answers {allowed}"
    return _failure(request, error.status_code, detail, headers)


async def _bug(request: Request, error: Exception) -> Response:
    _report(request, f"{request.method} {request.url.path[:200]} failed: {type(error).__name__}: {error}")
    return _failure(request, 500, "the registry failed to answer; its log says why", {})


def _report(request: Request, message: str) -> None:
    if hasattr(request.app.state, "house"):
        house(request).report(message)


def _failure(request: Request, status: int, message: str, headers: dict[str, str]) -> Response:
    """Never stored: what is missing may be published the next second."""
    snapshot = getattr(request.state, "snapshot", None)
    if snapshot is None and hasattr(request.app.state, "house"):  # an app of hooks alone has none
        served = house(request).snapshots.current()
        snapshot = str(served.snapshot.digest) if served else None
    named = {SNAPSHOT_HEADER: snapshot} if snapshot else {}
    return JSONResponse({"errors": [message[:_LONGEST]]}, status, headers | named | {"Cache-Control": "no-store"})
