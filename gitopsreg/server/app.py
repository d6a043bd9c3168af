"""The web application: routers, one mapping of errors, and what all requests share. Reads only; holds no state."""

import time
from collections.abc import Callable, Mapping, Sequence

from fastapi import FastAPI

from gitopsreg import __version__
from gitopsreg.index.model import Delivery
from gitopsreg.protocol.links import LinkSigner
from gitopsreg.server import artifacts, failures, health, pages, routes, webhooks
from gitopsreg.server.access_log import AccessLog, OnAccess
from gitopsreg.server.counts import Counts
from gitopsreg.server.desk import House
from gitopsreg.server.era import Era
from gitopsreg.server.hands import Hands
from gitopsreg.server.host import checked_public_url
from gitopsreg.server.memo import Memo
from gitopsreg.server.quick import Memory
from gitopsreg.server.receivers import Receiver
from gitopsreg.server.redirects import Redirects
from gitopsreg.server.remembering import Remembering
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.server.staleness import Staleness
from gitopsreg.storage.base import BlobReader
from gitopsreg.storage.bounded import BoundedReader

Application = FastAPI

PROXY = Delivery(serve="proxy")

# Seconds of a store's silence that a download outlasts; signing takes no time at all, but for a key that is fetched.
_PATIENCE = 10.0
_SIGNING = 3.0
_DOWNLOADS, _SIGNERS = 64, 8  # threads


def build_app(
    snapshots: Snapshots,
    readers: Mapping[str, BlobReader],
    signer: LinkSigner | Callable[[], LinkSigner],
    *,
    delivery: Delivery = PROXY,
    patience: float = _PATIENCE,
    public_url: str | None = None,
    receivers: Sequence[Receiver] = (),
    trigger: Callable[[str], None] | None = None,
    clock: Callable[[], float] = time.time,
    report: Callable[[str], None] = lambda _: None,
    on_access: OnAccess | None = None,
    counts: Counts | None = None,
) -> FastAPI:
    """The app. `signer` may be a function for a store whose link key is not made yet: called for every link, inside the
    event loop, it answers from memory, and raises StorageError until there is one (see `signing`).

    `readers` are the back ends by name; downloads wait `patience` seconds for each piece that they ask of one.
    `trigger` starts a reconcile and returns at once; without it, or without receivers, there are no hooks. `counts` are
    those that this app shares with others.

    Raises ConfigError for a public URL or receivers that make no sense.
    """
    app = FastAPI(
        title="gitopsreg",
        version=__version__,
        summary="A Terraform and OpenTofu registry whose whole desired state is a Git repository.",
        # The usual pages load scripts from elsewhere; ours is in `pages`.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.house = House(
        snapshots=snapshots,
        readers={name: BoundedReader(reader, patience, most=_DOWNLOADS) for name, reader in readers.items()},
        redirects=_redirects(readers, min(patience, _SIGNING), report),
        hands=Hands(_DOWNLOADS, patience),
        delivery=delivery,
        signer=signer if callable(signer) else lambda: signer,
        public_url=checked_public_url(public_url) if public_url else None,
        clock=clock,
        report=report,
    )
    failures.install(app)
    for room in (routes, artifacts, health, pages):
        app.include_router(room.router)
    if receivers and trigger is not None:
        app.include_router(webhooks.build_router(receivers, trigger, clock=clock))
    memory = Memory(
        memo=Memo(Era(snapshots, app.state.house.signer).current, clock), counts=counts or Counts(), on_access=on_access
    )
    app.add_middleware(Remembering, memo=memory.memo, counts=memory.counts)
    app.add_middleware(Staleness, snapshots=snapshots)
    # For the protocol, which no layer sees answer.
    app.state.memory = memory
    if on_access is not None:
        app.add_middleware(AccessLog, on_access=on_access)
    return app


def _redirects(readers: Mapping[str, BlobReader], patience: float, report: Callable[[str], None]) -> Redirects:
    signers = {name: BoundedReader(reader, patience, most=_SIGNERS) for name, reader in readers.items()}
    return Redirects(signers, Hands(_SIGNERS, patience), report=report)


def build_hooks_app(
    receivers: Sequence[Receiver], trigger: Callable[[str], None], *, clock: Callable[[], float] = time.time
) -> Application:
    """An app that receives webhooks and says that it is alive, for a reconciler that serves nothing else."""
    app = FastAPI(title="gitopsreg webhooks", version=__version__, openapi_url=None, redirect_slashes=False)
    failures.install(app)
    app.add_api_route("/healthz", health.healthz, methods=["GET", "HEAD"])
    app.include_router(webhooks.build_router(receivers, trigger, clock=clock))
    return app
