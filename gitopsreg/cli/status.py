"""`gitopsreg status`: how it goes, as the last reconcile left it. Reads the store only."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.cli import again, discoveries, output, publishing, untouched
from gitopsreg.cli.failures import DONE, FOUND
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.cli.publishing import Publishing
from gitopsreg.errors import NotPublished
from gitopsreg.index.status import PackageStatus
from gitopsreg.index.statuses import RegistryStatus
from gitopsreg.model.address import PackageAddress, parse_address
from gitopsreg.model.condition import Condition
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from gitopsreg.index.care import Care

NAME = "status"
SHORT = "Show how it goes, package by package."
HELP = """Show how the registry and its packages are: conditions, versions, last attempt, next retry.

ADDRESS shows one package in full: "module:namespace/name/system", "provider:namespace/type", or without the kind.

A store into which nothing has come yet is no error, even if it is a folder that is not there: reconcile makes it.

Exit codes: 0 it could be read, 1 no such package (with --exit-code: or something is not as declared, or nothing has
been reconciled yet), 2 wrong use, 3 the store can't be read.
"""
EXAMPLES = """Examples:
  gitopsreg status --store file:///var/lib/gitopsreg
  gitopsreg status --store file:///var/lib/gitopsreg platform/vpc/aws
  gitopsreg status --config gitopsreg.yaml --output json | jq '.packages[] | select(.ready != "True")'"""

_GOOD_WHEN_TRUE = ("Ready", "CatalogFetched", "CatalogValid", "Published")
_COLUMNS = ("PACKAGE", "READY", "VERSIONS", "REVISION", "ATTEMPT", "RETRY")
_SHOWN_VERSIONS = 3
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


@takes("store", *PRINTED, needs=("store",))
def command(
    settings: Settings,
    address: Annotated[str | None, typer.Argument(metavar="ADDRESS", help="One package.", show_default=False)] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 when anything is not as declared.")
    ] = False,
) -> int:
    from gitopsreg.index.care import read_care, with_faults
    from gitopsreg.index.status_store import read_status
    from gitopsreg.wiring import stores

    reader = stores.open_reader(settings)
    now = datetime.now(UTC)
    around = publishing.read_publishing(reader, now)  # a store that can't be read is not the same as an empty one
    cared = read_care(reader)
    status = with_faults(read_status(reader), cared)
    if address is None:
        _show_all(settings, status, around, cared, now)
        healthy = _is_used(status, around) and not any(True for _ in problems(status))
    else:
        package = find(status, address)
        _show_one(settings, package)
        healthy = ready(package) != "False"
    return FOUND if exit_code and not healthy else DONE


def _is_used(status: RegistryStatus, around: Publishing) -> bool:
    """Whether anything has come into the store yet."""
    return bool(status.last_attempt or status.packages or around.head)


def _show_all(settings: Settings, status: RegistryStatus, around: Publishing, cared: "Care", now: datetime) -> None:
    from gitopsreg.cli import care

    if settings.output == "json":
        output.print_json(as_json(status) | publishing.as_json(around) | care.care_json(cared))
    else:
        show(output.console(), status, around, settings, now=now)
        care.show_care(output.console(), cared)


def _show_one(settings: Settings, package: PackageStatus) -> None:
    if settings.output == "json":
        output.print_json(package_json(package))
    else:
        show_package(output.console(), package)


def find(status: RegistryStatus, text: str) -> PackageStatus:
    """The package with this address; raises InvalidName for what is none, NotPublished for an unknown one."""
    wanted = address_of(text)
    known = status.packages
    if wanted not in known:
        if path := discoveries.finder(status.discoveries, str(wanted)):
            raise NotPublished(
                f'"{wanted}" waits for approval: declare it in a file, or write approval: auto in {path}'
            )
        close = get_close_matches(str(wanted), [str(address) for address in known], n=1)
        hint = f'; did you mean "{close[0]}"?' if close else ""
        raise NotPublished(f'no package is called "{wanted}"{hint}')
    return known[wanted]


def address_of(text: str) -> PackageAddress:
    """With its kind, or told by the number of its parts: three make a module."""
    text = text.lower()
    if ":" not in text and text.count("/") in {1, 2}:
        return parse_address(("module:" if text.count("/") == 2 else "provider:") + text)
    return parse_address(text)


def ready(package: PackageStatus) -> str:
    return next((item.status for item in package.conditions if item.type == "Ready"), "Unknown")


def good(condition: Condition) -> bool:
    return condition.status == ("True" if condition.type in _GOOD_WHEN_TRUE else "False")


def problems(status: RegistryStatus) -> Iterator[tuple[str, str, str, str]]:
    """(who, reason, message, next try) of all that is not as declared, the registry first."""
    for condition in status.conditions:
        if not good(condition):
            yield "registry", condition.reason, condition.message, status.next_attempt
    yield from out_of_reach(status)
    yield from discoveries.problems(status.discoveries)
    for package in status.packages.values():
        yield from package_problems(package)


def package_problems(package: PackageStatus) -> Iterator[tuple[str, str, str, str]]:
    """The causes; `Ready` only repeats the worst of them and `Reconciling` says that it is tried again."""
    causes = [item for item in package.conditions if item.type not in {"Ready", "Reconciling"} and not good(item)]
    if not causes and not package.failures:
        causes = [item for item in package.conditions if item.type == "Ready" and item.status == "False"]
    for condition in causes:
        yield str(package.address), condition.reason, condition.message, package.next_attempt
    for failure in package.failures:
        yield f"{package.address} {failure.version}", failure.reason, failure.message, failure.next_retry


def out_of_reach(status: RegistryStatus) -> Iterator[tuple[str, str, str, str]]:
    """(URL, reason, message, next attempt) of upstreams of many packages that did not answer."""
    for item in status.upstreams:
        if not good(item.condition):
            yield item.url, item.condition.reason, item.condition.message, item.next_attempt


def as_json(status: RegistryStatus) -> dict[str, Any]:
    """Everything that is known."""
    document: dict[str, Any] = output.plain(status)
    del document["resting"]  # our own note to the next run
    idle = [{"kind": kind, "path": path} for kind, path in status.idle]
    found = [discoveries.as_json(item) for item in status.discoveries]
    packages = [package_json(item) for item in status.packages.values()]
    return document | {"idle": idle, "discoveries": found, "packages": packages}


def package_json(package: PackageStatus) -> dict[str, Any]:
    document: dict[str, Any] = output.plain(package)
    skipped = [{"ref": ref, "reason": reason} for ref, reason in package.skipped]
    marks = [{"version": version, "mark": mark} for version, mark in package.marks]
    del document["skipKey"]  # our own note to the next run
    return document | {"ready": ready(package), "marks": marks, "skipped": skipped}


def show(out: "Console", status: RegistryStatus, around: Publishing, settings: Settings, *, now: datetime) -> None:
    """The registry on top, a line per package, then what is wrong and why."""
    if not status.last_attempt and not status.packages:
        _show_unreported(out, status, around, settings)
        return
    _show_registry(out, status, again.reconcile(settings))
    _show_around(out, status, around)
    if status.packages:
        output.say(out)
        output.table(out, _COLUMNS, (_row(package, now) for package in status.packages.values()))
    discoveries.show(out, status.discoveries)
    _show_problems(out, problems(status))
    _show_idle(out, status.idle)


def _show_unreported(out: "Console", status: RegistryStatus, around: Publishing, settings: Settings) -> None:
    """A store that no reconciler has reported in: it is empty, or a copy, or came by bundle."""
    if around.head is None:
        for line in untouched.lines(settings, "reconciled"):
            output.say(out, line)
    else:
        served = output.short_digest(str(around.head.root))
        output.say(out, printable(f"Snapshot {served} of {output.short_revision(around.head.revision)}"), "bold")
        output.say(out, "No reconciler has reported here yet.")
    _show_around(out, status, around)


def _show_around(out: "Console", status: RegistryStatus, around: Publishing) -> None:
    """What has come since the last run: it may not know yet of a hold, or of its end."""
    told = any(condition.reason == "Held" for condition in status.conditions)
    for line in publishing.lines(replace(around, hold=None) if told and around.hold else around):
        output.say(out, line, "yellow")


def _show_idle(out: "Console", idle: tuple[tuple[str, str], ...]) -> None:
    if idle:
        output.say(out)
        output.say(out, f"{output.count(len(idle), 'declaration')} valid, and not acted on by this release:", "bold")
        width = max(len(kind) for kind, _ in idle)
        for kind, path in idle:
            output.say(out, printable(f"  {kind:<{width}}  {path}"))


def _show_registry(out: "Console", status: RegistryStatus, reconcile: str) -> None:
    applied, attempted = (
        output.short_revision(status.applied_revision),
        output.short_revision(status.attempted_revision),
    )
    output.say(
        out, f"Snapshot {output.short_digest(status.snapshot) or 'none'} of {printable(applied) or 'nothing'}", "bold"
    )
    if attempted != applied:
        output.say(out, f"Attempted {printable(attempted)}")
    next_attempt = f", next {status.next_attempt}" if status.next_attempt else ""
    output.say(out, f"Last attempt {status.last_attempt or 'never'}{next_attempt}")
    for condition in status.conditions:
        message = f": {condition.message}" if condition.message else ""
        line = f"{condition.type}={condition.status} {condition.reason}{message}"
        output.say(out, printable(line), "" if good(condition) else "red")
    if status.blocked_plan:
        output.say(out, printable(f"  to publish it all the same: {reconcile} --approve {status.blocked_plan}"))


def _row(package: PackageStatus, now: datetime) -> tuple[str, ...]:
    return (
        str(package.address),
        _ready_word(package),
        versions(package),
        output.short_digest(package.revision)[:8],
        moment(package.last_attempt, now),
        moment(package.next_attempt, now),
    )


def _ready_word(package: PackageStatus) -> str:
    """`yes` or `no`; what is neither says why, like `Suspended`."""
    condition = next((item for item in package.conditions if item.type == "Ready"), None)
    if condition is None:
        return "?"
    return {"True": "yes", "False": "no"}.get(condition.status, condition.reason)


def moment(stamp: str, now: datetime) -> str:
    """How far away: `3m ago`, `in 2h`; what is no time stays as it is."""
    try:
        seconds = (datetime.fromisoformat(stamp) - now).total_seconds()
    except (ValueError, TypeError):
        return stamp
    far = next((f"{abs(seconds) // size:.0f}{unit}" for unit, size in _UNITS if abs(seconds) >= size), "0s")
    return f"{far} ago" if seconds < 0 else f"in {far}"


def versions(package: PackageStatus) -> str:
    """The newest few that are listed, with their marks."""
    marks = dict(package.marks)
    newest = [f"{version} ({marks[version]})" if version in marks else version for version in reversed(package.listed)]
    more = f" +{len(newest) - _SHOWN_VERSIONS}" if len(newest) > _SHOWN_VERSIONS else ""
    return ", ".join(newest[:_SHOWN_VERSIONS]) + more if newest else "none"


def _marked(package: PackageStatus) -> dict[str, str]:
    """Versions by their mark, newest first."""
    found: dict[str, list[str]] = {}
    for version, mark in reversed(package.marks):
        found.setdefault(mark, []).append(version)
    return {mark: ", ".join(names) for mark, names in found.items()}


def _show_problems(out: "Console", found: Iterable[tuple[str, str, str, str]]) -> None:
    lines = list(found)
    if not lines:
        return
    output.say(out)
    output.say(out, f"{output.count(len(lines), 'problem')}:", "bold")
    for who, reason, message, retry in lines:
        output.say(out, printable(f"  {who}  {reason}: {message}" + (f" (next try {retry})" if retry else "")))


def show_package(out: "Console", package: PackageStatus) -> None:
    """One package in full."""
    output.say(out, str(package.address), "bold")
    facts = (
        ("Declared in", package.path),
        ("Revision", package.revision),
        ("Versions", ", ".join(reversed(package.listed)) or "none"),
        *((mark.capitalize(), names) for mark, names in _marked(package).items()),
        ("Last attempt", package.last_attempt),
        ("Next retry", package.next_attempt),
        ("Failures in a row", str(package.attempts) if package.attempts else ""),
    )
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        if value:
            output.say(out, printable(f"{name:<{width}}  {value}"))
    output.say(out)
    rows = [(item.type, item.status, item.reason, item.message) for item in package.conditions]
    output.table(out, ("CONDITION", "STATUS", "REASON", "MESSAGE"), rows)
    _show_problems(out, ((f.version, f.reason, f.message, f.next_retry) for f in package.failures))
    if package.skipped:
        output.say(out)
        output.say(out, f"{output.count(len(package.skipped), 'ref')} skipped:", "bold")
        for ref, reason in package.skipped:
            output.say(out, printable(f"  {ref}: {reason}"))
