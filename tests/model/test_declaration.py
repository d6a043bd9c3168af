import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.model.catalog import Guards

COUNTS = st.integers(0, 50)
GUARDS = st.builds(
    Guards, max_removed_packages=COUNTS, max_removed_percent=st.integers(0, 100), allow_empty=st.booleans()
)


@pytest.mark.parametrize(
    ("removed", "published", "declared", "word"),
    [
        (0, 0, 0, ""),
        (0, 3, 3, ""),
        (1, 2, 1, ""),
        (1, 1, 0, "allowEmpty"),
        (2, 20, 18, ""),
        (2, 19, 17, "maxRemovedPercent"),
        (5, 100, 95, ""),
        (6, 100, 94, "maxRemovedPackages"),
    ],
)
def test_built_in_guards(removed: int, published: int, declared: int, word: str) -> None:
    refusal = Guards().refusal(removed=removed, published=published, declared=declared)
    assert word in refusal
    assert bool(word) == bool(refusal)


def test_an_empty_catalog_on_purpose() -> None:
    guards = Guards(allow_empty=True, max_removed_packages=9, max_removed_percent=100)
    assert guards.refusal(removed=3, published=3, declared=0) == ""


@given(GUARDS, GUARDS, COUNTS, COUNTS, COUNTS)
def test_what_looser_guards_refuse_the_others_refuse_too(
    one: Guards, other: Guards, removed: int, kept: int, declared: int
) -> None:
    """Unless they are looser they let nothing through that the others hold back."""
    counts = {"removed": removed, "published": removed + kept, "declared": declared}
    if other.refusal(**counts) and not one.refusal(**counts):
        assert one.is_looser_than(other)


def test_no_guards_are_looser_than_themselves() -> None:
    assert not Guards().is_looser_than(Guards())
