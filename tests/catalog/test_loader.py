import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.loader import MAX_BYTES, Document, Parsed, parse
from gitopsreg.catalog.problem import Span
from gitopsreg.catalog.written import Written
from tests.catalog.catalogs import WHOLE


def document(text: str) -> Document:
    parsed = parse(text.encode())
    assert parsed.document is not None
    assert parsed.problems == ()
    return parsed.document


def rules(parsed: Parsed) -> list[str]:
    return [problem.rule for problem in parsed.problems]


def test_plain_values_come_out() -> None:
    read = document("a: [1, 1.5, true, null, \"yes\", '1.10']\nb:\n  c: |\n    x\n    y\n")
    assert read.value == {"a": [1, 1.5, True, None, "yes", "1.10"], "b": {"c": "x\ny\n"}}


def test_keys_and_values_know_their_place() -> None:
    read = document("a:\n  - b: 1.10\n    c/d: é\n")
    places = read.places()
    assert places["/a/0/b"] == (Span(2, 5, 2, 6), Span(2, 8, 2, 12))
    assert places["/a/0/c~1d"] == (Span(3, 5, 3, 8), Span(3, 10, 3, 11))
    assert places["/a/0"][0] is None
    assert Written(read).raw("/a/0/b") == "1.10"


def test_a_byte_order_mark_is_tolerated() -> None:
    parsed = parse(b"\xef\xbb\xbfa: 1\n")
    assert parsed.problems == ()
    assert parsed.document is not None
    assert parsed.document.places()["/a"][0] == Span(1, 1, 1, 2)


@pytest.mark.parametrize(
    ("data", "rule", "line", "column"),
    [
        (b"a: \xe9\n", "GR002", 1, 4),
        (b"\xff\xfea\x00", "GR002", 1, 1),
        (b"a: b\nc: \x00\n", "GR002", 2, 4),
        (b"a: \x1b[31m\n", "GR002", 1, 4),
        (b"a: b\n\xef\xbb\xbfc: d\n", "GR002", 2, 1),
        (b"a: [1\n", "GR001", 2, 1),
        (b"a: 1\n  b: 2\n", "GR001", 2, 4),
        (b"a: 1\n--- \nb: 2\n", "GR005", 2, 1),
        (b"a: &x 1\n", "GR003", 1, 4),
        (b"&x a: 1\n", "GR003", 1, 1),
        (b"a: 1\na: 2\n", "GR004", 2, 1),
        (b"a: !!set {}\n", "GR006", 1, 4),
        (b"a: !!python/name:os.system x\n", "GR006", 1, 4),
        (b"a: !custom {}\n", "GR006", 1, 4),
        (b"a: !!int x\n", "GR006", 1, 4),
        (b"a: !!map []\n", "GR006", 1, 4),
        (b"on: x\n", "GR009", 1, 1),
        (b"? [a]\n: b\n", "GR009", 1, 3),
        (b"<<: {a: 1}\n", "GR010", 1, 1),
    ],
)
def test_what_is_refused_and_where(data: bytes, rule: str, line: int, column: int) -> None:
    problems = parse(data).problems
    assert [problem.rule for problem in problems] == [rule]
    assert problems[0].span is not None
    assert (problems[0].span.line, problems[0].span.column) == (line, column)


@pytest.mark.parametrize("text", ["!!str 1.10", "! 1.10", '"1.10"', "'1.10'"])
def test_a_string_can_be_forced(text: str) -> None:
    assert document(f"a: {text}\n").value == {"a": "1.10"}


@pytest.mark.parametrize("text", ['"<<": 1\n', "a: <<\n", "!!map {a: !!seq [!!int 1, !!bool true, !!null ~]}\n"])
def test_what_only_looks_refused(text: str) -> None:
    document(text)


@pytest.mark.parametrize("data", [b"", b"# only words\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    assert rules(parse(data)) == ["GR011"]


def test_problems_that_can_be_passed_are_all_told() -> None:
    parsed = parse(b"a: &x 1\nb: *x\na: 2\nc: !t 3\n")
    assert rules(parsed) == ["GR003", "GR003", "GR004", "GR006"]
    assert parsed.document is not None


def test_of_a_repeated_key_the_first_value_stays() -> None:
    parsed = parse(b"a: 1\na: 2\n")
    assert parsed.document is not None
    assert parsed.document.value == {"a": 1}


def test_size_is_limited() -> None:
    right = b"a: " + b"x" * (MAX_BYTES - 4) + b"\n"
    assert rules(parse(right)) == []
    assert rules(parse(right + b"\n")) == ["GR007"]


def test_depth_is_limited() -> None:
    assert rules(parse(b"[" * 32 + b"]" * 32)) == []
    assert rules(parse(b"[" * 33 + b"]" * 33)) == ["GR008"]


@pytest.mark.parametrize(
    "piece", [b"[", b"{a: ", b"- ", b"? ", b"&a ", b"a: {", b"!!x ", b"'", b'"', b"|\n", b"%", b"#"]
)
def test_a_file_full_of_one_thing_is_answered(piece: bytes) -> None:
    assert parse((piece * MAX_BYTES)[: MAX_BYTES - 1]).problems


def test_problems_are_not_told_without_end() -> None:
    assert len(parse(b"".join(b"- &a%d x\n" % number for number in range(10_000))).problems) == 100


@given(st.binary(max_size=400))
def test_any_bytes_give_a_document_or_problems(data: bytes) -> None:
    parsed = parse(data)
    assert parsed.document is not None or parsed.problems


@given(st.text(alphabet="ab:-?[]{}&*!|>'\"%@`#,\n \t~<01.é\u2028", max_size=80))
def test_anything_like_yaml_gives_a_document_or_problems(text: str) -> None:
    parsed = parse(text.encode())
    assert parsed.document is not None or parsed.problems
    if parsed.document is not None:
        written = Written(parsed.document)
        for pointer in written.places:
            written.raw(pointer)


@given(st.sampled_from(sorted(WHOLE.values())), st.randoms(use_true_random=False))
def test_any_damaged_document_is_answered(text: str, chance: random.Random) -> None:
    data = bytearray(text.encode())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        data[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    parsed = parse(bytes(data))
    assert parsed.document is not None or parsed.problems
