"""Markdown: a table for a comment or a step's summary. Whatever the catalog says is escaped; the size is bounded."""

import re

from gitopsreg.catalog.report import Finding, Report, printable, summary

# What GitHub takes as a comment; a little is kept for the end.
COMMENT = 65_536
_REST = 400
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$&])")
_ICONS = {"error": "❌", "warning": "⚠️"}


def render(report: Report, *, limit: int = COMMENT) -> str:
    """At most `limit` bytes; what did not find room is counted."""
    head = [f"### {_title(report)}", "", summary_of(report), ""]
    if report.findings:
        head += ["| | Rule | Place | Problem |", "|---|---|---|---|"]
    lines, left_out = _fitting([_row(finding) for finding in report.findings], limit - _REST - _size(head))
    end = [f"\n… and {left_out} more, which found no room here."] if left_out else []
    end += [f"\nNot checked: {escaped(text[:200])}" for text in report.unchecked[:1]]
    return "\n".join([*head, *lines, *end]).rstrip() + "\n"


def _title(report: Report) -> str:
    if report.errors:
        return "❌ gitopsreg: the catalog has errors"
    if report.unchecked:
        return "❔ gitopsreg: the catalog could not be checked whole"
    return "⚠️ gitopsreg: the catalog has warnings" if report.findings else "✅ gitopsreg: the catalog is sound"


def summary_of(report: Report) -> str:
    return summary(report.findings, files=report.files, seconds=report.seconds)


def _row(finding: Finding) -> str:
    hint = f"<br>{escaped(finding.hint)}" if finding.hint else ""
    place = f"{escaped(printable(finding.path))}:{finding.line}"
    new = " (new)" if finding.new else ""
    return f"| {_ICONS[finding.severity]} | {finding.rule}{new} | {place} | {escaped(finding.message)}{hint} |"


def escaped(text: str) -> str:
    """Text of others, so that it shows as it is and calls nobody."""
    shown = _SPECIAL.sub(r"\\\1", printable(text))
    # A word joiner keeps a name from being a mention, a number an issue, and a bare address a link.
    return shown.replace("@", "@\u2060").replace("#", "#\u2060").replace("://", ":\u2060//")


def _fitting(rows: list[str], room: int) -> tuple[list[str], int]:
    taken = 0
    for number, row in enumerate(rows):
        taken += len(row.encode()) + 1
        if taken > room:
            return rows[:number], len(rows) - number
    return rows, 0


def _size(lines: list[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)
