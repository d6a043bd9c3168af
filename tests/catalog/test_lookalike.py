import pytest

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.load import load
from gitopsreg.catalog.lookalike import foreign_letters, foreign_path, invisible, twins_of
from tests.catalog.catalogs import AT_MODULE, AT_NAMESPACE, MODULE, NAMESPACE, a_catalog


@pytest.mark.parametrize("letter", ["\u202e", "\u2066", "\u200b", "\u00ad", "\u200f", "\U000e0041", "\u2060"])
def test_invisible_characters_are_told_with_their_place(letter: str) -> None:
    (problem,) = invisible(f"a: 1\nb: x{letter}y\n")
    assert problem.rule == "GR510"
    assert problem.span is not None
    assert (problem.span.line, problem.span.column) == (2, 5)


@pytest.mark.parametrize("text", ["plain", "größer", "日本語", "مرحبا", "👩\u200d👩\u200d👧", "a\u200cb"])
def test_text_in_any_script_is_welcome(text: str) -> None:
    assert list(invisible(text)) == []
    assert list(foreign_letters(Cursor({"description": text}))) == []


@pytest.mark.parametrize(
    ("name", "plain"),
    [("plаtform", "platform"), ("ΑWS", "AWS"), ("ｖpc", "vpc"), ("ехample", "example"), ("һashicorp", "hashicorp")],
)
def test_letters_that_look_like_others(name: str, plain: str) -> None:
    (problem,) = foreign_letters(Cursor({"spec": {"owners": [{"name": name}]}}))
    assert problem.pointer == "/spec/owners/0/name"
    assert problem.hint == f'write "{plain}"'
    assert [problem.rule for problem in foreign_path(f"namespaces/{name}/namespace.yaml")] == ["GR508"]


def test_names_without_a_plain_twin_are_no_disguise() -> None:
    assert list(foreign_letters(Cursor({"name": "日本"}))) == []


@pytest.mark.parametrize(
    ("names", "twins"),
    [
        (["platform", "p1atform"], [("p1atform", "platform"), ("platform", "p1atform")]),
        (["modern", "modem"], [("modem", "modern"), ("modern", "modem")]),
        (["net-work", "network"], [("net-work", "network"), ("network", "net-work")]),
        (["hashlcorp"], [("hashlcorp", "hashicorp")]),
        (["hashicorp"], []),
        (["platform", "network"], []),
    ],
)
def test_namespaces_that_look_like_each_other(names: list[str], twins: list[tuple[str, str]]) -> None:
    assert list(twins_of(names)) == twins


def test_findings_are_bounded() -> None:
    text = NAMESPACE + "# " + "\u200b" * 1000 + "\n"
    found = load(a_catalog({AT_NAMESPACE: text, AT_MODULE: MODULE})).findings
    assert [finding.rule for finding in found] == ["GR510"] * 20
