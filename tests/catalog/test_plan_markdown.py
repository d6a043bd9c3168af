"""The comment for a pull request: text of the catalog means nothing in it, and it always fits."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.plan_markdown import LIMIT, code, escaped, markdown, marker
from gitopsreg.catalog.plan_sheet import Row, Section, Sheet
from gitopsreg.catalog.risk import MARKS

DIGEST = "sha256:" + "5e" * 32


def a_sheet(rows: int = 2, details: int = 2, words: str = "new versions 2.4.0") -> Sheet:
    return Sheet(
        name="registry.example.com",
        base="77aa01c",
        head="9b3f2de",
        rows=tuple(Row(sign="add", subject=f"module:platform/m{number}/aws", words=(words,)) for number in range(rows)),
        digest=DIGEST,
        verdicts=("catalog valid", "online check: 3 of 3 sources reached"),
        sections=(Section(title="Skipped versions", lines=tuple(f"{words} {number}" for number in range(details))),)
        if details
        else (),
    )


def test_a_comment_begins_with_its_marker_and_ends_with_its_digest() -> None:
    text = markdown(a_sheet())
    lines = text.splitlines()
    assert lines[0] == "<!-- gitopsreg:plan:registry.example.com -->"
    assert lines[1] == "### gitopsreg plan: 2 to add, 0 to change, 0 to remove"
    assert lines[2] == ("Base `77aa01c` → head `9b3f2de` · catalog valid · online check: 3 of 3 sources reached")
    assert lines[-1] == f"<sub>plan {DIGEST} · expires when the base moves</sub>"


def test_risks_stand_out() -> None:
    row = Row(
        sign="change", subject="namespace:platform", words=("owners: +a",), risks=(MARKS["ownership"], MARKS["yank"])
    )
    (line,) = [
        line
        for line in markdown(Sheet(name="", base="", head="", rows=(row,), digest="")).splitlines()
        if "owners" in line
    ]
    assert line == "| ⚠️ | `namespace:platform` | owners: +a | **high: ownership**, low: yank |"


def test_what_is_held_back_says_how_to_go_on() -> None:
    sheet = Sheet(name="", base="a", head="b", rows=(), digest="", held="12 of 20 would go", next="run <this>")
    assert "> **Held back:** 12 of 20 would go\n> run &lt;this&gt;\n" in markdown(sheet)
    assert "No changes." in markdown(sheet)


@pytest.mark.parametrize("name", ["a --> <script>", "x\ny", "registry.example.com:8443"])
def test_the_marker_stays_one_comment(name: str) -> None:
    assert re.fullmatch(r"<!-- gitopsreg:plan:[0-9A-Za-z.:/_-]* -->", marker(name))


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("ask @acme/team", "ask @&#8203;acme/team"),
        ("fixes #12, GH-7 and acme/x#3", "fixes #&#8203;12, GH-&#8203;7 and acme/x#&#8203;3"),
        ("see https://evil.example.com", "see https:&#8203;//evil.example.com"),
        ("[click](https://x.y)", "\\[click\\](https:&#8203;//x.y)"),
        ("<img src=x onerror=y>", "&lt;img src=x onerror=y&gt;"),
        ("a | b", "a \\| b"),
        ("**bold** _it_ `code` ~~x~~", "\\*\\*bold\\*\\* \\_it\\_ \\`code\\` \\~\\~&#8203;x\\~\\~"),
        ("two\nlines\r\n\nand # more", "two lines and # more"),
        ("- item", "&#8203;- item"),
        ("1. item", "&#8203;1. item"),
        ("# title", "&#8203;# title"),
        ("&lt;b&gt;", "&amp;&#8203;lt;b&amp;&#8203;gt;"),
        ("!5 %6 $7 &8", "!&#8203;5 %&#8203;6 \\$&#8203;7 &amp;&#8203;8"),
        ("1.0.0 → 2.0.0, (3 … 4)", "1.0.0 → 2.0.0, (3 … 4)"),
    ],
)
def test_text_of_others_means_nothing(text: str, made: str) -> None:
    assert escaped(text) == made


@given(st.text())
def test_no_text_opens_anything(text: str) -> None:
    made = escaped(text)
    assert "\n" not in made
    assert not re.search(r"@\w|[<>]|(?<!\\)[`*_|\[\]]", made.replace("\\\\", ""))


@given(st.text())
def test_code_stays_one_span_in_one_cell(text: str) -> None:
    made = code(text)
    assert made.count("`") in {0, 2}
    assert "|" not in made
    assert "\n" not in made


@pytest.mark.parametrize(("rows", "details"), [(10, 100_000), (100_000, 10), (5_000, 5_000), (300, 100_000)])
def test_it_always_fits(rows: int, details: int) -> None:
    text = markdown(a_sheet(rows, details))
    assert len(text) <= LIMIT
    assert text.splitlines()[-1].startswith("<sub>plan sha256:")


def test_details_are_cut_before_the_table() -> None:
    text = markdown(a_sheet(300, 100_000))
    assert text.count("| ➕ |") == 300
    assert re.search(r"\n- … and \d+ more\n</details>", text)
    assert len(text) > LIMIT - 200


def test_a_table_that_does_not_fit_says_how_much_is_missing() -> None:
    text = markdown(a_sheet(5_000, 5))
    shown = text.count("| ➕ |")
    assert f"| | | … and {5_000 - shown} more | |" in text
    assert "<details>" not in text


def test_names_behind_a_row_are_escaped_too() -> None:
    row = Row(sign="change", subject="12 packages", words=("x",), names=("a", "b"))
    assert "| ✏️ | 12 packages | x |  |" in markdown(Sheet(name="", base="", head="", rows=(row,), digest=""))
