import json
from dataclasses import replace

import gitopsreg
from gitopsreg.catalog.fix import Edit, Fix
from gitopsreg.catalog.load import load
from gitopsreg.catalog.problem import Span
from gitopsreg.catalog.report import Finding, Report, as_json, human, human_lines, printable
from gitopsreg.errors import CatalogInvalid
from tests.catalog.catalogs import AT_MODULE, AT_NAMESPACE, NAMESPACE, a_catalog, a_module

FINDING = Finding(
    rule="GR201",
    severity="error",
    path="a/b.yaml",
    line=14,
    column=17,
    end_line=14,
    end_column=21,
    message="version must be a string, got number 1.1",
    hint='write "1.10" (unquoted 1.10 is the number 1.1)',
    pointer="/spec/versions/pins/0/version",
    address="module:platform/vpc/aws",
    snippet="    - {version: 1.10, commit: 9c1d0f3…}",
)


def test_people_see_the_line_and_a_caret() -> None:
    assert human([FINDING], files=312, seconds=0.84) == (
        "a/b.yaml:14:17: error[GR201] version must be a string, got number 1.1\n"
        "   |\n"
        "14 |     - {version: 1.10, commit: 9c1d0f3…}\n"
        '   |                 ^^^^ write "1.10" (unquoted 1.10 is the number 1.1)\n'
        "Found 1 error, 0 warnings in 312 files (0.8 s)."
    )


def test_without_a_line_the_hint_stands_alone() -> None:
    found = replace(FINDING, severity="warning", snippet="", line=1, column=1)
    assert human([found, replace(found, hint="")], files=1, seconds=0) == (
        "a/b.yaml:1:1: warning[GR201] version must be a string, got number 1.1\n"
        '  = help: write "1.10" (unquoted 1.10 is the number 1.1)\n'
        "a/b.yaml:1:1: warning[GR201] version must be a string, got number 1.1\n"
        "Found 0 errors, 2 warnings in 1 file (0.0 s)."
    )


def test_what_goes_on_in_later_lines_is_marked_to_the_end_of_the_first() -> None:
    lines = human([replace(FINDING, end_line=20, end_column=1, hint="")], files=1, seconds=0).splitlines()
    assert lines[3] == "   | " + " " * 16 + "^" * (len(FINDING.snippet) - 16)


def test_pieces_know_what_they_are() -> None:
    styles = [style for line in human_lines([FINDING], files=1, seconds=0) for style, _ in line]
    assert styles == ["place", "error", "plain", "gutter", "gutter", "plain", "gutter", "caret", "hint", "summary"]


def test_programs_get_all_of_it() -> None:
    fix = Fix(description='write "1.10"', edits=(Edit(Span(14, 17, 14, 21), '"1.10"'),))
    found = replace(FINDING, fix=fix)
    ignored = replace(FINDING, suppressed="an old one", new=False)
    document = as_json(Report(findings=(found,), suppressed=(ignored,), files=312, seconds=0.84, unchecked=("a: b",)))
    (told,) = document["suppressed"]
    assert (told["suppressed"], told["new"], told["fix"]) == ("an old one", False, None)
    del document["suppressed"]
    assert json.loads(json.dumps(document)) == {
        "schemaVersion": 1,
        "tool": {"name": "gitopsreg", "version": gitopsreg.__version__},
        "summary": {"errors": 1, "warnings": 0, "suppressed": 1, "files": 312, "durationMs": 840},
        "findings": [
            {
                "rule": "GR201",
                "severity": "error",
                "message": "version must be a string, got number 1.1",
                "path": "a/b.yaml",
                "line": 14,
                "column": 17,
                "endLine": 14,
                "endColumn": 21,
                "pointer": "/spec/versions/pins/0/version",
                "address": "module:platform/vpc/aws",
                "help": 'write "1.10" (unquoted 1.10 is the number 1.1)',
                "page": "docs/rules/GR201.md",
                "fix": {
                    "description": 'write "1.10"',
                    "edits": [{"line": 14, "column": 17, "endLine": 14, "endColumn": 21, "text": '"1.10"'}],
                    "moveTo": "",
                },
            }
        ],
        "unchecked": ["a: b"],
    }


def test_a_finding_can_be_raised() -> None:
    assert str(CatalogInvalid((FINDING,))) == str(FINDING)


def test_nothing_reaches_a_terminal_that_it_would_act_on() -> None:
    text = a_module('"\\e[2J": 1\narchiveFormat: "\\e]0;x\\a"\ndescription: [a\u2028\u202eb]')
    found = load(a_catalog({AT_NAMESPACE: NAMESPACE, AT_MODULE: text})).findings
    assert len(found) >= 3
    assert all(line.isprintable() for line in human(found, files=2, seconds=0).splitlines())
    assert printable("a\u202eb\x1b") == "a\\u202eb\\x1b"


def test_a_message_is_never_long() -> None:
    found = load(a_catalog({AT_NAMESPACE: NAMESPACE, AT_MODULE: a_module("archiveFormat: " + "x" * 100_000)})).findings
    assert [len(finding.message) < 600 for finding in found] == [True]
    assert len(found[0].snippet) < 200


def test_nothing_reaches_a_log_that_a_ci_service_would_act_on() -> None:
    text = a_module("archiveFormat: '##vso[task.setvariable variable=x]y ##[error]z'")
    (found,) = load(a_catalog({AT_NAMESPACE: NAMESPACE, AT_MODULE: text})).findings
    told = human([found], files=2, seconds=0)
    assert "##" not in told
    assert "**vso[task" in told
    assert printable("a/##vso[x.yaml") == "a/**vso[x.yaml"
