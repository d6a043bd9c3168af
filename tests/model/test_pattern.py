"""Patterns: what Python's `re` finds, in a number of steps that is known before."""

import dataclasses
import re
import warnings
from typing import Any, ClassVar

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gitopsreg.errors import InvalidName
from gitopsreg.model.pattern import Pattern
from gitopsreg.model.pattern_program import MOST_STEPS, Fork, Look, Take

LONGEST_VERSION = 128

letters = st.sampled_from(["a", "b", "0", "-", ".", " "])
atoms = st.sampled_from(
    [
        "a", "b", "0", "-", r"\.", ".", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", "[ab]", "[^a]", "[a-c0-9]", r"[\d.-]",
        "[]a]", "[^]a]", r"[^\W0]", r"[\-\]]", "{", "}", "a{", "^", "$", r"\b", r"\B", r"\A", r"\Z", "", "(?:)", "()",
    ]
)  # fmt: skip
repeats = st.sampled_from(["*", "+", "?", "*?", "+?", "??", "{2}", "{0}", "{1,}", "{,2}", "{,}", "{0,3}", "{2,3}?"])
groups = st.sampled_from(["({})", "(?:{})"])


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    wrapped = st.builds(lambda group, text: group.replace("{}", text), groups, inner)
    return st.one_of(
        st.builds(lambda text, repeat: text + repeat, wrapped, repeats),
        st.builds(lambda text, repeat: text + repeat, atoms.filter(lambda atom: atom[-1:] not in "^$bBAZ"), repeats),
        st.lists(inner, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map("|".join),
    )


patterns = st.recursive(atoms, _larger, max_leaves=12)
texts = st.text(letters, max_size=10)


class CountingProgram(tuple[Take | Fork | Look, ...]):
    """A program that knows how often a step of it was looked at."""

    __slots__ = ()
    looks: ClassVar[list[int]] = [0]

    def __getitem__(self, index: Any) -> Any:
        self.looks[0] += 1
        return super().__getitem__(index)


def steps_of(pattern: Pattern, text: str) -> int:
    CountingProgram.looks[0] = 0
    counting = dataclasses.replace(pattern, program=CountingProgram(pattern.program))
    counting.search(text)
    return CountingProgram.looks[0]


def as_python(text: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return re.compile(text, re.ASCII)


def parsed(text: str) -> Pattern:
    try:
        return Pattern.parse(text)
    except InvalidName:
        assume(False)
        raise


@given(patterns, texts)
def test_it_finds_what_the_plain_regular_expression_finds(pattern: str, text: str) -> None:
    # Python before 3.14 holds that no text has no edge of a word.
    assume(text or r"\B" not in pattern)
    assert parsed(pattern).search(text) == bool(as_python(pattern).search(text))


@given(st.text(alphabet="ab.*+?(){}[]|\\^$0-9,:=!P<>dwSbZ", max_size=30), texts)
def test_what_is_taken_is_legal_and_means_the_same(pattern: str, text: str) -> None:
    assume(text or r"\B" not in pattern)
    assert parsed(pattern).search(text) == bool(as_python(pattern).search(text))


@given(patterns, st.text(letters, max_size=LONGEST_VERSION))
def test_no_character_costs_more_than_one_visit_to_each_step(pattern: str, text: str) -> None:
    found = parsed(pattern)
    # To visit a step is at most two looks: where does it lead, what does it take.
    assert steps_of(found, text) <= 2 * len(found.program) * (len(text) + 1)
    assert len(found.program) <= MOST_STEPS


@pytest.mark.parametrize(
    "pattern",
    [
        ".?" * 60 + "x", r"\d*" * 6 + "x", "(a+)+$", "(a|a)*b", "(.*)*x", "((a?){20}){10}b", "(a|b|ab)*c", "(?:)*" * 9,
        "^(.?.?.?)*x$", "(" * 20 + "a*" + ")*" * 20,
    ],
)  # fmt: skip
def test_what_would_stop_a_backtracking_matcher_is_quick(pattern: str) -> None:
    version = "100.20.30-rc." + "a1" * 57
    assert steps_of(Pattern.parse(pattern), version) <= 2 * MOST_STEPS * (LONGEST_VERSION + 1)
    assert Pattern.parse(pattern).search("b") == bool(re.search(pattern, "b"))


def test_what_is_remembered_changes_nothing_and_is_bounded() -> None:
    pattern = Pattern.parse("^(?:a|b)*a(?:a|b){9}$")
    texts = [f"{number:012b}".replace("0", "a").replace("1", "b") for number in range(4096)]
    assert [pattern.search(text) for text in texts] == [text[2] == "a" for text in texts]
    assert len(pattern._steps) <= 1000


@pytest.mark.parametrize(
    "text",
    [
        "", "^1\\.3\\.", r"^[0-9]+\.[0-9]+\.[0-9]+$", "-(?:rc|beta)\\.[0-9]+$", r"^v?\d+", "a?b?c?", "[]]", "[^]a]",
        "x{2,3}", "a{", "{}", "(a+)?", "^1.*-.*$", r"\.\*\+", "[a-z]{3}", "-rc\\.?[0-9]*", "^[0-9A-Za-z.-]{1,128}$",
        r"^(?:0|[1-9]\d{0,18})(?:\.(?:0|[1-9]\d{0,18})){2}$", "^1|^2", "(a|b)*", "(?:a+b)+",
    ],
)  # fmt: skip
def test_what_people_write_is_taken(text: str) -> None:
    assert str(Pattern.parse(text)) == text
    assert Pattern.parse(text) == Pattern.parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (r"(a)\1", "no back references"),
        ("(?P<a>x)(?P=a)", r'after "\(\?" only ":" can stand: no look-arounds, flags'),
        ("(?x) a", "no look-arounds, flags"),
        ("(?!1)", "no look-arounds, flags"),
        ("(?<=a)b", "no look-arounds, flags"),
        ("(?#x)", "no look-arounds, flags"),
        ("a)", r'a "\)" too many'),
        ("(a", r'a "\)" is missing'),
        ("[a", "can't be read at position 1"),
        ("[[a]", "can't be read"),
        ("a]", "can't be read at position 2"),
        ("[a--b]", "put a backslash"),
        ("[^]", "an empty set"),
        ("*a", r'nothing to repeat before "\*"'),
        ("(|*)", "nothing to repeat"),
        ("^*", "nothing to repeat"),
        (r"\b+", "nothing to repeat"),
        ("a**", "multiple repeat"),
        ("a*+", "multiple repeat"),
        ("a{3}{4}", "multiple repeat"),
        ("a\\", "can't be read"),
        (r"\k", "means nothing here"),
        (r"[\b]", "means nothing here"),
        ("[z-a]", "bad character range"),
        (r"[a-\d]", "bad character range"),
        ("a{3,2}", "the first number is the greater one"),
        ("ä", "is in no version"),
        ("a{99999999999}", "written out it has more than 500 steps"),
        ("a{0,99999999999}", "written out it has more than 500 steps"),
        ("(a{99}){99}", "written out it has more than 500 steps"),
        ("a{400}b{400}", "written out it has more than 500 steps"),
        ("(" * 21 + ")" * 21, "groups inside groups: at most 20"),
        ("x" * 201, "the regular expression has 201 characters: write at most 200"),
    ],
)
def test_what_is_wrong_or_can_not_be_asked_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidName, match=why):
        Pattern.parse(text)


def test_only_the_very_end_is_the_end() -> None:
    assert not Pattern.parse("a$").search("a\n")
