"""`gitopsreg plan`: what a reconcile would do. Fetches no content and writes nothing to the store."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE, FOUND, MISUSED, UNAVAILABLE, tell
from gitopsreg.cli.options import CATALOG, PRINTED, takes
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from gitopsreg.catalog.report import Finding
    from gitopsreg.reconcile.plan import Change, Plan
    from gitopsreg.reconcile.run import Prepared

CHANGES = MISUSED  # Terraform's habit: with --detailed-exitcode 2 means that there are changes

NAME = "plan"
SHORT = "Show what a reconcile would publish."
HELP = """Show what a reconcile would publish, without fetching or publishing anything.

Exit codes: 0 done, 1 an error in the catalog, 2 wrong use or an internal error, 3 the catalog or the store can't be
reached. With --detailed-exitcode: 0 no changes, 1 any error, 2 changes, 3 as before.
"""
EXAMPLES = """Examples:
  gitopsreg plan --catalog . --path example-catalog --store file:///var/lib/gitopsreg
  gitopsreg plan --config gitopsreg.yaml --output json
  gitopsreg plan --config gitopsreg.yaml --detailed-exitcode || gitopsreg reconcile --config gitopsreg.yaml"""

SIGNS = {"add": "+", "change": "~", "archive": "-", "restore": "+", "none": " "}
_DONE = {"add": "to add", "change": "to change", "archive": "to archive", "restore": "to restore"}


@takes(*CATALOG, "store", *PRINTED, needs=("catalog", "store"))
def command(
    settings: Settings,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 when there are changes.")
    ] = False,
) -> int:
    from gitopsreg import wiring
    from gitopsreg.cli.progress import reporter_for

    with reporter_for(settings) as reporter, wiring.make_reconciler(settings, reporter) as reconciler:
        prepared = reconciler.plan()
    if settings.output == "json":
        output.print_json(as_json(prepared))
    else:
        show(output.console(), prepared.plan)
        _show_findings(prepared)
    return exit_code(prepared, detailed=detailed_exitcode)


def exit_code(prepared: "Prepared", *, detailed: bool) -> int:
    if prepared.unreachable is not None:
        return UNAVAILABLE
    if errors(prepared) or prepared.loaded.registry_broken:
        return FOUND
    return CHANGES if detailed and prepared.plan.has_changes else DONE


def errors(prepared: "Prepared") -> tuple["Finding", ...]:
    return tuple(finding for finding in prepared.loaded.findings if finding.severity == "error")


def as_json(prepared: "Prepared") -> dict[str, Any]:
    plan = prepared.plan
    return {
        "revision": plan.revision,
        "digest": plan.digest,
        "hasChanges": plan.has_changes,
        "guard": plan.guard,
        "registryBroken": prepared.loaded.registry_broken,
        "unreachable": str(prepared.unreachable or ""),
        "changes": output.plain(plan.changes),
        "findings": output.plain(prepared.loaded.findings),
    }


def show(out: "Console", plan: "Plan") -> None:
    """The changes as a table, the sum, and what holds it back."""
    output.say(out, f"Plan for {printable(output.short_revision(plan.revision))}", "bold")
    if not plan.has_changes:
        output.say(out, "No changes: what is published is what the catalog declares.")
        return
    output.table(out, ("", "ADDRESS", "CHANGE"), [(SIGNS[c.action], c.address, describe(c)) for c in plan.changes])
    sums = [(sum(change.action == action for change in plan.changes), words) for action, words in _DONE.items()]
    output.say(out, ", ".join(f"{number} {words}" for number, words in sums if number or words == "to add") + ".")
    output.say(out, f"Plan digest: {plan.digest}", "dim")
    if plan.guard:
        output.say(out, f"Held back: {printable(plan.guard)}", "yellow")
        output.say(out, f"  to publish it all the same: gitopsreg reconcile --approve {plan.digest}")


def describe(change: "Change") -> str:
    """What happens to one package, in words."""
    what = {"add": "new package", "archive": "archived: no longer declared", "restore": "restored"}.get(
        change.action, ""
    )
    added = f"{'' if change.action == 'add' else 'new '}{versions(change.added)}" if change.added else ""
    removed = f"no longer listed: {versions(change.removed)}" if change.removed and change.action != "archive" else ""
    return "; ".join(part for part in (what, added, removed, *change.notes) if part)


def versions(texts: tuple[str, ...]) -> str:
    """All of a few, the ends of many (oldest first)."""
    if len(texts) <= 3:
        return f"{output.count(len(texts), 'version')} ({', '.join(texts)})"
    return f"{len(texts)} versions ({texts[0]} … {texts[-1]})"


def _show_findings(prepared: "Prepared") -> None:
    if prepared.unreachable is not None:
        tell(f"this is the plan of the last revision that was read: {prepared.unreachable}")
    if prepared.loaded.registry_broken:
        tell(f"nothing can be published: {prepared.loaded.registry_broken}")
    for finding in errors(prepared):
        tell(f"{finding.path}:{finding.line}:{finding.column}: [{finding.rule}] {finding.message}")
