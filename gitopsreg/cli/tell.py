"""How a run is told when it is over: a few lines for people, one object for programs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gitopsreg.catalog.report import printable
from gitopsreg.cli import again, discoveries, output
from gitopsreg.cli.failures import DONE, FOUND, UNAVAILABLE
from gitopsreg.cli.status import out_of_reach, package_problems
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from gitopsreg.reconcile.run import Outcome

_SHOWN_FAILURES = 20


def exit_code(outcome: "Outcome") -> int:
    """0 all is as declared, 1 something is not (its last good version is served), 3 the catalog can't be reached."""
    if any(item.type == "CatalogFetched" and item.status == "False" for item in outcome.status.conditions):
        return UNAVAILABLE
    lost = any(True for _ in _lost(outcome))
    return FOUND if outcome.blocked or outcome.failed or lost or has_errors(outcome) else DONE


def has_errors(outcome: "Outcome") -> bool:
    """Whether a file of the catalog is wrong, also one that declares no package."""
    return any(finding.severity == "error" for finding in outcome.loaded.findings)


def as_json(outcome: "Outcome") -> dict[str, Any]:
    return {
        "revision": outcome.revision,
        "snapshot": outcome.snapshot,
        "published": outcome.published,
        "packages": outcome.packages,
        "versionsAdded": outcome.versions_added,
        "bytesStored": outcome.bytes_stored,
        "seconds": round(outcome.seconds, 3),
        "blocked": outcome.blocked,
        "blockedPlan": outcome.status.blocked_plan,
        "conditions": output.plain(outcome.status.conditions),
        "changes": output.plain(outcome.plan.changes),
        "discoveries": [discoveries.as_json(item) for item in outcome.status.discoveries],
        "mutated": [{"who": who, "reason": reason, "message": message} for who, reason, message in mutations(outcome)],
        "outOfReach": [
            {"who": who, "reason": reason, "message": message, "nextRetry": retry}
            for who, reason, message, retry in out_of_reach(outcome.status)
        ],
        "failed": [
            {"who": who, "reason": reason, "message": message, "nextRetry": retry}
            for package in outcome.failed
            for who, reason, message, retry in package_problems(package)
        ],
    }


def summary(outcome: "Outcome") -> str:
    """One line: what came of it."""
    revision = printable(output.short_revision(outcome.revision))
    if outcome.blocked:
        return f"Held back {revision}: {printable(outcome.blocked)}"
    parts = (
        output.count(outcome.packages, "package"),
        f"{output.count(outcome.versions_added, 'version')} added",
        f"{output.size(outcome.bytes_stored)} stored",
        f"{outcome.seconds:.1f} s",
    )
    verb = "Published" if outcome.published else "Nothing new in"
    return f"{verb} {revision}: {', '.join(parts)}, snapshot {output.short_digest(outcome.snapshot) or 'none'}"


def show(out: "Console", outcome: "Outcome", settings: Settings) -> None:
    """The line, then whatever is not as declared."""
    output.say(out, summary(outcome), "yellow" if outcome.blocked else "bold")
    if outcome.status.blocked_plan:
        approved = f"{again.reconcile(settings)} --approve {outcome.status.blocked_plan}"
        output.say(out, printable(f"  to publish it all the same: {approved}"))
    _show_failures(out, outcome)
    _show_mutations(out, outcome)
    for who, reason, message, _ in _lost(outcome):
        output.say(out, printable(f"{who}  {reason}: {message}"), "yellow")
    if waiting := discoveries.summary(outcome.status.discoveries):
        output.say(out, waiting)


def _lost(outcome: "Outcome") -> Iterator[tuple[str, str, str, str]]:
    """(who, reason, message, next attempt) of what many packages come from, and could not be asked."""
    yield from out_of_reach(outcome.status)
    yield from discoveries.problems(outcome.status.discoveries)


def mutations(outcome: "Outcome") -> list[tuple[str, str, str]]:
    """(who, reason, message) of what changed upstream after it was published; our bytes go on being served."""
    return [
        (str(package.address), condition.reason, condition.message)
        for package in outcome.status.packages.values()
        for condition in package.conditions
        if condition.type == "UpstreamMutated"
    ]


def _show_mutations(out: "Console", outcome: "Outcome") -> None:
    told = {package.address for package in outcome.failed}
    lines = [
        f"  {who}  {reason}: {message}" for who, reason, message in mutations(outcome) if who not in map(str, told)
    ]
    if lines:
        output.say(out, "Upstream is no longer what was published:", "yellow")
    for line in lines[:_SHOWN_FAILURES]:
        output.say(out, printable(line))


def _show_failures(out: "Console", outcome: "Outcome") -> None:
    lines = [
        f"  {who}  {reason}: {message}"
        for package in outcome.failed
        for who, reason, message, _ in package_problems(package)
    ]
    if lines:
        failed = output.count(len(outcome.failed), "package")
        verb = "is" if len(outcome.failed) == 1 else "are"
        output.say(out, f"{failed} {verb} not as declared; last good versions are served:", "yellow")
    for line in lines[:_SHOWN_FAILURES]:
        output.say(out, printable(line))
    if len(lines) > _SHOWN_FAILURES:
        output.say(out, f"  … and {len(lines) - _SHOWN_FAILURES} more: 'gitopsreg status' shows them all")
