import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker

from gitopsreg.catalog.report import Report
from gitopsreg.catalog.reports.sarif import MOST, render
from gitopsreg.catalog.rules import RULES
from tests.catalog.reports.examples import CASES, EVERYTHING, FINDING, ODD, WARNING, a_report, of_case

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = Draft4Validator(SCHEMA, format_checker=FormatChecker())


def run_of(report: Report) -> Any:
    document = json.loads(render(report))
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    (run,) = document["runs"]
    return run


@pytest.mark.parametrize("case", CASES)
def test_every_bad_catalog_s_report_is_as_the_published_schema_wants_it(case: str) -> None:
    report = of_case(case)
    run = run_of(report)
    assert len(run["results"]) == len(report.findings) + len(report.suppressed)


def test_the_schema_can_say_no() -> None:
    document = json.loads(render(EVERYTHING))
    document["runs"][0]["results"][0]["level"] = "fatal"
    assert not VALIDATOR.is_valid(document)


def test_a_result_says_where_and_what() -> None:
    run = run_of(a_report(FINDING))
    (result,) = run["results"]
    assert result["ruleId"] == run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "GR201"
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": FINDING.path, "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 14, "startColumn": 17, "endLine": 14, "endColumn": 21}
    (replacement,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
    assert replacement["insertedContent"] == {"text": '"1.10"'}


def test_every_rule_is_explained() -> None:
    rules = run_of(a_report())["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    for rule in rules:
        assert rule["helpUri"].endswith(rule["id"])
        assert len(rule["properties"]["tags"]) <= 10
        assert ("security-severity" in rule["properties"]) == rule["id"].startswith("GR5")


def test_a_fingerprint_stays_when_lines_move_and_differs_between_twins() -> None:
    def prints(*findings: Any) -> list[str]:
        return [result["partialFingerprints"]["gitopsreg/v1"] for result in run_of(a_report(*findings))["results"]]

    assert prints(FINDING) == prints(replace(FINDING, line=99, end_line=99, column=1, snippet="x"))
    assert prints(FINDING) != prints(replace(FINDING, pointer="/spec/versions/pins/1/version"))
    assert len(set(prints(FINDING, FINDING, WARNING))) == 3


def test_uris_are_relative_and_legal_whatever_the_name() -> None:
    (result,) = run_of(a_report(ODD))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    assert uri.startswith("a%20b/")
    assert not set(uri) & set(' "<>\\#[]\x1b\n')
    assert "](" not in result["message"]["text"].replace("\\](", "")


def test_what_is_ignored_new_or_unchecked_is_told_as_such() -> None:
    run = run_of(EVERYTHING)
    assert [result.get("baselineState") for result in run["results"]] == [None, "new", None, "unchanged", None]
    assert run["results"][-1]["suppressions"] == [{"kind": "inSource", "justification": "known ]](x) & accepted"}]
    (invocation,) = run["invocations"]
    assert not invocation["executionSuccessful"]
    assert "no answer" in invocation["toolExecutionNotifications"][0]["message"]["text"]


def test_more_than_code_scanning_keeps_is_cut_warnings_first_and_said() -> None:
    warnings = (WARNING,) * MOST
    run = run_of(a_report(*warnings, FINDING, FINDING))
    assert len(run["results"]) == MOST
    assert [result["level"] for result in run["results"][:3]] == ["error", "error", "warning"]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("2 more findings were left out")
