"""`gitopsreg rollback`: serve an older snapshot, and hold back everything newer."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.hold import REASON, UNTIL
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError
from gitopsreg.settings import Settings

NAME = "rollback"
SHORT = "Serve an older snapshot, and hold the rest back."
HELP = """Serve an older snapshot, and publish nothing until 'gitopsreg release' or --until.

This is for an emergency: it takes no commit. The normal way back is 'git revert' in the catalog, which needs no hold.
SNAPSHOT is "previous" (before the one that is served), or at least 8 hex digits of one that 'gitopsreg history' lists.
It is looked over whole before it is served. What was published since is not forgotten: it comes back with its bytes.

Exit codes: 0 done, 1 no such snapshot, or it serves what was blocked since, 2 wrong use, 3 the store can't be reached
or lacks some of the snapshot.
"""
EXAMPLES = """Examples:
  gitopsreg rollback previous --hold --store file:///var/lib/gitopsreg
  gitopsreg rollback 3f9c0a1b2c3d --hold --until 4h --reason "2.0.0 breaks plans" --config gitopsreg.yaml"""


@takes("store", "backends", *PRINTED, needs=("store",))
def command(
    settings: Settings,
    snapshot: Annotated[str, typer.Argument(metavar="SNAPSHOT", help="The one to serve.", show_default=False)],
    hold: Annotated[bool, typer.Option("--hold", help="Publish nothing until released; needed.")] = False,
    until: Annotated[str | None, UNTIL] = None,
    reason: Annotated[str, REASON] = "",
    serve_blocked: Annotated[
        bool, typer.Option("--serve-blocked", help="Also when it serves what was blocked since.")
    ] = False,
) -> int:
    from gitopsreg.cli import holding, publishing
    from gitopsreg.index.head import Head
    from gitopsreg.model.digest import Sha256
    from gitopsreg.reconcile.rollback import find, roll_back
    from gitopsreg.wiring import stores

    if not hold:
        raise ConfigError(
            "without --hold the next run would publish what the catalog says, and undo it: the normal way back is "
            "'git revert' in the catalog; in an emergency add --hold"
        )
    now = datetime.now(UTC)
    holding.a_hold(until, reason, now=now)  # wrong use is told before anything is waited for
    opened = stores.open_backends(settings)
    store = opened[""]

    def change(head: Head, beside: holding.Beside) -> tuple[bool, Sha256]:
        was = head.hold_at(publishing.stamp(now))
        wanted = holding.a_hold(until, reason, now=now, was=was)
        target = find(store, head, snapshot)
        changed = target != head.root or not holding.says_the_same(wanted, was)
        if changed:
            roll_back(opened, head, target, wanted, beside, serve_blocked=serve_blocked)
        return changed, target

    changed, target = holding.on_the_head(store, change)
    after = publishing.read_publishing(store, now)
    if settings.output == "json":
        output.print_json({"changed": changed} | publishing.as_json(after))
        return DONE
    out = output.console()
    output.say(out, f"Serving {output.short_digest(str(target))}", "bold")
    for line in publishing.lines(after):
        output.say(out, line)
    return DONE
