"""Stored bytes for who holds a signed link: streamed from the store, whole or one range, never changed on the way."""

import re
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from gitopsreg.errors import Blocked, KeyMissing, StorageError
from gitopsreg.index.keys import blob_key
from gitopsreg.model.digest import Sha256
from gitopsreg.protocol.links import PREFIX
from gitopsreg.server.answers import SNAPSHOT_HEADER, has_already
from gitopsreg.server.desk import House, house
from gitopsreg.server.ranges import Span, wanted
from gitopsreg.server.routes import answers

router = APIRouter()


async def _house(request: Request) -> House:
    return house(request)


OurHouse = Annotated[House, Depends(_house)]

_UNSAFE = re.compile(r"[^0-9A-Za-z._+-]")
# Never a Content-Encoding: clients would unpack once too often.
_TYPES = {".zip": "application/zip", ".gz": "application/gzip"}
_ANY = "application/octet-stream"
_BYTES = {"content": {_ANY: {"schema": {"type": "string", "format": "binary"}}}}


@answers(
    router,
    PREFIX + "{digest}/{filename}",
    tags=["artifacts"],
    summary="Fetch stored bytes by a signed link",
    responses={
        200: {"description": "All of it."} | _BYTES,
        206: {"description": "The range that was asked for."} | _BYTES,
        304: {"description": "The client already has it (If-None-Match)."},
        403: {"description": "The link was altered or has expired."},
        410: {"description": "The bytes belong to a blocked version."},
        416: {"description": "The range lies behind the end."},
        502: {"description": "The store has lost the bytes."},
    },
)
async def artifact(digest: str, filename: str, request: Request, ours: OurHouse) -> Response:
    path = f"{PREFIX}{digest}/{filename}"
    ours.signer().verify(path, _only(request, "expires"), _only(request, "signature"), ours.clock())
    named = Sha256(digest)
    served = ours.snapshots.current()
    # All that follows names this one, failures too (see `failures`).
    request.state.snapshot = str(served.snapshot.digest) if served else None
    if served is not None and named in served.withheld:
        raise Blocked(f'"{filename}" belongs to a blocked version and is no longer served')
    try:
        return await _deliver(request, ours, named, filename)
    except KeyMissing as error:
        # Not a 404: the client did nothing wrong, and an operator must hear of it. Clients don't ask archives twice.
        ours.report(f'the store has lost "{error}", which {filename} needs')
        raise HTTPException(502, f'the registry\'s store has lost the bytes of "{filename}"') from error
    except StorageError as error:
        ours.report(f"the store does not answer: {error}")
        raise


def _only(request: Request, key: str) -> str:
    """The query's value when there is exactly one."""
    values = request.query_params.getlist(key)
    return values[0] if len(values) == 1 else ""


async def _deliver(request: Request, ours: House, digest: Sha256, filename: str) -> Response:
    key = blob_key(digest)
    size = await run_in_threadpool(ours.reader.size, key)
    headers = _headers(digest, filename, size) | _snapshot(request)
    if has_already(request, digest.hex):
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        return Response(headers=headers | {"Content-Length": str(size)})
    span = wanted(_range(request, digest), size)
    if span == "unsatisfiable":
        headers["Content-Range"] = f"bytes */{size}"
        raise HTTPException(416, f'"{filename}" has {size} bytes: the range lies behind its end', headers=headers)
    if span == "whole":
        pieces = await run_in_threadpool(ours.reader.chunks, key)
        return _Stream(pieces, ours, headers | {"Content-Length": str(size)}, 200)
    return await _part(ours, key, span, headers)


async def _part(ours: House, key: str, span: Span, headers: dict[str, str]) -> Response:
    pieces = await run_in_threadpool(ours.reader.chunks, key, span.start, span.length)
    partial = {"Content-Range": span.content_range, "Content-Length": str(span.length)}
    return _Stream(pieces, ours, headers | partial, 206)


def _snapshot(request: Request) -> dict[str, str]:
    snapshot = request.state.snapshot
    return {SNAPSHOT_HEADER: snapshot} if snapshot else {}


def _headers(digest: Sha256, filename: str, size: int) -> dict[str, str]:
    headers = {
        "ETag": f'"{digest.hex}"',
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Type": next((kind for suffix, kind in _TYPES.items() if filename.endswith(suffix)), _ANY),
        "Content-Disposition": f'attachment; filename="{_UNSAFE.sub("_", filename)}"',
        "X-Content-Type-Options": "nosniff",
    }
    # With a length of zero, some clients take this for "you have it all" and never GET.
    if size > 0:
        headers["Accept-Ranges"] = "bytes"
    return headers


def _range(request: Request, digest: Sha256) -> str | None:
    """The Range header, unless If-Range names another state than ours (dates never match: there are none)."""
    condition = request.headers.get("if-range")
    if condition is not None and condition.strip() != f'"{digest.hex}"':
        return None
    return request.headers.get("range")


class _Stream(StreamingResponse):
    """Reads the store in threads, and lets go of it also when the client leaves in the middle."""

    def __init__(self, pieces: Iterator[bytes], ours: House, headers: dict[str, str], status: int) -> None:
        super().__init__(pieces, status, headers)
        self._pieces = pieces
        self._report = ours.report

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except StorageError as error:
            # Too late for a status: the connection ends before its Content-Length, and the client sees that.
            self._report(f"a download broke off: {error}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            close = getattr(self._pieces, "close", None)
            if close is not None:
                close()
