"""The web application: routers, one mapping of errors, and what all requests share. Reads only; holds no state."""

import time
from collections.abc import Callable, Sequence

from fastapi import FastAPI

from gitopsreg import __version__
from gitopsreg.protocol.links import LinkSigner
from gitopsreg.server import artifacts, failures, health, pages, routes, webhooks
from gitopsreg.server.access_log import Access, AccessLog
from gitopsreg.server.desk import House
from gitopsreg.server.host import checked_public_url
from gitopsreg.server.receivers import Receiver
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.storage.base import BlobReader

Application = FastAPI


def build_app(
    snapshots: Snapshots,
    reader: BlobReader,
    signer: LinkSigner | Callable[[], LinkSigner],
    *,
    public_url: str | None = None,
    receivers: Sequence[Receiver] = (),
    trigger: Callable[[str], None] | None = None,
    clock: Callable[[], float] = time.time,
    report: Callable[[str], None] = lambda _: None,
    on_access: Callable[[Access], None] | None = None,
) -> FastAPI:
    """The app. `signer` may be a function for a store whose link key is not made yet: called for every link, inside the
    event loop, it answers from memory, and raises StorageError until there is one (see `signing`).

    `trigger` starts a reconcile and returns at once; without it, or without receivers, there are no hooks.

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
        reader=reader,
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
    if on_access is not None:
        app.add_middleware(AccessLog, on_access=on_access)
    return app


def build_hooks_app(
    receivers: Sequence[Receiver], trigger: Callable[[str], None], *, clock: Callable[[], float] = time.time
) -> Application:
    """An app that receives webhooks and says that it is alive, for a reconciler that serves nothing else."""
    app = FastAPI(title="gitopsreg webhooks", version=__version__, openapi_url=None, redirect_slashes=False)
    failures.install(app)
    app.add_api_route("/healthz", health.healthz, methods=["GET", "HEAD"])
    app.include_router(webhooks.build_router(receivers, trigger, clock=clock))
    return app
