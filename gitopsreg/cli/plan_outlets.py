"""Where a plan goes and in which format: `--output FORMAT[=FILE]`, several at once; and the exit code that it means."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitopsreg.cli import again, output, plan_published
from gitopsreg.cli.failures import DONE, FOUND, UNAVAILABLE
from gitopsreg.cli.plan_published import CHANGES
from gitopsreg.cli.reporting import Outlet, parse_outlets
from gitopsreg.cli.rewrite import save
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from gitopsreg.reconcile.proposal import Proposal

FORMATS = ("human", "json", "markdown")


def parse(written: Sequence[str]) -> tuple[Outlet, ...]:
    """Raises ConfigError with what would be right."""
    return parse_outlets(written, FORMATS)


def published(settings: Settings, outlets: Sequence[Outlet], *, detailed: bool) -> int:
    """The plan of the catalog's newest commit against the store."""
    from gitopsreg.catalog.plan_markdown import markdown

    prepared = plan_published.prepare(settings)
    _write(
        outlets,
        human=lambda out: plan_published.show(out, prepared, settings),
        document=lambda: plan_published.as_json(prepared),
        markdown=lambda: markdown(plan_published.sheet(prepared)),
    )
    if any(outlet == Outlet("human") for outlet in outlets):
        plan_published.show_findings(prepared)
    return plan_published.exit_code(prepared, detailed=detailed)


def proposed(settings: Settings, proposal: "Proposal", outlets: Sequence[Outlet], *, detailed: bool) -> int:
    """The plan of a change. What is written for others names nothing of this machine; whoever runs this can paste."""
    from gitopsreg.catalog.plan_markdown import markdown
    from gitopsreg.cli import plan_json, plan_text
    from gitopsreg.reconcile.proposal import sheet_of

    sheet = sheet_of(proposal)
    ours = replace(sheet, next=sheet.next.replace("gitopsreg reconcile", again.reconcile(settings, catalog="."), 1))
    _write(
        outlets,
        human=lambda out: plan_text.show(out, ours),
        document=lambda: plan_json.as_json(proposal),
        markdown=lambda: markdown(sheet),
    )
    return exit_code(proposal, detailed=detailed)


def exit_code(proposal: "Proposal", *, detailed: bool) -> int:
    """What is wrong with the catalog comes first: it is the author's to mend; an upstream may be back tomorrow."""
    if proposal.loaded.errors or proposal.loaded.registry_broken:
        return FOUND
    if proposal.online and proposal.online.forecast.silent:
        return UNAVAILABLE
    return CHANGES if detailed and proposal.has_changes else DONE


def _write(
    outlets: Sequence[Outlet],
    *,
    human: "Callable[[Console], None]",
    document: Callable[[], Mapping[str, Any]],
    markdown: Callable[[], str],
) -> None:
    for outlet in outlets:
        if outlet.format == "human" and outlet.file is None:
            human(output.console())
            continue
        text = _text(outlet.format, human, document, markdown)
        if outlet.file is None:
            sys.stdout.write(text)
        else:
            save(Path(outlet.file), text, "the plan")


def _text(
    name: str,
    human: "Callable[[Console], None]",
    document: Callable[[], Mapping[str, Any]],
    markdown: Callable[[], str],
) -> str:
    match name:
        case "json":
            return (
                json.dumps({"schemaVersion": output.SCHEMA_VERSION, **document()}, indent=2, ensure_ascii=False) + "\n"
            )
        case "markdown":
            return markdown()
        case _:
            return output.plainly(human)
