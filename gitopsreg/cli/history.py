"""`gitopsreg history`: the snapshots that were published, newest first. Reads the store only."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output, publishing, untouched
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.cli.publishing import Publishing
from gitopsreg.index.model import Root
from gitopsreg.model.digest import Sha256
from gitopsreg.settings import Settings

NAME = "history"
SHORT = "List the published snapshots."
HELP = """List the published snapshots, newest first, with the catalog revision and commit time of each.

The way back to an older state is 'git revert' in the catalog; in an emergency it is 'gitopsreg rollback'.

Exit codes: 0 done, 2 wrong use, 3 the store can't be read.
"""
EXAMPLES = """Examples:
  gitopsreg history --store file:///var/lib/gitopsreg
  gitopsreg history --config gitopsreg.yaml --limit 5 --output json"""


@dataclass(frozen=True, slots=True)
class Past:
    """One snapshot; `packages` is how many the catalog declared, None when that can't be read any more."""

    digest: Sha256
    root: Root
    packages: int | None


@takes("store", *PRINTED, needs=("store",))
def command(
    settings: Settings,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, metavar="NUMBER", help="Show so many.")] = 50,
) -> int:
    from gitopsreg.index.census import census
    from gitopsreg.index.repository import history
    from gitopsreg.wiring import stores

    reader = stores.open_reader(settings)
    now = publishing.read_publishing(reader, datetime.now(UTC))
    roots = list(history(reader, now.head, limit)) if now.head else []
    counts = census(reader, (root for _, root in roots))
    snapshots = [Past(digest, root, count) for (digest, root), count in zip(roots, counts, strict=True)]
    if settings.output == "json":
        output.print_json({"snapshots": [as_json(item, now) for item in snapshots]} | publishing.as_json(now))
    else:
        show(snapshots, now, settings)
    return DONE


def as_json(item: Past, now: Publishing) -> dict[str, Any]:
    return {
        "digest": str(item.digest),
        "revision": item.root.revision,
        "time": item.root.time,
        "packages": item.packages,
        "previous": str(item.root.previous) if item.root.previous else None,
        "state": state(item, now),
    }


def state(item: Past, now: Publishing) -> str:
    """`served`; `newest` for what was rolled back and is built on; "" for the past."""
    if now.head and item.digest == now.head.root:
        return "served"
    return "newest" if now.head and item.digest == now.head.newest else ""


def show(snapshots: list[Past], now: Publishing, settings: Settings) -> None:
    out = output.console()
    if not snapshots:
        for line in untouched.lines(settings, "published"):
            output.say(out, line)
        return
    rows = (
        (
            output.short_digest(item.digest.hex),
            printable(output.short_revision(item.root.revision)),
            item.root.time,
            "?" if item.packages is None else str(item.packages),
            state(item, now),
        )
        for item in snapshots
    )
    output.table(out, ("SNAPSHOT", "REVISION", "COMMIT TIME", "PACKAGES", "STATE"), rows)
    for line in publishing.lines(now):
        output.say(out, line)
