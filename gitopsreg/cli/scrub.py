"""`gitopsreg scrub`: read stored bytes again, and repair what is damaged."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE, FOUND
from gitopsreg.cli.options import CATALOG, PRINTED, takes
from gitopsreg.errors import ConfigError, InvalidName
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from gitopsreg.index.care import FoundFault
    from gitopsreg.reconcile.scrub import Scrubbed

_UNITS = {"kB/s": 10**3, "MB/s": 10**6, "GB/s": 10**9}

NAME = "scrub"
SHORT = "Read stored bytes again, and repair them."
HELP = """Read again what is served, byte by byte, and compare it with what was published.

Goes on where the last one stopped, to the end of the cycle or for as long as --for says. What is damaged or missing is
fetched again from its upstream, and stored when it is exactly what was published; that is tried once for each commit of
the catalog. Without a catalog nothing is repaired. 'gitopsreg status' shows what is left.

Exit codes: 0 all that was read is well or repaired, 1 something is damaged, 2 wrong use, 3 the store can't be reached.
"""
EXAMPLES = """Examples:
  gitopsreg scrub --config gitopsreg.yaml --for 10m --rate 20MB/s
  gitopsreg scrub --catalog https://git.example.com/acme/catalog.git --store s3://registry --everything"""


@takes(*CATALOG, "store", "backends", *PRINTED, needs=("store",))
def command(
    settings: Settings,
    period: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="Stop after so long, and go on there next time.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option("--rate", metavar="RATE", help='Read no faster, like "20MB/s".', show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--everything", help="Begin anew, and try every repair again.")] = False,
) -> int:
    from gitopsreg.cli.publishing import require_published
    from gitopsreg.cli.working import working
    from gitopsreg.reconcile.pace import Pace
    from gitopsreg.reconcile.scrub import scrub
    from gitopsreg.wiring import stores
    from gitopsreg.wiring.caring import make_repair

    pace = Pace(seconds=_seconds(period), rate=_rate(rate))
    opened = stores.open_backends(settings)
    require_published(opened[""])
    with ExitStack() as stack:
        repair = stack.enter_context(make_repair(settings, opened)) if settings.catalog else None
        progress = stack.enter_context(working())
        done = scrub(opened, now=datetime.now(UTC), repair=repair, pace=pace, everything=everything, progress=progress)
    if settings.output == "json":
        output.print_json(output.plain(done))
    else:
        _show(output.console(), done)
    return FOUND if done.figures.faults else DONE


def _seconds(text: str | None) -> float | None:
    """Raises ConfigError."""
    from gitopsreg.settings.values import duration

    if text is None:
        return None
    try:
        period: timedelta = duration(timedelta(0), timedelta(days=365))(text)  # type: ignore[assignment]
    except InvalidName as error:
        raise ConfigError(f'--for "{text}": {error}') from error
    return period.total_seconds()


def _rate(text: str | None) -> float | None:
    """Bytes a second. Raises ConfigError."""
    if text is None:
        return None
    for unit, size in _UNITS.items():
        amount = text.removesuffix(unit)
        if amount != text and amount.isascii() and amount.isdigit() and 0 < int(amount) < 10**6:
            return float(int(amount) * size)
    raise ConfigError(f'--rate "{text}": write a whole number of kB/s, MB/s or GB/s, like "20MB/s"')


def _show(out: "Console", done: "Scrubbed") -> None:
    figures = done.figures
    read = f"Read {output.count(done.checked, 'object')}, {output.size(done.read)}"
    where = "to the end" if done.whole else f"as far as {figures.package or 'the start'}"
    output.say(
        out,
        printable(f"{read}, {where}: {done.repaired} repaired, {len(figures.faults)} damaged"),
        "yellow" if figures.faults else "bold",
    )
    for fault in figures.faults:
        output.say(out, printable(f"  {_who(fault)}  {fault.what}: {fault.message}"))
        if fault.reply:
            output.say(out, printable(f"    {fault.reply}"))


def _who(fault: "FoundFault") -> str:
    return f"{fault.package or 'index'} {fault.version}".rstrip()
