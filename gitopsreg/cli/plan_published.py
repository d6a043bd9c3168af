"""The plan of a catalog's newest commit against a store: what the next reconcile would do, as text and JSON."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gitopsreg.catalog.report import printable
from gitopsreg.cli import again, discoveries, output
from gitopsreg.cli.failures import DONE, FOUND, MISUSED, UNAVAILABLE, tell
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from gitopsreg.catalog.plan_sheet import Sheet
    from gitopsreg.catalog.report import Finding
    from gitopsreg.reconcile.plan import Change
    from gitopsreg.reconcile.run import Prepared
    from gitopsreg.reconcile.search import Search

CHANGES = MISUSED  # Terraform's habit: with --detailed-exitcode 2 means that there are changes
_SHOWN = 100
SIGNS = {"add": "+", "change": "~", "archive": "-", "restore": "+", "none": " "}
_DONE = {"add": "to add", "change": "to change", "archive": "to archive", "restore": "to restore"}


def prepare(settings: Settings) -> "Prepared":
    """Raises CheckoutFailed, StorageError and ConfigError."""
    from gitopsreg.cli.progress import reporter_for
    from gitopsreg.wiring import reconciling

    with reporter_for(settings) as reporter, reconciling.make_reconciler(settings, reporter) as reconciler:
        return reconciler.plan()


def exit_code(prepared: "Prepared", *, detailed: bool) -> int:
    from gitopsreg.reconcile.discovery_status import has_too_many

    if prepared.unreachable is not None:
        return UNAVAILABLE
    if errors(prepared) or prepared.loaded.registry_broken or any(item.draft.refused for item in prepared.resolved):
        return FOUND
    if any(has_too_many(item) for item in prepared.searches):
        return FOUND
    if any(item.error for item in prepared.resolved) or any(_is_silent(item) for item in prepared.searches):
        return UNAVAILABLE
    return CHANGES if detailed and prepared.plan.has_changes else DONE


def _is_silent(search: "Search") -> bool:
    return search.trouble is not None and search.trouble.reason != "Suspended"


def problems(prepared: "Prepared") -> list[tuple[str, str, str]]:
    """(who, reason, message) of what keeps packages from being as declared, or is no longer what was published."""
    found = [line[:3] for line in discoveries.problems(discoveries.planned(prepared))]
    for item in prepared.resolved:
        who = str(item.draft.address)
        if item.error:
            found.append((who, item.error.reason, str(item.error)))
        if item.invalid:
            found.append((who, item.invalid.reason, item.invalid.message))
        versions = (*item.draft.refused, *item.draft.mutated)
        found += [(f"{who} {problem.version}", problem.reason, problem.message) for problem in versions]
    return found


def problems_told(prepared: "Prepared") -> "Iterator[tuple[str, str, str]]":
    """The same for people: what many packages come from is told once, not once for each of them."""
    from gitopsreg.reconcile.forecast import away

    many = away(prepared.resolved)
    yield from ((each.who, each.reason, each.message) for each in many)
    told = {(name, each.reason, each.message) for each in many for name in each.packages}
    yield from (problem for problem in problems(prepared) if problem not in told)


def errors(prepared: "Prepared") -> tuple["Finding", ...]:
    return tuple(finding for finding in prepared.loaded.findings if finding.severity == "error")


def as_json(prepared: "Prepared") -> dict[str, Any]:
    plan = prepared.plan
    return {
        "revision": plan.revision,
        "digest": plan.digest,
        "hasChanges": plan.has_changes,
        "guard": plan.guard,
        "around": list(around(prepared)),
        "registryBroken": prepared.loaded.registry_broken,
        "unreachable": str(prepared.unreachable or ""),
        "changes": [change_as_json(change) for change in plan.changes],
        "discoveries": discoveries.planned_json(prepared),
        "findings": output.plain(prepared.loaded.findings),
        "problems": [{"who": who, "reason": reason, "message": message} for who, reason, message in problems(prepared)],
    }


def change_as_json(change: "Change") -> dict[str, Any]:
    from gitopsreg.reconcile.proposal import risks_of

    plain = output.plain(change)
    return {key: value for key, value in plain.items() if key != "marks"} | {"risks": output.plain(risks_of(change))}


def sheet(prepared: "Prepared") -> "Sheet":
    """The same as a sheet, for a comment."""
    from gitopsreg.catalog.plan_sheet import Sheet, in_order
    from gitopsreg.reconcile.because import because
    from gitopsreg.reconcile.proposal import row_of_plan

    plan, why = prepared.plan, because(prepared)
    return Sheet(
        name=prepared.loaded.catalog.registry.hostname or "catalog",
        base="",
        head=output.short_revision(plan.revision),
        rows=in_order(row_of_plan(change, why.get(change.address, "")) for change in plan.changes),
        digest=plan.digest,
        sections=tuple(discoveries.sections(prepared)),
        held=plan.guard,
        next=f"to publish it all the same: gitopsreg reconcile --approve {plan.digest}" if plan.guard else "",
    )


def show(out: "Console", prepared: "Prepared", settings: Settings) -> None:
    """The changes as a table, the sum, what holds it back, and what is not as declared."""
    output.say(out, f"Plan for {printable(output.short_revision(prepared.plan.revision))}", "bold")
    _show_changes(out, prepared, again.reconcile(settings))
    for line in around(prepared):
        output.say(out, printable(line), "yellow")
    discoveries.show(out, discoveries.planned(prepared))
    if found := list(problems_told(prepared)):
        output.say(out, "Not as declared, or no longer what was published:", "yellow")
    for who, reason, message in found[:_SHOWN]:
        output.say(out, printable(f"  {who}  {reason}: {message}"))
    if len(found) > _SHOWN:
        output.say(out, f"  … and {len(found) - _SHOWN:,} more: --output json lists them all")


def around(prepared: "Prepared") -> Iterator[str]:
    """What the next run does or does not do, whatever the plan says."""
    from gitopsreg.reconcile.gate import gate

    verdict = gate(prepared, prepared.plan.digest)  # as if it were approved: the guard is told beside the plan
    if verdict.blocked:
        yield f"Nothing is published: {verdict.blocked}"
    if prepared.head and prepared.head.root != prepared.head.newest:
        served, newest = (output.short_digest(str(each)) for each in (prepared.head.root, prepared.head.newest))
        yield f"An older snapshot is served, {served}: the next publish brings back {newest}, with this plan"


def _show_changes(out: "Console", prepared: "Prepared", reconcile: str) -> None:
    from gitopsreg.reconcile.because import because

    plan = prepared.plan
    if not plan.has_changes:
        clean = not (problems(prepared) or any(around(prepared))) and exit_code(prepared, detailed=False) == DONE
        output.say(out, "No changes" + (": what is published is what the catalog declares." if clean else "."))
        return
    why = because(prepared)
    rows = [
        (SIGNS[change.action], change.address, describe(change, why.get(change.address, "")), risk_words(change))
        for change in plan.changes
    ]
    output.table(out, ("", "ADDRESS", "CHANGE", "RISK"), rows)
    sums = [(sum(change.action == action for change in plan.changes), words) for action, words in _DONE.items()]
    output.say(out, ", ".join(f"{number} {words}" for number, words in sums if number or words == "to add") + ".")
    output.say(out, f"Plan digest: {plan.digest}", "dim")
    if plan.guard:
        output.say(out, f"Held back: {printable(plan.guard)}", "yellow")
        output.say(out, printable(f"  to publish it all the same: {reconcile} --approve {plan.digest}"))


def describe(change: "Change", because: str = "") -> str:
    """What happens to one package, in words; `because` is why it leaves."""
    from gitopsreg.reconcile.proposal import row_of_plan

    return "; ".join(row_of_plan(change, because).words)


def risk_words(change: "Change") -> str:
    from gitopsreg.reconcile.proposal import risks_of

    return ", ".join(str(risk) for risk in risks_of(change))


def show_findings(prepared: "Prepared") -> None:
    if prepared.unreachable is not None:
        tell(f"this is the plan of the last revision that was read: {prepared.unreachable}")
    if prepared.loaded.registry_broken:
        tell(f"nothing can be published: {prepared.loaded.registry_broken}")
    for finding in errors(prepared):
        tell(f"{finding.path}:{finding.line}:{finding.column}: [{finding.rule}] {finding.message}")
