"""GitLab Code Quality: a JSON list of issues, shown beside the changed lines of a merge request."""

import json
from typing import Any

from gitopsreg.catalog.report import Finding, Report, printable
from gitopsreg.catalog.reports.fingerprint import fingerprints
from gitopsreg.catalog.rules import is_security


def render(report: Report) -> str:
    prints = fingerprints(report.findings)
    issues = [_issue(finding, print_) for finding, print_ in zip(report.findings, prints, strict=True)]
    return json.dumps(issues, indent=2, ensure_ascii=False) + "\n"


def _issue(finding: Finding, fingerprint: str) -> dict[str, Any]:
    hint = f" ({finding.hint})" if finding.hint else ""
    return {
        "type": "issue",
        "description": finding.message + hint,
        "check_name": finding.rule,
        "categories": ["Security" if is_security(finding.rule) else "Bug Risk"],
        "fingerprint": fingerprint,
        "severity": _severity(finding),
        "location": {"path": printable(finding.path), "lines": {"begin": finding.line, "end": _end(finding)}},
    }


def _severity(finding: Finding) -> str:
    if finding.severity == "warning":
        return "minor"
    return "critical" if is_security(finding.rule) else "major"


def _end(finding: Finding) -> int:
    """The last line with any of it: an end at the start of a line is the end of the line before."""
    last = finding.end_line - 1 if finding.end_column == 1 else finding.end_line
    return max(finding.line, last)
