"""Stored bytes for who holds a signed link: by a link of the store, or streamed from it, whole or one range."""

import re
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from gitopsreg.errors import Blocked, KeyMissing, StorageError
from gitopsreg.index.contents import Place
from gitopsreg.model.digest import Sha256
from gitopsreg.protocol.links import PREFIX
from gitopsreg.server.answers import SNAPSHOT_HEADER, has_already
from gitopsreg.server.desk import House, house
from gitopsreg.server.ranges import Span
from gitopsreg.server.routes import answers
from gitopsreg.server.served import PLAIN, Served, Way
from gitopsreg.server.stream import Opened, Stream, opened
from gitopsreg.storage.base import BlobReader, LinkTerms

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
        302: {"description": "The store hands them out: at this link, for some minutes."},
        304: {"description": "The client already has it (If-None-Match)."},
        403: {"description": "The link was altered or has expired."},
        410: {"description": "The bytes belong to a version that is no longer served."},
        416: {"description": "The range lies behind the end."},
        502: {"description": "The store has lost the bytes, or they lie in one that this server does not know."},
        503: {"description": "The store does not answer."},
    },
)
async def artifact(digest: str, filename: str, request: Request, ours: OurHouse) -> Response:
    path = f"{PREFIX}{digest}/{filename}"
    ours.signer().verify(path, _only(request, "expires"), _only(request, "signature"), ours.clock())
    named = Sha256(digest)
    served = ours.snapshots.current()
    # All that follows names this one, failures too (see `failures`).
    request.state.snapshot = str(served.snapshot.digest) if served else None
    if served is not None and named.hex in served.withheld:
        raise Blocked(f'"{filename}" belongs to a version that is blocked or discarded, and is no longer served')
    try:
        return await _deliver(request, ours, served, named, filename)
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


async def _deliver(request: Request, ours: House, served: Served | None, digest: Sha256, filename: str) -> Response:
    headers = _headers(digest, filename) | _snapshot(request)
    if has_already(request, digest.hex):
        return Response(status_code=304, headers=headers)
    way = served.ways.get(digest.hex, PLAIN) if served else PLAIN
    place = way.place(digest)
    reader = _reader(ours, place, filename)
    if request.method == "HEAD":
        # Never redirected: a link that a store signs is for GET alone.
        size = served.sizes.get(digest.hex) if served else None
        size = await ours.hands.do(lambda: reader.size(place.key)) if size is None else size
        return Response(headers=headers | _length(size, size))
    url = await _link(ours, way, place, filename)
    if url is not None:
        return RedirectResponse(url, 302, {"Cache-Control": "no-store"} | _snapshot(request))
    source = await ours.hands.do(lambda: opened(reader, place.key, _range(request, digest)))
    return _streamed(ours, source, filename, headers)


async def _link(ours: House, way: Way, place: Place, filename: str) -> str | None:
    """The store's own, where bytes are delivered so and it signs any."""
    delivery = way.delivery or ours.delivery
    if delivery.serve != "redirect":
        return None
    lifetime = timedelta(seconds=delivery.ttl)
    terms = LinkTerms(lifetime=lifetime, filename=_safe(filename), content_type=_type(filename))
    return await ours.redirects.link(place, terms)


def _reader(ours: House, place: Place, filename: str) -> BlobReader:
    reader = ours.readers.get(place.backend)
    if reader is None:
        ours.report(f'the back end "{place.backend}" is not configured here: add it to "backends", {filename} needs it')
        raise HTTPException(502, f'the bytes of "{filename}" lie in a store that this server does not know')
    return reader


def _streamed(ours: House, source: Opened, filename: str, headers: dict[str, str]) -> Response:
    headers |= _length(source.length, source.size)
    if source.span == "unsatisfiable":
        told = {name: value for name, value in headers.items() if not name.startswith("Content-")}
        raise HTTPException(
            416,
            f'"{filename}" has {source.size} bytes: the range lies behind its end',
            headers=told | {"Content-Range": f"bytes */{source.size}"},
        )
    if isinstance(source.span, Span):
        return Stream(source, ours.hands, ours.report, headers | {"Content-Range": source.span.content_range}, 206)
    return Stream(source, ours.hands, ours.report, headers, 200)


def _snapshot(request: Request) -> dict[str, str]:
    snapshot = request.state.snapshot
    return {SNAPSHOT_HEADER: snapshot} if snapshot else {}


def _type(filename: str) -> str:
    return next((kind for suffix, kind in _TYPES.items() if filename.endswith(suffix)), _ANY)


def _safe(filename: str) -> str:
    return _UNSAFE.sub("_", filename)


def _headers(digest: Sha256, filename: str) -> dict[str, str]:
    return {
        "ETag": f'"{digest.hex}"',
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Type": _type(filename),
        "Content-Disposition": f'attachment; filename="{_safe(filename)}"',
        "X-Content-Type-Options": "nosniff",
    }


def _length(length: int, size: int) -> dict[str, str]:
    """With a length of zero and an offer of ranges, some clients take this for "you have it all" and never GET."""
    return {"Content-Length": str(length)} | ({"Accept-Ranges": "bytes"} if size > 0 else {})


def _range(request: Request, digest: Sha256) -> str | None:
    """The Range header, unless If-Range names another state than ours (dates never match: there are none)."""
    condition = request.headers.get("if-range")
    if condition is not None and condition.strip() != f'"{digest.hex}"':
        return None
    return request.headers.get("range")
