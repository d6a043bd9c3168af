"""`gitopsreg serve`: answer terraform and tofu from a store. Reads the store only; any number may run side by side."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitopsreg.cli import output, tfrc
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import LOGS, SERVING, takes
from gitopsreg.cli.serving import access_log, listen_at, told
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.server.app import Application
    from gitopsreg.server.counts import Counts
    from gitopsreg.server.listen import Listen
    from gitopsreg.server.seats import Seats
    from gitopsreg.server.snapshot import Snapshots
    from gitopsreg.server.workers import Post

NAME = "serve"
SHORT = "Serve what is published in a store."
HELP = """Serve what is published in a store. It reads only; 'gitopsreg reconcile --watch' on the same store writes.

A store that is empty, gone or damaged does not stop it: what was read before is served, also what an earlier run kept
in --cache, and the store is asked again every --refresh. GET /readyz says how it goes.

With --workers that many processes share the address. One that dies is replaced; each looks at the store by itself.

Stop it with SIGTERM or Ctrl-C: downloads under way may finish.

Exit codes: 0 stopped, 2 wrong use.
"""
EXAMPLES = """Examples:
  gitopsreg serve --store file:///var/lib/gitopsreg
  gitopsreg serve --config gitopsreg.yaml --listen :443 --tls-cert chain.pem --tls-key key.pem
  gitopsreg serve --store s3://bucket/registry --workers 4 --access-log /var/log/gitopsreg/access.jsonl
  gitopsreg serve --config gitopsreg.yaml --public-url https://registry.example.com --trusted-proxy 10.0.0.0/8"""


@takes("store", "cache", "workers", *SERVING, "output", *LOGS, needs=("store",))
def command(settings: Settings) -> int:
    from gitopsreg.cli import logs
    from gitopsreg.server.counts import Counts
    from gitopsreg.server.serve import serve

    logs.configure(settings)
    listen = listen_at(settings)
    if settings.workers > 1:
        return _several(settings, listen)
    with _opened(settings, Counts()) as (app, snapshots):
        serve(
            app,
            listen,
            drain=settings.drain.total_seconds(),
            on_ready=lambda address: _say_ready(settings, address, snapshots),
            trusted_proxies=settings.trusted_proxies,
        )
    return DONE


def _several(settings: Settings, listen: "Listen") -> int:
    import structlog

    from gitopsreg.server.counts import Counts
    from gitopsreg.server.seats import seats
    from gitopsreg.server.workers import Post, Workers

    counts = Counts(settings.workers)
    with seats(listen, settings.workers) as shared:

        def work(post: Post) -> int:
            return told(lambda: _work(settings, shared, counts, post))

        patience, report = settings.drain.total_seconds(), structlog.get_logger("gitopsreg").warning
        return Workers(settings.workers, work, patience=patience, report=report, on_stop=shared.close).run()


def _work(settings: Settings, shared: "Seats", counts: "Counts", post: "Post") -> None:
    from gitopsreg.server.serve import Place, serve

    counts.sit(post.number)
    with _opened(settings, counts) as (app, snapshots):

        def ready(address: str) -> None:
            if post.first:
                _say_ready(settings, address, snapshots)
            post.ready()

        serve(
            app,
            shared.listen,
            drain=settings.drain.total_seconds(),
            on_ready=ready,
            trusted_proxies=settings.trusted_proxies,
            place=Place(shared, post.number, post.line),
        )


@contextmanager
def _opened(settings: Settings, counts: "Counts") -> "Iterator[tuple[Application, Snapshots]]":
    """The application, following its store and with its access log, until the block ends."""
    from gitopsreg.wiring import application, pauses, stores

    with access_log(settings) as on_access, pauses.short():
        readers = stores.open_server_readers(settings)
        app, snapshots = application.make_app(settings, readers, trigger=None, on_access=on_access, counts=counts)
        with snapshots.following(settings.refresh.total_seconds()):
            yield app, snapshots


def _say_ready(settings: Settings, address: str, snapshots: "Snapshots") -> None:
    url = tfrc.url_of_running(settings, address)
    served = snapshots.current()
    if settings.output == "json":
        digest = served.snapshot.digest.hex if served else ""
        output.print_json_line({"event": "serving", "url": url, "snapshot": digest})
    else:
        output.say(output.console(), f"Serving {url}" + ("" if served else " (nothing is published yet)"), "bold")
