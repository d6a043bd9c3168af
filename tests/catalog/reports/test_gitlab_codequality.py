import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft7Validator

from gitopsreg.catalog.report import Report
from gitopsreg.catalog.reports.gitlab_codequality import render
from tests.catalog.reports.examples import CASES, EVERYTHING, FINDING, ODD, WARNING, a_report, of_case

# What GitLab documents of its format; there is no published schema.
DOCUMENTED: Any = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./|/)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {
                            "begin": {"type": "integer", "minimum": 1},
                            "end": {"type": "integer", "minimum": 1},
                        },
                    },
                },
            },
        },
    },
}


def issues(report: Report) -> Any:
    document = json.loads(render(report))
    Draft7Validator(DOCUMENTED).validate(document)
    return document


@pytest.mark.parametrize("case", CASES)
def test_every_bad_catalog_s_report_is_as_documented(case: str) -> None:
    report = of_case(case)
    found = issues(report)
    assert [issue["check_name"] for issue in found] == [finding.rule for finding in report.findings]
    assert len({issue["fingerprint"] for issue in found}) == len(found)


def test_severities() -> None:
    assert [issue["severity"] for issue in issues(a_report(FINDING, WARNING, ODD))] == ["major", "minor", "critical"]


def test_a_fingerprint_stays_when_lines_move() -> None:
    (first,), (second,) = issues(a_report(FINDING)), issues(a_report(replace(FINDING, line=1, end_line=1)))
    assert first["fingerprint"] == second["fingerprint"]


def test_an_end_at_the_start_of_a_line_is_the_line_before() -> None:
    assert issues(a_report(ODD))[0]["location"]["lines"] == {"begin": 3, "end": 4}


def test_nothing_is_an_empty_list() -> None:
    assert render(a_report()) == "[]\n"
    assert len(issues(EVERYTHING)) == 4
