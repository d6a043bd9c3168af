"""`gitopsreg reconcile`: bring the store to what the catalog declares, once or for as long as it runs."""

import gc
import signal
import threading
from collections.abc import Callable
from typing import Annotated

import typer

from gitopsreg.cli import output, tell
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import CATALOG, LOGS, takes
from gitopsreg.errors import ConfigError
from gitopsreg.model.digest import Sha256
from gitopsreg.settings import Settings

# How long a run under way, or a webhook, may take to end after a signal.
_PATIENCE = 10.0

NAME = "reconcile"
SHORT = "Bring the store to what the catalog declares."
HELP = """Read the catalog's newest commit, verify and store what it declares, and publish it.

Runs once and waits for the end; with --watch it goes on, looking for new commits.

Exit codes: 0 applied, 1 some declarations failed (their last good versions are served) or a guard held the publish,
2 wrong use or an internal error, 3 the catalog or the store can't be reached.
"""
EXAMPLES = """Examples:
  gitopsreg reconcile --catalog https://git.example.com/acme/catalog.git --store file:///var/lib/gitopsreg
  gitopsreg reconcile --config gitopsreg.yaml --watch --hooks-listen :8081 --receiver catalog=github,env:HOOK_SECRET
  gitopsreg reconcile --config gitopsreg.yaml --approve sha256:5e1c…"""


@takes(
    *CATALOG,
    "store",
    "backends",
    "interval",
    "care",
    "link_key_file",
    "receivers",
    "hooks_listen",
    "output",
    *LOGS,
    needs=("catalog", "store"),
)
def command(
    settings: Settings,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, until SIGTERM or Ctrl-C.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Fetch and verify again what is published; it is never replaced.")
    ] = False,
    approve: Annotated[
        str | None,
        typer.Option("--approve", metavar="PLAN", help="Publish exactly this plan, though a guard holds it."),
    ] = None,
) -> int:
    from gitopsreg.cli import logs
    from gitopsreg.cli.progress import reporter_for
    from gitopsreg.wiring import reconciling

    if watch and (force or approve):
        raise ConfigError("--watch goes on, --force and --approve are for one run: run them apart")
    logs.configure(settings)
    if watch:
        return _watch(settings)
    gc.freeze()  # what is imported stays, and what a run makes stays until its end: looking for garbage finds none
    gc.set_threshold(200_000, 20, 50)
    with reporter_for(settings) as reporter, reconciling.make_reconciler(settings, reporter) as reconciler:
        plan = str(Sha256.parse(approve)) if approve else None
        outcome = reconciler.run(force=force, approve=plan) if force or plan else reconciler.run_once()
    if settings.output == "json":
        output.print_json(tell.as_json(outcome))
    else:
        tell.show(output.console(), outcome, settings)
    return tell.exit_code(outcome)


def _watch(settings: Settings) -> int:
    import structlog

    from gitopsreg.cli.progress import reporter_for
    from gitopsreg.cli.watch import Watch
    from gitopsreg.wiring import caring, reconciling, ticking

    with reporter_for(settings) as reporter, reconciling.make_reconciler(settings, reporter) as reconciler:
        watch = Watch(settings, before_first=reporter.stop)
        loop = ticking.make_loop(settings, reconciler, on_outcome=watch.outcome, on_error=watch.error)
        loop.start()
        try:
            with caring.looking_after(settings, structlog.get_logger("gitopsreg").warning):
                _until_stopped(settings, loop.request)
        finally:
            loop.stop(timeout=_PATIENCE)
    return DONE


def _until_stopped(settings: Settings, trigger: Callable[[str], None]) -> None:
    """Until SIGTERM or Ctrl-C, receiving webhooks meanwhile if that was asked for."""
    if settings.hooks_listen is None:
        stopped = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopped.set())
        stopped.wait()
        return
    from gitopsreg.server.listen import Listen
    from gitopsreg.server.serve import serve
    from gitopsreg.wiring import application

    listen = Listen(settings.hooks_listen.host, settings.hooks_listen.port)
    serve(application.make_hooks_app(settings, trigger), listen, drain=_PATIENCE, on_ready=_hooks_ready)


def _hooks_ready(address: str) -> None:
    import structlog

    structlog.get_logger("gitopsreg").info("receiving webhooks", address=address)
