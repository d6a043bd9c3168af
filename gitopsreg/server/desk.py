"""What one request works with: one snapshot from start to end, signed links, and who we are to this client."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, HTTPException, Request, Response

from gitopsreg.index.model import Delivery, Snapshot
from gitopsreg.index.packages import Packages
from gitopsreg.model.digest import Sha256
from gitopsreg.protocol.document import Document, encode
from gitopsreg.protocol.links import LinkSigner, artifact_path
from gitopsreg.protocol.lookup import address_of
from gitopsreg.server.answers import Answer, respond
from gitopsreg.server.hands import Hands
from gitopsreg.server.host import origin, own_hosts
from gitopsreg.server.redirects import Redirects
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.storage.base import BlobReader

# Clients sleep for as long as they are told, without a limit of their own.
RETRY_AFTER = "5"

# Threads that read documents for requests, and seconds until one must be free.
_READERS, _PATIENCE = 8, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What all requests of one app share. `report` takes sentences that an operator should read.

    `readers` are the back ends by name ("" is the registry's own store), each call of which ends in time; `delivery` is
    for packages that don't say how theirs are delivered. `hands` are for downloads, `reading` for documents of packages
    that are not at hand.
    """

    snapshots: Snapshots
    readers: Mapping[str, BlobReader]
    redirects: Redirects
    hands: Hands
    delivery: Delivery
    signer: Callable[[], LinkSigner]
    reading: Hands = field(default_factory=lambda: Hands(_READERS, _PATIENCE))
    public_url: str | None = None
    clock: Callable[[], float] = time.time
    report: Callable[[str], None] = lambda _: None


def house(request: Request) -> House:
    """The app's one House (see `app.build_app`)."""
    found = request.app.state.house
    if not isinstance(found, House):
        raise TypeError("the app was not made by build_app")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One request's own."""

    request: Request
    house: House
    snapshot: Snapshot
    now: float

    def link(self, digest: Sha256, filename: str) -> str:
        self.request.state.linked = True
        return self.house.signer().sign(artifact_path(digest, filename), self.now)

    @property
    def origin(self) -> str:
        return origin(self.request, self.house.public_url)

    @property
    def hosts(self) -> tuple[str, ...]:
        return own_hosts(self.request, self.house.public_url, self.snapshot.root.hostname)

    def document(self, document: Document) -> Response:
        return self._respond(Answer(body=encode(document)))

    def location(self, location: str) -> Response:
        return self._respond(Answer(location=location))

    def _respond(self, answer: Answer) -> Response:
        linked = getattr(self.request.state, "linked", False)
        until = self.house.signer().same_until(self.now) if linked else math.inf
        return respond(self.request, answer, str(self.snapshot.digest), holds_until=until)


async def open_desk(request: Request) -> Desk:
    """Takes the snapshot, once, with the package that is asked for; 503 only while there has never been one."""
    ours = house(request)
    served = ours.snapshots.current()
    if served is None:
        why = ours.snapshots.freshness().error or "nothing is published yet"
        raise HTTPException(503, f"no snapshot is loaded: {why}", headers={"Retry-After": RETRY_AFTER})
    # Failures are answered elsewhere, and name the same snapshot.
    request.state.snapshot = str(served.snapshot.digest)
    await _fetch(ours, served.snapshot, request.path_params)
    return Desk(request=request, house=ours, snapshot=served.snapshot, now=ours.clock())


async def _fetch(ours: House, snapshot: Snapshot, names: Mapping[str, str]) -> None:
    """What the store would have to be asked for, or takes long to decode, is not left to the event loop."""
    kind, path = _named(names)
    address = address_of(snapshot, kind, path)
    packages = snapshot.packages
    if address is not None and isinstance(packages, Packages) and not packages.is_quick(address):
        await ours.reading.do(lambda: packages[address])


def _named(names: Mapping[str, str]) -> tuple[str, str]:
    if "provider" in names:
        return "provider", f"{names['namespace']}/{names['provider']}"
    return "module", f"{names['namespace']}/{names['name']}/{names['system']}"


OpenDesk = Annotated[Desk, Depends(open_desk)]
