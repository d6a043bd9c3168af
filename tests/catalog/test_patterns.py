import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.patterns import check_pattern
from gitopsreg.errors import InvalidName


@pytest.mark.parametrize(
    "text",
    [
        "", "^1\\.3\\.", r"^[0-9]+\.[0-9]+\.[0-9]+$", "-(?:rc|beta)\\.[0-9]+$", r"^v?\d+", "a?b?c?", "(?=1)(?!2)",
        "(?P<major>[0-9]+)", "[]]", "[^]a]", "x{2,3}", "a{", "{}", "(a+)?", "^1.*-.*$", r"\.\*\+", "[a-z]{3}",
        "-rc\\.?[0-9]*",
    ],
)  # fmt: skip
def test_what_people_write_is_taken(text: str) -> None:
    check_pattern(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(a+)+", "no repeats or alternatives inside a repeat"),
        ("(a*)*b", "no repeats or alternatives inside a repeat"),
        ("(?:a{2,})+", "no repeats or alternatives inside a repeat"),
        ("((a+)b)*", "no repeats or alternatives inside a repeat"),
        ("(a|a)*b", "no repeats or alternatives inside a repeat"),
        ("(a?){50}", "no repeats or alternatives inside a repeat"),
        ("((a|b))+", "no repeats or alternatives inside a repeat"),
        (".*.*.*x", "at most 6 open repeats, 2 of them over anything"),
        ("a*b*c*d*e*f*g*", "at most 6 open repeats"),
        (r"(a)\1", "no back references"),
        ("(?P<a>x)(?P=a)", "can't be read"),
        ("(?x) a", "can't be read"),
        ("(?<=a)b", "can't be read"),
        ("(?#x)", "can't be read"),
        ("a)", "too many"),
        ("(a", "missing \\), unterminated subpattern"),
        ("[a", "can't be read"),
        ("[[a]", "can't be read"),
        ("[a--b]", "put a backslash"),
        ("*a", "nothing to repeat"),
        ("a**", "multiple repeat"),
        ("a\\", "can't be read"),
        ("[z-a]", "bad character range"),
        ("a{99999999999}", "is not a regular expression"),
        ("x" * 201, "the regular expression has 201 characters: write at most 200"),
    ],
)
def test_what_could_be_slow_or_is_wrong_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidName, match=why):
        check_pattern(text)


@given(st.text(alphabet="ab.*+?(){}[]|\\^$0-9,:=!P<>", max_size=30))
def test_what_is_taken_compiles_quietly(text: str) -> None:
    try:
        check_pattern(text)
    except InvalidName:
        return
    re.compile(text)
