"""`gitopsreg hold`: stop publishing, for a while or until it is released. What is served stays."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.settings import Settings

NAME = "hold"
SHORT = "Stop publishing; what is served stays."
HELP = """Stop publishing, for a while or until 'gitopsreg release'. What is served stays as it is.

Reconcilers go on reading the catalog, and 'gitopsreg status' says that they are held. Holding again changes the end and
the reason.

It waits for nobody: a run that is under way publishes nothing any more.

Exit codes: 0 done, 1 nothing was published yet, 2 wrong use, 3 the store can't be reached.
"""
EXAMPLES = """Examples:
  gitopsreg hold --store file:///var/lib/gitopsreg --reason "move to new disks"
  gitopsreg hold --config gitopsreg.yaml --until 4h
  gitopsreg hold --config gitopsreg.yaml --until 2026-12-24T18:00:00Z"""

UNTIL = typer.Option("--until", metavar="TIME", help='When it ends by itself: "4h" from now, or a time (RFC 3339).')
REASON = typer.Option("--reason", metavar="TEXT", help="Why; shown wherever the hold is.")


@takes("store", *PRINTED, needs=("store",))
def command(
    settings: Settings,
    until: Annotated[str | None, UNTIL] = None,
    reason: Annotated[str, REASON] = "",
) -> int:
    from gitopsreg.cli import holding, publishing
    from gitopsreg.index.head import Head
    from gitopsreg.index.holding import hold
    from gitopsreg.index.pointer import Hold
    from gitopsreg.wiring import stores

    now = datetime.now(UTC)
    holding.a_hold(until, reason, now=now)  # wrong use is told before anything is waited for
    store = stores.open_store(settings)

    def change(head: Head, beside: holding.Beside) -> tuple[bool, Hold]:
        was = head.hold_at(publishing.stamp(now))
        wanted = holding.a_hold(until, reason, now=now, was=was)
        if was is not None and holding.says_the_same(wanted, was):
            return False, was
        hold(store, head, wanted, fence=beside.epoch)
        return True, wanted

    changed, said = holding.on_the_head(store, change)
    if settings.output == "json":
        output.print_json({"changed": changed, "hold": output.plain(said)})
    else:
        output.say(output.console(), f"Publishing is {said}")
    return DONE
