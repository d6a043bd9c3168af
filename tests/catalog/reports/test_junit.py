from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from gitopsreg.catalog.report import Report
from gitopsreg.catalog.reports.junit import render
from tests.catalog.reports.examples import CASES, EVERYTHING, FINDING, ODD, PATHS, WARNING, a_report, of_case

SCHEMA = xmlschema.XMLSchema(Path(__file__).parent / "schemas" / "junit-10.xsd")
# GitLab reads these of a test case, and the published schema does not know them.
EXTENSIONS = ("file", "line")


def suite_of(report: Report) -> ET.Element:
    published = ET.fromstring(render(report).encode())
    for case in published.iter("testcase"):
        for name in EXTENSIONS:
            case.attrib.pop(name, None)
    SCHEMA.validate(published)
    suite = ET.fromstring(render(report).encode()).find("testsuite")
    assert suite is not None
    return suite


@pytest.mark.parametrize("case", CASES)
def test_every_bad_catalog_s_report_is_as_the_published_schema_wants_it(case: str) -> None:
    report = of_case(case)
    suite = suite_of(report)
    assert suite.get("tests") == str(len(report.paths))


def test_the_schema_can_say_no() -> None:
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        SCHEMA.validate(render(a_report(FINDING)))


def test_one_test_case_a_file_so_that_passes_show_too() -> None:
    suite = suite_of(a_report(FINDING, FINDING, WARNING))
    failed, passed, _ = suite.findall("testcase")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == (str(len(PATHS)), "1", "0")
    assert dict(failed.attrib) == {
        "classname": "catalog.namespaces.platform",
        "name": "modules/vpc/aws.yaml",
        "file": FINDING.path,
        "line": "14",
    }
    failure = failed.find("failure")
    assert failure is not None
    assert failure.text is not None
    assert (failure.get("type"), failure.get("message")) == ("GR201", f"{FINDING.message} (and 1 more)")
    assert failure.text.count("error[GR201]") == 2
    assert (failed.findtext("system-out") or "").count("warning[GR414]") == 1
    assert passed.get("classname") == "catalog"
    assert list(passed) == []


def test_a_warning_alone_fails_nothing() -> None:
    suite = suite_of(a_report(WARNING))
    assert suite.get("failures") == "0"
    assert suite.find("testcase/failure") is None


def test_odd_names_and_words_are_only_text() -> None:
    suite = suite_of(a_report(ODD))
    case = next(case for case in suite.findall("testcase") if case.find("failure") is not None)
    assert ODD.message in "".join(case.itertext())


def test_what_could_not_be_checked_is_an_error() -> None:
    suite = suite_of(EVERYTHING)
    assert suite.get("errors") == "1"
    (error,) = [case for case in suite.findall("testcase") if case.find("error") is not None]
    assert error.get("classname") == "online"
