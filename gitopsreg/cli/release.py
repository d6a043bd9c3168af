"""`gitopsreg release`: end a hold. The next run publishes what the catalog says."""

from datetime import UTC, datetime

from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.settings import Settings

NAME = "release"
SHORT = "End a hold; the next run publishes."
HELP = """End the hold of 'gitopsreg hold' or 'gitopsreg rollback'. The next run publishes what the catalog says.

Where an older snapshot is served, it is served until that run. Without a hold nothing is changed.

Exit codes: 0 done, 1 nothing was published yet, 2 wrong use, 3 the store can't be reached.
"""
EXAMPLES = """Examples:
  gitopsreg release --store file:///var/lib/gitopsreg
  gitopsreg release --config gitopsreg.yaml && gitopsreg reconcile --config gitopsreg.yaml"""


@takes("store", *PRINTED, needs=("store",))
def command(settings: Settings) -> int:
    from gitopsreg.cli import holding, publishing
    from gitopsreg.index.head import Head
    from gitopsreg.index.holding import release
    from gitopsreg.index.pointer import Hold
    from gitopsreg.wiring import stores

    store = stores.open_store(settings)

    def change(head: Head, beside: holding.Beside) -> Hold | None:
        was = head.hold_at(publishing.stamp(datetime.now(UTC)))
        if was is not None:
            release(store, head, fence=beside.epoch)
        return was

    was = holding.on_the_head(store, change)
    if settings.output == "json":
        output.print_json({"changed": was is not None, "hold": None})
    elif was is None:
        output.say(output.console(), "Publishing is not on hold.")
    else:
        output.say(output.console(), f"Released; it was {was}. The next run publishes what the catalog says.")
    return DONE
