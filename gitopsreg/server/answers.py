"""From a document to an HTTP answer: a strong ETag, a lifetime, 304 for who has it already. Knows no protocol."""

import math
import re
from dataclasses import dataclass, replace
from hashlib import sha256

from fastapi import Request, Response

from gitopsreg.server.packing import ENCODING, WORTHWHILE, packed, takes_packed

# Where the state of a request says for how long its answer may be remembered (see `remembering`).
HOLDS_UNTIL = "holds_until"
SNAPSHOT_HEADER = "X-Gitopsreg-Snapshot"
JSON = "application/json"
# Lists change with every publish: ask again soon, it costs a 304. Answers that depend on the caller are private.
BRIEFLY = "private, max-age=10, must-revalidate"
STABLE = "public, max-age=300"

_ENTITY_TAG = re.compile(r'(?:W/)?"([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a protocol says. `location` is a module's `X-Terraform-Get`: then the status is 204, without a body.

    `encoding` is what the body is packed with, if it is.
    """

    body: bytes = b""
    location: str | None = None
    lifetime: str = BRIEFLY
    encoding: str | None = None

    @property
    def etag(self) -> str:
        """Of all that is sent: equal answers have equal tags, on every server and after every restart. It is strong, so
        a packed body has a tag of its own.
        """
        return sha256((self.location or "").encode() + b"\n" + self.body).hexdigest()[:32]


def has_already(request: Request, etag: str) -> bool:
    """Whether If-None-Match names this entity: a list, weak forms and `*` count (RFC 9110 13.1.2)."""
    for header in request.headers.getlist("if-none-match"):
        if header.strip() == "*" or etag in _ENTITY_TAG.findall(header):
            return True
    return False


def respond(request: Request, answer: Answer, snapshot: str | None, *, holds_until: float = math.inf) -> Response:
    """The same question gets this answer until `holds_until` (seconds since 1970) while nothing is published."""
    setattr(request.state, HOLDS_UNTIL, holds_until)
    varies = {"Vary": "Accept-Encoding"} if len(answer.body) >= WORTHWHILE else {}
    if varies and _takes_packed(request):
        answer = replace(answer, body=packed(answer.body), encoding=ENCODING)
    headers = {"ETag": f'"{answer.etag}"', "Cache-Control": answer.lifetime} | varies
    if snapshot is not None:
        headers[SNAPSHOT_HEADER] = snapshot
    if answer.location is not None:
        # Go reads header bytes as UTF-8; ASGI frameworks write text as latin-1.
        headers["X-Terraform-Get"] = answer.location.encode().decode("latin-1")
    if has_already(request, answer.etag):
        return Response(status_code=304, headers=headers)
    if answer.location is not None:
        return Response(status_code=204, headers=headers)
    return Response(answer.body, headers=headers | _content(answer))


def _takes_packed(request: Request) -> bool:
    """Said in one header, as the memo reads it too; who says it in several gets it as it is."""
    accepted = request.headers.getlist("accept-encoding")
    return len(accepted) == 1 and takes_packed(accepted[0].encode("latin-1"))


def _content(answer: Answer) -> dict[str, str]:
    return {"Content-Type": JSON} | ({"Content-Encoding": answer.encoding} if answer.encoding else {})
