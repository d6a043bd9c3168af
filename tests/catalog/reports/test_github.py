import re
from dataclasses import replace

import pytest

from gitopsreg.catalog.reports.github import MOST, render
from tests.catalog.reports.examples import CASES, EVERYTHING, FINDING, ODD, WARNING, a_report, of_case

COMMAND = re.compile(r"::(?P<severity>error|warning) (?P<properties>[^:]*)::(?P<data>.*)")


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """What the runner reads: its own parsing, escapes undone."""
    read = []
    for line in text.splitlines():
        found = COMMAND.fullmatch(line)
        if found is None:
            assert "::" not in line[:2]
            continue
        properties = dict(part.split("=", 1) for part in found["properties"].split(","))
        read.append((found["severity"], {k: _plain(v) for k, v in properties.items()}, _plain(found["data"])))
    return read


def _plain(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def test_a_finding_is_one_command() -> None:
    assert render(a_report(FINDING)).splitlines()[0] == (
        "::error file=catalog/namespaces/platform/modules/vpc/aws.yaml,line=14,endLine=14,col=17,endColumn=21,"
        'title=GR201::version must be a string, got number 1.1 (write "1.10")'
    )


def test_columns_only_within_one_line() -> None:
    ((_, properties, _),) = commands(render(a_report(replace(FINDING, end_line=15))))
    assert "col" not in properties
    assert properties["endLine"] == "15"


def test_nothing_breaks_out_of_a_command() -> None:
    ((severity, properties, data),) = commands(render(a_report(ODD)))
    assert severity == "error"
    assert properties["file"] == 'a b/é,:;]%\\n"<&>\\x1b[31m**vso[x]/namespaces/x.yaml'
    assert data == ODD.message


@pytest.mark.parametrize("case", CASES)
def test_every_bad_catalog_s_report_can_be_read_back(case: str) -> None:
    report = of_case(case)
    read = commands(render(report))
    for findings, severity in ((report.errors, "error"), (report.warnings, "warning")):
        told = [properties["title"] for name, properties, _ in read if name == severity]
        assert told == [finding.rule for finding in findings[:MOST]]


def test_what_github_would_not_show_goes_to_the_log() -> None:
    many = tuple(replace(FINDING, line=number, end_line=number) for number in range(1, 31))
    text = render(a_report(*many, *(WARNING,) * 11))
    assert len(commands(text)) == 2 * MOST
    assert "20 more errors than GitHub shows as annotations:" in text
    assert "1 more warnings than GitHub shows" in text
    assert text.count("  · ") == 21
    assert all(f"aws.yaml:{number}:17: error" in text for number in range(11, 31))


def test_what_the_change_brings_is_shown_first() -> None:
    old = (replace(FINDING, new=False, rule="GR202"),) * MOST
    rules = [properties["title"] for _, properties, _ in commands(render(a_report(*old, replace(FINDING, new=True))))]
    assert rules[0] == "GR201"


def test_what_could_not_be_checked_is_told() -> None:
    assert "not checked: module:platform/vpc/aws: no answer\\x1b" in render(EVERYTHING)
