"""`gitopsreg history`: the snapshots that were published, newest first. Reads the store only."""

from typing import Annotated, Any

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.index.model import Root
from gitopsreg.model.digest import Sha256
from gitopsreg.settings import Settings

NAME = "history"
SHORT = "List the published snapshots."
HELP = """List the published snapshots, newest first, with the catalog revision and commit time of each.

The way back to an older state is 'git revert' in the catalog.

Exit codes: 0 done, 2 wrong use, 3 the store can't be read.
"""
EXAMPLES = """Examples:
  gitopsreg history --store file:///var/lib/gitopsreg
  gitopsreg history --config gitopsreg.yaml --limit 5 --output json"""


@takes("store", *PRINTED, needs=("store",))
def command(
    settings: Settings,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, metavar="NUMBER", help="Show so many.")] = 50,
) -> int:
    from gitopsreg.index import repository
    from gitopsreg.wiring import stores

    reader = stores.open_reader(settings)
    head = repository.read_head(reader)
    snapshots = list(repository.history(reader, head, limit)) if head else []
    if settings.output == "json":
        output.print_json({"snapshots": [as_json(digest, root) for digest, root in snapshots]})
    else:
        show(snapshots)
    return DONE


def as_json(digest: Sha256, root: Root) -> dict[str, Any]:
    return {
        "digest": str(digest),
        "revision": root.revision,
        "time": root.time,
        "packages": root.packages,
        "previous": str(root.previous) if root.previous else None,
    }


def show(snapshots: list[tuple[Sha256, Root]]) -> None:
    out = output.console()
    if not snapshots:
        output.say(out, "Nothing has been published into this store yet.")
        return
    rows = (
        (
            output.short_digest(digest.hex),
            printable(output.short_revision(root.revision)),
            root.time,
            str(root.packages),
        )
        for digest, root in snapshots
    )
    output.table(out, ("SNAPSHOT", "REVISION", "COMMIT TIME", "PACKAGES"), rows)
