"""`gitopsreg up`: reconciler and server in one process, the embedded default; and the welcome for a newcomer."""

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output, recipe, tfrc
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import CATALOG, LOGS, SERVING, takes
from gitopsreg.cli.serving import access_log, listen_at
from gitopsreg.index.model import Package
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.server.snapshot import Snapshots

NAME = "up"
SHORT = "Reconcile and serve, in one process."
HELP = """Run the whole registry in one process: reconcile the catalog, serve what comes of it, and follow new commits.

The first run starts at once; what was published before is served meanwhile. Stop it with SIGTERM or Ctrl-C: downloads
under way may finish.

Exit codes: 0 stopped, 2 wrong use, 3 the store can't be reached, 130 Ctrl-C before it was up.
"""
EXAMPLES = """Examples:
  gitopsreg up --catalog . --path example-catalog --store file:///tmp/gitopsreg
  gitopsreg up --catalog https://git.example.com/acme/catalog.git --ref refs/heads/main \\
               --store file:///var/lib/gitopsreg --listen 127.0.0.1:8080 --interval 60
  gitopsreg up --config gitopsreg.yaml --tls-cert chain.pem --tls-key key.pem --listen :443"""

# How long a reconcile under way may take to end after a signal; an abandoned one harms nothing.
_PATIENCE = 10.0


@takes(*CATALOG, "store", "interval", "care", *SERVING, "receivers", "output", *LOGS, needs=("catalog", "store"))
def command(settings: Settings) -> int:
    import structlog

    from gitopsreg.cli import logs
    from gitopsreg.cli.progress import reporter_for
    from gitopsreg.cli.watch import Watch
    from gitopsreg.server.serve import serve
    from gitopsreg.wiring import application, caring, pauses, reconciling, stores, ticking

    logs.configure(settings)
    listen = listen_at(settings)
    stores.open_store(settings)  # makes the directory that the reader wants
    with (
        pauses.short(),
        ExitStack() as closing,
        reporter_for(settings) as reporter,
        reconciling.make_reconciler(settings, reporter) as reconciler,
    ):
        welcome = Welcome(settings)

        def show_at_once() -> None:
            snapshots.refresh()

        watch = Watch(
            settings,
            before_first=reporter.stop,
            on_first=lambda _: welcome.reconciled(snapshots),
            on_published=show_at_once,
        )
        loop = ticking.make_loop(settings, reconciler, on_outcome=watch.outcome, on_error=watch.error)
        on_access = closing.enter_context(access_log(settings))
        app, snapshots = application.make_app(
            settings, stores.open_server_readers(settings), trigger=loop.request, on_access=on_access
        )

        def ready(address: str) -> None:
            welcome.serving(address)
            loop.start()  # not before: a port that is taken is told before anything is done

        try:
            with (
                snapshots.following(settings.refresh.total_seconds()),
                caring.looking_after(settings, structlog.get_logger("gitopsreg").warning),
            ):
                serve(
                    app,
                    listen,
                    drain=settings.drain.total_seconds(),
                    on_ready=ready,
                    trusted_proxies=settings.trusted_proxies,
                )
        finally:
            loop.stop(timeout=_PATIENCE)
    return DONE


class Welcome:
    """Printed once, when the server answers and the first run is over, whichever comes last."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._address: str | None = None
        self._packages: tuple[Package, ...] | None = None
        self._lock = threading.Lock()

    def serving(self, address: str) -> None:
        with self._lock:
            self._address = address
            self._print()

    def reconciled(self, snapshots: "Snapshots") -> None:
        snapshots.refresh()
        served = snapshots.current()
        with self._lock:
            self._packages = recipe.examples(served.snapshot.packages, recipe.this_platform()) if served else ()
            self._print()

    def _print(self) -> None:
        if self._address is None or self._packages is None:
            return
        url = tfrc.url_of_running(self._settings, self._address)
        if self._settings.output == "json":
            output.print_json_line({"event": "serving", "url": url})
            return
        out = output.console()
        output.say(out, f"Serving {url}", "bold")
        script = recipe.lines(self._packages, url, recipe.this_platform())
        if script:
            output.say(out, "\nPaste this into another shell to install from it:\n")
            output.say(out, printable_lines(script), "cyan")
        output.say(
            out, f"Following {printable(self._settings.ref)} of {printable(self._settings.catalog)}; Ctrl-C ends."
        )


def printable_lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))
