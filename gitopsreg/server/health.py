"""Is the process alive, and can it answer? For orchestrators and load balancers."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from gitopsreg.server.desk import house
from gitopsreg.server.routes import answers

router = APIRouter()

_NEVER_STORED = {"Cache-Control": "no-store"}


@answers(
    router,
    "/healthz",
    tags=["health"],
    summary="Whether the process lives",
    responses={200: {"description": "It does, whatever the store does."}},
)
async def healthz() -> Response:
    return JSONResponse({"status": "ok"}, headers=_NEVER_STORED)


@answers(
    router,
    "/readyz",
    tags=["health"],
    summary="Whether there is a snapshot to serve, and how fresh it is",
    responses={
        200: {
            "description": "There is. `ageSeconds`: since the store last confirmed it; `error`: why it does not now."
        },
        503: {"description": "No snapshot was ever loaded."},
    },
)
async def readyz(request: Request) -> Response:
    snapshots = house(request).snapshots
    served = snapshots.current()
    fresh = snapshots.freshness()
    error = {"error": fresh.error} if fresh.error else {}
    if served is None:
        return JSONResponse({"snapshot": None} | error, 503, _NEVER_STORED)
    body = {
        "snapshot": str(served.snapshot.digest),
        "revision": served.snapshot.root.revision,
        "ageSeconds": round(fresh.age, 3),
        "packages": served.snapshot.root.packages,
    }
    return JSONResponse(body | error, headers=_NEVER_STORED)
