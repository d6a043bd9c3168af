"""Findings and how they are told: to people with the line and a caret, to programs as JSON. Knows no colours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gitopsreg import __version__
from gitopsreg.catalog.fix import Fix
from gitopsreg.catalog.rules import Severity, page_path

# What a piece of the human report is, for a terminal to colour.
Style = Literal["place", "error", "warning", "plain", "gutter", "caret", "hint", "summary"]
Line = tuple[tuple[Style, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A broken rule at its place. Lines and columns count from 1, the end is exclusive; `snippet` is the whole line.

    `path` is relative to where the user stands; `address` is the package's, if the file declares one. `suppressed` is
    the reason why it is not counted: a comment in the file says so (see catalog.suppress); "" when it is. `fix` mends
    it without asking; `new` says whether the change brings it, None when nothing was compared.
    """

    rule: str
    severity: Severity
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    message: str
    hint: str = ""
    pointer: str = ""
    address: str = ""
    snippet: str = ""
    suppressed: str = ""
    fix: Fix | None = None
    new: bool | None = None

    @property
    def page(self) -> str:
        """Where the rule is explained, from the top of the documentation."""
        return page_path(self.rule)

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        return self.path, self.line, self.column, self.rule, self.message

    def __str__(self) -> str:
        return f"{printable(self.path)}:{self.line}:{self.column}: {self.severity}[{self.rule}] {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that one check has to tell. `paths` are the files that were checked, written like those of the findings;
    `unchecked` says what could not be checked, one text each.
    """

    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...] = ()
    paths: tuple[str, ...] = ()
    files: int = 0
    seconds: float = 0
    unchecked: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "warning")


def printable(text: str) -> str:
    """The text with whatever a terminal or the log of a CI service would act on, or could not show, made harmless."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return harmless(text)


def harmless(text: str) -> str:
    """The text, as long as it was, without what CI services take for a command wherever it stands in a log."""
    return text.replace("##[", "**[").replace("##vso[", "**vso[") if "##" in text else text


def human(findings: Sequence[Finding], *, files: int, seconds: float) -> str:
    """The whole report as plain text, without a line break at its end."""
    lines = human_lines(findings, files=files, seconds=seconds)
    return "\n".join("".join(text for _, text in line).rstrip() for line in lines)


def human_lines(findings: Sequence[Finding], *, files: int, seconds: float) -> Iterator[Line]:
    """The report line by line, each a row of (style, text)."""
    for finding in findings:
        yield from _told(finding)
    yield (("summary", summary(findings, files=files, seconds=seconds)),)


def summary(findings: Sequence[Finding], *, files: int, seconds: float) -> str:
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = len(findings) - errors
    return (
        f"Found {_count(errors, 'error')}, {_count(warnings, 'warning')} in {_count(files, 'file')} ({seconds:.1f} s)."
    )


def as_json(report: Report) -> dict[str, Any]:
    """The report for programs; `schemaVersion` changes only when a reader of 1 could misread it."""
    return {
        "schemaVersion": 1,
        "tool": {"name": "gitopsreg", "version": __version__},
        "summary": {
            "errors": len(report.errors),
            "warnings": len(report.warnings),
            "suppressed": len(report.suppressed),
            "files": report.files,
            "durationMs": round(report.seconds * 1000),
        },
        "findings": [as_dict(finding) for finding in report.findings],
        "suppressed": [as_dict(finding) for finding in report.suppressed],
        "unchecked": list(report.unchecked),
    }


def as_dict(finding: Finding) -> dict[str, Any]:
    """One finding for programs; `new` is there only when something was compared, `suppressed` only when it is."""
    more: dict[str, Any] = {} if finding.new is None else {"new": finding.new}
    if finding.suppressed:
        more["suppressed"] = finding.suppressed
    return more | {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "path": printable(finding.path),
        "line": finding.line,
        "column": finding.column,
        "endLine": finding.end_line,
        "endColumn": finding.end_column,
        "pointer": finding.pointer,
        "address": finding.address,
        "help": finding.hint,
        "page": finding.page,
        "fix": _fix_as_dict(finding.fix) if finding.fix else None,
    }


def _fix_as_dict(fix: Fix) -> dict[str, Any]:
    edits = [
        {
            "line": edit.span.line,
            "column": edit.span.column,
            "endLine": edit.span.end_line,
            "endColumn": edit.span.end_column,
            "text": edit.text,
        }
        for edit in fix.edits
    ]
    return {"description": fix.description, "edits": edits, "moveTo": printable(fix.move_to)}


def _told(finding: Finding) -> Iterator[Line]:
    place = f"{printable(finding.path)}:{finding.line}:{finding.column}: "
    yield ("place", place), (finding.severity, f"{finding.severity}[{finding.rule}]"), ("plain", f" {finding.message}")
    margin = " " * len(str(finding.line))
    if not finding.snippet:
        if finding.hint:
            yield ("gutter", f"{margin} = "), ("hint", f"help: {finding.hint}")
        return
    yield (("gutter", f"{margin} |"),)
    yield ("gutter", f"{finding.line} | "), ("plain", finding.snippet)
    carets = "^" * max(1, _caret_end(finding) - finding.column)
    yield ("gutter", f"{margin} | "), ("caret", " " * (finding.column - 1) + carets), ("hint", f" {finding.hint}")


def _caret_end(finding: Finding) -> int:
    """What goes on in later lines is marked to the end of the first."""
    end_of_line = len(finding.snippet) + 1
    return min(finding.end_column, end_of_line) if finding.end_line == finding.line else end_of_line


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
