import pytest
from markdown_it import MarkdownIt

from gitopsreg.catalog.reports.markdown import COMMENT, render
from tests.catalog.reports.examples import CASES, EVERYTHING, FINDING, ODD, WARNING, a_report, of_case

READER = MarkdownIt("commonmark", {"html": True}).enable("table")


def cells(text: str) -> list[list[str]]:
    """The table as a forge shows it, one list of texts a row; it must hold nothing but text and line breaks."""
    rows: list[list[str]] = []
    for token in READER.parse(text):
        if token.type == "tr_open":
            rows.append([])
        if token.type == "inline" and rows and token.map is not None and token.level > 3:
            kinds = {child.type for child in token.children or ()}
            assert kinds <= {"text", "text_special", "html_inline"}
            assert {child.content for child in token.children or () if child.type == "html_inline"} <= {"<br>"}
            rows[-1].append("".join(child.content for child in token.children or ()))
    return rows[1:]


def test_a_table_of_findings() -> None:
    text = render(a_report(FINDING, WARNING))
    assert text.startswith("### ❌ gitopsreg: the catalog has errors\n\nFound 1 error, 1 warning in 3 files (1.2 s).\n")
    first, second = cells(text)
    assert first[:2] == ["❌", "GR201"]
    assert first[2] == "catalog/namespaces/platform/modules/vpc/aws.yaml:14"
    assert first[3] == 'version must be a string, got number 1.1<br>write "1.10"'
    assert second[0] == "⚠️"


@pytest.mark.parametrize("case", CASES)
def test_every_bad_catalog_s_report_is_one_row_a_finding(case: str) -> None:
    report = of_case(case)
    assert [row[1] for row in cells(render(report))] == [finding.rule for finding in report.findings]


def test_text_of_others_is_only_text() -> None:
    text = render(a_report(ODD))
    (row,) = cells(text)
    assert row[3].replace("\u2060", "") == ODD.message
    assert "@admin" not in text
    assert "#12" not in text
    assert "https://" not in text


def test_it_fits_into_a_comment_and_says_what_did_not() -> None:
    text = render(a_report(*(ODD,) * 5000))
    assert len(text.encode()) <= COMMENT
    rows = cells(text)
    assert f"… and {5000 - len(rows)} more, which found no room here." in text


@pytest.mark.parametrize(
    ("report", "title"),
    [
        (a_report(), "✅ gitopsreg: the catalog is sound"),
        (a_report(WARNING), "⚠️ gitopsreg: the catalog has warnings"),
        (a_report(unchecked=("x: no answer",)), "❔ gitopsreg: the catalog could not be checked whole"),
        (EVERYTHING, "❌ gitopsreg: the catalog has errors"),
    ],
)
def test_titles(report: object, title: str) -> None:
    assert title in render(report)  # type: ignore[arg-type]


def test_what_is_new_is_marked() -> None:
    assert [row[1] for row in cells(render(EVERYTHING))] == ["GR201", "GR201 (new)", "GR414", "GR501"]
