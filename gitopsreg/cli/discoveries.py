"""How discoveries are told: a line each, what waits for approval, what is left out and why; as text and JSON."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.index.status import DiscoveryStatus

if TYPE_CHECKING:
    from rich.console import Console

    from gitopsreg.catalog.plan_sheet import Section
    from gitopsreg.reconcile.run import Prepared

_COLUMNS = ("DISCOVERY", "READY", "FOUND", "PUBLISHED", "PENDING", "SKIPPED")
# Of each list; the other formats have more.
_SHOWN = 20


def show(out: "Console", discoveries: Sequence[DiscoveryStatus]) -> None:
    """Nothing where there are none."""
    if not discoveries:
        return
    output.say(out)
    output.table(out, _COLUMNS, map(_row, discoveries))
    _show_some(out, f"{output.count(_pending(discoveries), 'package')} pending", list(_waiting(discoveries)))
    lost = list(_lost(discoveries))
    _show_some(out, f"{output.count(len(lost), 'namespace')} that nothing is found in", lost, "yellow")
    others = _skipped(discoveries) - len(lost)
    _show_some(out, f"{output.count(others, 'name')} skipped", list(_left_out(discoveries)))


def as_json(discovery: DiscoveryStatus) -> dict[str, Any]:
    document: dict[str, Any] = output.plain(discovery)
    return document | {"skipped": [{"ref": ref, "reason": reason} for ref, reason in discovery.skipped]}


def problems(discoveries: Iterable[DiscoveryStatus]) -> Iterator[tuple[str, str, str, str]]:
    """(path, reason, message, "") of what keeps discoveries from finding or taking packages."""
    for discovery in discoveries:
        for condition in discovery.conditions:
            if condition.type != "Ready" and condition.status == "True":
                yield discovery.path, condition.reason, condition.message, ""


def summary(discoveries: Iterable[DiscoveryStatus]) -> str:
    """One line about what waits for a person, "" when nothing does."""
    number = _pending(discoveries)
    verb = "waits" if number == 1 else "wait"
    return f"{output.count(number, 'package')} {verb} for approval: 'gitopsreg status' names them" if number else ""


def finder(discoveries: Iterable[DiscoveryStatus], address: str) -> str:
    """The path of the discovery at which a package waits for approval, "" for none."""
    return next((item.path for item in discoveries if address in item.pending), "")


def planned(prepared: "Prepared") -> tuple[DiscoveryStatus, ...]:
    """How discoveries are, as far as a plan knows."""
    from gitopsreg.reconcile.discovery_status import discovery_status

    before = {item.path: item for item in prepared.known.discoveries}
    return tuple(discovery_status(each, prepared.base, before.get(each.discovery.path)) for each in prepared.searches)


def planned_json(prepared: "Prepared") -> list[dict[str, Any]]:
    """As `as_json`, with every name."""
    return [
        as_json(status)
        | {
            "pending": [str(address) for address in search.pending],
            "morePending": 0,
            "skipped": [{"ref": item.ref, "reason": item.reason} for item in search.skipped],
            "moreSkipped": 0,
        }
        for search, status in zip(prepared.searches, planned(prepared), strict=True)
    ]


def sections(prepared: "Prepared") -> "Iterator[Section]":
    """The details of a comment."""
    from gitopsreg.catalog.plan_sheet import Section

    discoveries = planned(prepared)
    if lines := tuple(_waiting(discoveries)):
        yield Section(title="Pending packages", lines=lines)
    if lines := tuple(_lost(discoveries)):
        yield Section(title="Namespaces that nothing is found in", lines=lines)
    if lines := tuple(_left_out(discoveries)):
        yield Section(title="Skipped by discoveries", lines=lines)


def _row(discovery: DiscoveryStatus) -> tuple[str, ...]:
    ready = next((item for item in discovery.conditions if item.type == "Ready"), None)
    word = {"True": "yes", "False": "no"}.get(ready.status, ready.reason) if ready else "?"
    counts = (discovery.found, discovery.published, _pending([discovery]), _skipped([discovery]))
    return printable(discovery.path), word, *map(str, counts)


def _pending(discoveries: Iterable[DiscoveryStatus]) -> int:
    return sum(len(item.pending) + item.more_pending for item in discoveries)


def _skipped(discoveries: Iterable[DiscoveryStatus]) -> int:
    return sum(len(item.skipped) + item.more_skipped for item in discoveries)


def _waiting(discoveries: Iterable[DiscoveryStatus]) -> Iterator[str]:
    for item in discoveries:
        yield from (f"{address}: found by {item.path}" for address in item.pending)
        if item.more_pending:
            yield f"{item.path}: {item.more_pending} more"


def _lost(discoveries: Iterable[DiscoveryStatus]) -> Iterator[str]:
    """Namespaces that are not there: misspelt, more often than not."""
    for item in discoveries:
        yield from (f"{ref}: {reason} ({item.path})" for ref, reason in item.skipped if "/" not in ref)


def _left_out(discoveries: Iterable[DiscoveryStatus]) -> Iterator[str]:
    for item in discoveries:
        yield from (f"{ref}: {reason}" for ref, reason in item.skipped if "/" in ref)
        if item.more_skipped:
            yield f"{item.path}: {item.more_skipped} more"


def _show_some(out: "Console", title: str, lines: list[str], style: str = "bold") -> None:
    if not lines:
        return
    output.say(out)
    output.say(out, f"{title}:", style)
    for line in lines[:_SHOWN]:
        output.say(out, printable(f"  {line}"))
    if len(lines) > _SHOWN:
        output.say(out, f"  … and {len(lines) - _SHOWN} more: --output json has them")
