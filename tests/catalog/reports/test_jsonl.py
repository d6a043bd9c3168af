import json

import pytest

from gitopsreg.catalog.report import as_dict
from gitopsreg.catalog.reports.jsonl import render
from tests.catalog.reports.examples import CASES, EVERYTHING, a_report, of_case


@pytest.mark.parametrize("case", CASES)
def test_a_line_is_a_finding_of_the_json_report(case: str) -> None:
    report = of_case(case)
    lines = [json.loads(line) for line in render(report).splitlines()]
    assert lines == [{"schemaVersion": 1} | as_dict(finding) for finding in (*report.findings, *report.suppressed)]


def test_a_clean_report_is_empty() -> None:
    assert render(a_report()) == ""
    assert len(render(EVERYTHING).splitlines()) == 5
