import re

import pytest

from gitopsreg.catalog.reports.azure import render
from tests.catalog.reports.examples import CASES, EVERYTHING, FINDING, ODD, a_report, of_case

COMMAND = re.compile(r"##vso\[task\.logissue (?P<properties>[^\]]*)\](?P<message>.*)")
# As documented for the command; `type` is required.
DOCUMENTED = {"type", "sourcepath", "linenumber", "columnnumber", "code"}


def read(line: str) -> tuple[dict[str, str], str]:
    """What the agent reads, escapes undone."""
    found = COMMAND.fullmatch(line)
    assert found is not None
    pairs = [part.split("=", 1) for part in found["properties"].split(";") if part]
    return {key: _plain(value) for key, value in pairs}, _plain(found["message"])


def _plain(text: str) -> str:
    for code, character in (("%3B", ";"), ("%5D", "]"), ("%0D", "\r"), ("%0A", "\n"), ("%AZP25", "%")):
        text = text.replace(code, character)
    return text


def test_a_finding_is_one_command() -> None:
    assert render(a_report(FINDING)) == (
        "##vso[task.logissue type=error;sourcepath=catalog/namespaces/platform/modules/vpc/aws.yaml;linenumber=14;"
        'columnnumber=17;code=GR201;]version must be a string, got number 1.1 (write "1.10")\n'
    )


def test_nothing_breaks_out_of_a_command() -> None:
    (line,) = render(a_report(ODD)).splitlines()
    properties, message = read(line)
    assert set(properties) == DOCUMENTED
    assert properties["sourcepath"] == 'a b/é,:;]%\\n"<&>\\x1b[31m**vso[x]/namespaces/x.yaml'
    assert message == ODD.message


@pytest.mark.parametrize("case", CASES)
def test_every_bad_catalog_s_report_can_be_read_back(case: str) -> None:
    report = of_case(case)
    lines = render(report).splitlines()
    assert [read(line)[0]["code"] for line in lines] == [finding.rule for finding in report.findings]
    assert {read(line)[0]["type"] for line in lines} <= {"error", "warning"}


def test_a_line_holds_no_other_command() -> None:
    assert all(line.count("##vso[") == 1 for line in render(EVERYTHING).splitlines())
