"""SARIF 2.1.0, as code scanning services read it: rules, results with places and fingerprints, fixes. Bounded."""

import json
from typing import Any
from urllib.parse import quote

from gitopsreg import __version__
from gitopsreg.catalog.fix import Fix
from gitopsreg.catalog.report import Finding, Report, printable
from gitopsreg.catalog.reports import fingerprint
from gitopsreg.catalog.rules import RULES, Rule, is_security

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://gitopsreg.io"
# GitHub keeps as many of one run, the gravest first, and refuses a file with five times as many.
MOST = 5000
_BASE = "%SRCROOT%"
_NUMBERS = {rule: number for number, rule in enumerate(RULES)}


def render(report: Report) -> str:
    """The log of one run. What does not fit is left out, warnings before errors, and a notification says so."""
    ordered = [*report.errors, *report.warnings, *report.suppressed]
    prints = fingerprint.fingerprints(ordered)
    results = [_result(finding, print_) for finding, print_ in zip(ordered[:MOST], prints, strict=False)]
    run = {
        "tool": {"driver": _driver()},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_BASE: {"description": {"text": "the top of the repository"}}},
        "invocations": [_invocation(report, left_out=len(ordered) - len(results))],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _driver() -> dict[str, Any]:
    return {
        "name": "gitopsreg",
        "version": __version__,
        "semanticVersion": __version__,
        "informationUri": HOME,
        "rules": [_rule(rule) for rule in RULES.values()],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    security = is_security(rule.id)
    properties: dict[str, Any] = {
        "tags": ["security", "catalog"] if security else ["catalog"],
        "precision": "very-high",
    }
    if security:
        properties["security-severity"] = "8.0" if rule.severity == "error" else "5.0"
    words = "\n\n".join(part for part in (rule.what, f"Why: {rule.why}.", rule.fix) if part)
    return {
        "id": rule.id,
        "name": "".join(word.title() for word in rule.title.replace("-", " ").split() if word.isalpha()),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.title}: {rule.why}"},
        "help": {"text": words, "markdown": words},
        "helpUri": f"{HOME}/rules/{rule.id}",
        "defaultConfiguration": {"level": rule.severity},
        "properties": properties,
    }


def _invocation(report: Report, *, left_out: int) -> dict[str, Any]:
    notes = [{"level": "warning", "message": {"text": f"not checked: {text}"}} for text in report.unchecked[:MOST]]
    if left_out:
        text = f"{left_out} more findings were left out: this report holds {MOST}, which is what code scanning keeps"
        notes.append({"level": "warning", "message": {"text": text}})
    return {"executionSuccessful": not report.unchecked, "toolExecutionNotifications": notes}


def _result(finding: Finding, print_: str) -> dict[str, Any]:
    artifact = _artifact(finding.path)
    region = _region(finding.line, finding.column, finding.end_line, finding.end_column)
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": _NUMBERS[finding.rule],
        "level": finding.severity,
        "message": {"text": _text(finding)},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
        "partialFingerprints": {fingerprint.NAME: print_},
    }
    if finding.new is not None:
        result["baselineState"] = "new" if finding.new else "unchanged"
    if finding.suppressed:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.suppressed}]
    if finding.fix and finding.fix.edits:
        result["fixes"] = [_fix(finding.fix, artifact)]
    return result


def _text(finding: Finding) -> str:
    """Plain text; what would be read as a link is not one."""
    text = f"{finding.message} ({finding.hint})" if finding.hint else finding.message
    return text.replace("[", "\\[").replace("]", "\\]") if "](" in text else text


def _artifact(path: str) -> dict[str, str]:
    return {"uri": quote(printable(path), safe="/"), "uriBaseId": _BASE}


def _region(line: int, column: int, end_line: int, end_column: int) -> dict[str, int]:
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _fix(fix: Fix, artifact: dict[str, str]) -> dict[str, Any]:
    replacements = [
        {
            "deletedRegion": _region(edit.span.line, edit.span.column, edit.span.end_line, edit.span.end_column),
            "insertedContent": {"text": edit.text},
        }
        for edit in fix.edits
    ]
    change = {"artifactLocation": artifact, "replacements": replacements}
    return {"description": {"text": fix.description}, "artifactChanges": [change]}
