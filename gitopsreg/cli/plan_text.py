"""A plan in front of a person: the table, then what a reviewer should know besides."""

from typing import TYPE_CHECKING

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from gitopsreg.catalog.plan_sheet import Row, Sheet

_SIGNS = {"add": ("+", "green"), "change": ("~", "yellow"), "remove": ("-", "red"), "warn": ("!", "bold red")}
_RISKS = {"high": "bold red", "low": "yellow", "none": ""}
# Of each kind of details; the other formats have them all.
_SHOWN = 20


def show(out: "Console", sheet: "Sheet") -> None:
    output.say(out, f"Plan from {printable(sheet.base)} to {printable(sheet.head)}", "bold")
    output.say(out, printable(" · ".join(sheet.verdicts)), "dim")
    if sheet.rows:
        output.say(out)
        header = ("", "ADDRESS", "CHANGE", "RISK")
        output.styled_table(out, header, [_cells(row) for row in sheet.rows])
    for section in sheet.sections:
        output.say(out)
        output.say(out, printable(f"{section.title} ({len(section.lines)})"), "bold")
        for line in section.lines[:_SHOWN]:
            output.say(out, f"  {printable(line)}")
        if len(section.lines) > _SHOWN:
            output.say(out, f"  … and {len(section.lines) - _SHOWN} more: --output json has them all")
    output.say(out)
    output.say(out, f"{sheet.title[:1].upper()}{sheet.title[1:]}." if sheet.rows else "No changes.", "bold")
    output.say(out, f"Plan digest: {sheet.digest}", "dim")
    if sheet.held:
        output.say(out, f"Held back: {printable(sheet.held)}", "yellow")
        output.say(out, f"  {printable(sheet.next)}")


def _cells(row: "Row") -> "tuple[Text, ...]":
    from rich.text import Text

    sign, style = _SIGNS[row.sign]
    risks = Text(", ").join(Text(str(risk), style=_RISKS[risk.level]) for risk in row.risks)
    return Text(sign, style=style), Text(printable(row.subject)), Text(printable("; ".join(row.words))), risks
