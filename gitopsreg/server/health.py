"""Is the process alive, can it answer, and how much did it? For orchestrators, load balancers and operators."""

import os
from datetime import datetime

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
            "description": "There is. `ageSeconds`: since the commit that it shows; `confirmedSeconds`: since the "
            "store last said that it is the newest; `error`: why the store does not now; `stale`: true when that has "
            "lasted too long."
        },
        503: {"description": "No snapshot was ever loaded."},
    },
)
async def readyz(request: Request) -> Response:
    ours = house(request)
    snapshots = ours.snapshots
    served = snapshots.current()
    fresh = snapshots.freshness()
    error = {"error": fresh.error} if fresh.error else {}
    if served is None:
        return JSONResponse({"snapshot": None} | error, 503, _NEVER_STORED)
    body = {
        "snapshot": str(served.snapshot.digest),
        "revision": served.snapshot.root.revision,
        "ageSeconds": _age(served.snapshot.root.time, ours.clock()),
        "confirmedSeconds": round(fresh.confirmed, 3),
        "packages": served.snapshot.root.packages,
    }
    stale = {"stale": True} if fresh.stale else {}
    return JSONResponse(body | stale | error, headers=_NEVER_STORED)


@answers(
    router,
    "/statusz",
    tags=["health"],
    summary="How many requests were answered, and what the processes take",
    responses={
        200: {
            "description": "`answers`: by kind of path, class of status, and whether they came from memory; of all "
            "workers, since the first start. `workers`: process ids and resident bytes of each. `process`: the worker "
            "that answered this; `memo`: bytes of answers that it remembers."
        }
    },
)
async def statusz(request: Request) -> Response:
    memory = request.app.state.memory
    body = {
        "answers": memory.counts.table(),
        "workers": [{"process": each.process, "memoryBytes": each.memory} for each in memory.counts.workers()],
        "process": os.getpid(),
        "memo": memory.memo.sizes,
    }
    return JSONResponse(body, headers=_NEVER_STORED)


def _age(time: str, now: float) -> float:
    """Never negative: a committer's clock may be ahead."""
    return round(max(0.0, now - datetime.fromisoformat(time).timestamp()), 3)
