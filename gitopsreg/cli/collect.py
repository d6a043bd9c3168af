"""`gitopsreg collect`: remove what no retained snapshot names any more."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError, InvalidName
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from gitopsreg.reconcile.collect import Collected

NAME = "collect"
SHORT = "Remove what no retained snapshot names."
HELP = """Remove from the store what neither the served snapshot nor the newest few name, once it is old enough.

How many snapshots are kept, and for how long everything else, comes from the catalog ('gc' of its storage class, else
10 snapshots and 30 days). Whoever reads or publishes meanwhile loses nothing. Nothing is removed unless all that is
retained could be read. In another back end only the registry that collected there first removes anything.

Exit codes: 0 done, 2 wrong use, 3 the store can't be reached or read, or another reconciler is at work.
"""
EXAMPLES = """Examples:
  gitopsreg collect --store file:///var/lib/gitopsreg --dry-run
  gitopsreg collect --config gitopsreg.yaml --keep 5 --grace 7d --output json"""


@takes("store", "backends", "jobs", *PRINTED, needs=("store",))
def command(
    settings: Settings,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, max=10_000, metavar="NUMBER", help="Retain so many snapshots.")
    ] = None,
    grace: Annotated[
        str | None, typer.Option("--grace", metavar="DURATION", help="Keep what is younger, named or not: 2h or more.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; remove nothing.")] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Collect also in back ends where another registry did so far.")
    ] = False,
) -> int:
    from gitopsreg.cli.publishing import require_published
    from gitopsreg.cli.working import working
    from gitopsreg.reconcile.collect import collect
    from gitopsreg.wiring import stores
    from gitopsreg.wiring.reconciling import make_lease

    opened = stores.open_backends(settings)
    require_published(opened[""])
    period = _grace(grace)
    with working() as progress, make_lease(opened[""]).held(wait=True) as lease:
        collected = collect(
            opened,
            lease,
            now=datetime.now(UTC),
            keep=keep,
            grace=period,
            dry_run=dry_run,
            take_over=take_over,
            jobs=settings.jobs,
            progress=progress,
        )
    if settings.output == "json":
        output.print_json({"dryRun": dry_run} | output.plain(collected))
    else:
        _show(output.console(), collected, dry_run=dry_run)
    return DONE


def _grace(text: str | None) -> timedelta | None:
    """Raises ConfigError."""
    from gitopsreg.settings.values import duration

    if text is None:
        return None
    try:
        period: timedelta = duration(timedelta(0), timedelta(days=3650))(text)  # type: ignore[assignment]
    except InvalidName as error:
        raise ConfigError(f'--grace "{text}": {error}') from error
    return period


def _show(out: "Console", collected: "Collected", *, dry_run: bool) -> None:
    verb, freed = ("Would remove", "would be freed") if dry_run else ("Removed", "freed")
    removed = f"{verb} {output.count(collected.removed, 'object')}, {output.size(collected.freed)} {freed}"
    kept = f"kept {collected.kept} of {output.count(collected.snapshots, 'snapshot')}"
    output.say(out, f"{removed}; {kept}, {collected.young} not old enough", "bold")
    for name in collected.left_alone:
        why = f"another registry collects there, or no --backend {name} is given"
        output.say(out, printable(f'Left back end "{name}" alone: {why}'), "yellow")
