"""JSON Lines: one finding a line, for programs that read as they go. A clean report is empty."""

import json

from gitopsreg.catalog.report import Report, as_dict


def render(report: Report) -> str:
    """Each line is an object like those in `findings` of the JSON report."""
    findings = (*report.findings, *report.suppressed)
    return "".join(
        json.dumps({"schemaVersion": 1} | as_dict(finding), ensure_ascii=False) + "\n" for finding in findings
    )
