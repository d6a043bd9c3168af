"""`gitopsreg serve`: answer terraform and tofu from a store. Reads the store only; any number may run side by side."""

from gitopsreg.cli import output, tfrc
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import LOGS, SERVING, takes
from gitopsreg.cli.serving import listen_at
from gitopsreg.settings import Settings

NAME = "serve"
SHORT = "Serve what is published in a store."
HELP = """Serve what is published in a store. It reads only; 'gitopsreg reconcile --watch' on the same store writes.

A store that is empty, gone or damaged does not stop it: what was read before is served, also what an earlier run kept
in --cache, and the store is asked again every --refresh. GET /readyz says how it goes.

Stop it with SIGTERM or Ctrl-C: downloads under way may finish.

Exit codes: 0 stopped, 2 wrong use.
"""
EXAMPLES = """Examples:
  gitopsreg serve --store file:///var/lib/gitopsreg
  gitopsreg serve --config gitopsreg.yaml --listen :443 --tls-cert chain.pem --tls-key key.pem
  gitopsreg serve --config gitopsreg.yaml --public-url https://registry.example.com --trusted-proxy 10.0.0.0/8"""


@takes("store", "cache", *SERVING, "output", *LOGS, needs=("store",))
def command(settings: Settings) -> int:
    from gitopsreg.cli import logs
    from gitopsreg.server.serve import serve
    from gitopsreg.wiring import application, stores

    logs.configure(settings)
    listen = listen_at(settings)
    app, snapshots = application.make_app(settings, stores.open_server_readers(settings), trigger=None)

    def ready(address: str) -> None:
        url = tfrc.url_of_running(settings, address)
        served = snapshots.current()
        if settings.output == "json":
            digest = served.snapshot.digest.hex if served else ""
            output.print_json_line({"event": "serving", "url": url, "snapshot": digest})
        else:
            output.say(output.console(), f"Serving {url}" + ("" if served else " (nothing is published yet)"), "bold")

    with snapshots.following(settings.refresh.total_seconds()):
        serve(
            app,
            listen,
            drain=settings.drain.total_seconds(),
            on_ready=ready,
            trusted_proxies=settings.trusted_proxies,
        )
    return DONE
