import pytest

from gitopsreg.catalog.nearest import Speller, did_you_mean


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("platfrom", ["network", "platform"], 'did you mean "platform"?'),
        ("keep_latest", ["keepLatest", "pins"], 'did you mean "keepLatest"?'),
        ("colour", ["keepLatest"], ""),
        ("x" * 10_000, ["platform"], ""),
        ("", ["platform"], ""),
    ],
)
def test_the_nearest(word: str, known: list[str], hint: str) -> None:
    assert did_you_mean(word, known) == hint


def test_many_words_cost_no_more_than_some() -> None:
    speller = Speller(comparisons=5)
    known = {"network", "platform"}
    assert [bool(speller.nearest("platfrom", known)) for _ in range(4)] == [True, True, False, False]
    assert speller.nearest("platfrom", {"platform"})
