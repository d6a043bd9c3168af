"""How the care of a store is told: faults as a table, the figures of collections and scrubs as lines."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.index.care import Care, CollectFigures, ScrubFigures
from gitopsreg.index.fault import Fault

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 50
_SHOWN_PACKAGES = 3


def show_faults(out: "Console", faults: Iterable[Fault]) -> None:
    """Each object that is wrong, and which packages need it."""
    found = list(faults)
    if not found:
        return
    output.say(out)
    rows = ((_where(fault), fault.what, _few(fault.packages)) for fault in found[:_SHOWN])
    output.table(out, ("KEY", "WHAT", "NEEDED BY"), rows)
    if len(found) > _SHOWN:
        output.say(out, f"… and {len(found) - _SHOWN} more: --output json shows them all")


def faults_json(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    return [
        {
            "backend": fault.place.backend,
            "key": fault.place.key,
            "what": fault.what,
            "message": fault.message,
            "packages": list(fault.packages),
        }
        for fault in faults
    ]


def show_care(out: "Console", care: Care) -> None:
    """The lines that `status` ends with; none where nothing was done yet."""
    lines = list(_lines(care))
    if lines:
        output.say(out)
    for line in lines:
        output.say(out, printable(line))


def care_json(care: Care) -> dict[str, Any]:
    return {
        "collected": output.plain(care.collected) if care.collected else None,
        "scrubbed": output.plain(care.scrubbed) if care.scrubbed else None,
    }


def _lines(care: Care) -> Iterator[str]:
    if care.collected:
        yield f"Collected {care.collected.when}: {_collected(care.collected)}"
    if care.scrubbed:
        yield f"Scrubbed {_scrubbed(care.scrubbed)}"


def _collected(figures: CollectFigures) -> str:
    return f"{figures.removed} removed, {output.size(figures.freed)} freed, {figures.kept} kept"


def _scrubbed(figures: ScrubFigures) -> str:
    """The last whole cycle, and the one under way."""
    whole = figures.finished or "never to the end"
    under_way = f", at {figures.package} since {figures.started}" if figures.package else ""
    counts = f"{figures.checked} objects, {output.size(figures.read)}"
    return f"{whole}{under_way}: {counts}, {len(figures.faults)} damaged, {figures.repaired} repaired"


def _where(fault: Fault) -> str:
    return f"{fault.place.backend}: {fault.place.key}" if fault.place.backend else fault.place.key


def _few(packages: tuple[str, ...]) -> str:
    more = f" +{len(packages) - _SHOWN_PACKAGES}" if len(packages) > _SHOWN_PACKAGES else ""
    return ", ".join(packages[:_SHOWN_PACKAGES]) + more
