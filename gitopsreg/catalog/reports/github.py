"""GitHub Actions: workflow commands that become annotations of files. GitHub shows few of them; the rest is told."""

from gitopsreg.catalog.report import Finding, Report, printable, summary

# What GitHub shows of each severity, a step.
MOST = 10
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = _DATA | {":": "%3A", ",": "%2C"}
_IN_DATA, _IN_PROPERTY = str.maketrans(_DATA), str.maketrans(_PROPERTY)


def render(report: Report) -> str:
    """Commands for the first of each severity, plain lines for the others, and the sum."""
    commands: list[str] = []
    rest: list[str] = []
    for name, findings in (("errors", report.errors), ("warnings", report.warnings)):
        # What a change brings is what its author should see first.
        first = sorted(findings, key=lambda finding: finding.new is False)
        commands += [_command(finding) for finding in first[:MOST]]
        if len(first) > MOST:
            rest.append(f"{len(first) - MOST} more {name} than GitHub shows as annotations:")
            rest += [_plain(finding) for finding in first[MOST:]]
    rest += [f"not checked: {printable(text)}" for text in report.unchecked]
    told = summary(report.findings, files=report.files, seconds=report.seconds)
    return "\n".join([*commands, *rest, told]) + "\n"


def _command(finding: Finding) -> str:
    properties = {"file": printable(finding.path), "line": str(finding.line), "endLine": str(finding.end_line)}
    if finding.line == finding.end_line:
        properties |= {"col": str(finding.column), "endColumn": str(finding.end_column)}
    properties["title"] = finding.rule
    shown = ",".join(f"{name}={value.translate(_IN_PROPERTY)}" for name, value in properties.items())
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"::{finding.severity} {shown}::{printable(finding.message + hint).translate(_IN_DATA)}"


def _plain(finding: Finding) -> str:
    """Indented, so that nothing in it can begin a line: a command of GitHub's does."""
    return f"  · {finding}"
