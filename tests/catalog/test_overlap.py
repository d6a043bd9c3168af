import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.discovery import DiscoveryFacts
from gitopsreg.catalog.overlap import overlapping

ONE = DiscoveryFacts(
    connection="github-acme",
    scope="organization",
    place="acme",
    kinds=("Module",),
    pattern="^terraform-(?P<system>[a-z]+)-(?P<name>[a-z]+)$",
)
GROUP = replace(ONE, scope="group", place="acme/platform")
REGISTRY = DiscoveryFacts(scope="registry", place="upstream", namespaces=("a", "b"), kinds=("Module", "Provider"))


def overlap(one: DiscoveryFacts, other: DiscoveryFacts, namespaces: tuple[str, str] = ("platform", "platform")) -> bool:
    found = list(overlapping(list(zip(namespaces, (one, other), strict=True))))
    assert found in ([], [(1, 0)])
    return bool(found)


@pytest.mark.parametrize(
    "other",
    [
        ONE,
        replace(ONE, pattern="^terraform-aws-(?P<name>[a-z]+)$"),
        replace(ONE, pattern="(?P<name>[a-z]+)"),
        replace(ONE, pattern="^(?:module|terraform)-(?P<name>[a-z]+)$"),
        replace(ONE, pattern="^terraform-m?(?P<name>[a-z]+)$"),
        replace(ONE, place="ACME"),
        replace(ONE, visibility=("private",)),
        replace(ONE, kinds=("Module", "Provider")),
    ],
)
def test_these_may_find_the_same(other: DiscoveryFacts) -> None:
    assert overlap(ONE, other)
    assert overlap(other, ONE)


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, pattern="^module-(?P<system>[a-z]+)-(?P<name>[a-z]+)$"),
        replace(ONE, kinds=("Provider",)),
        replace(ONE, place="other"),
        replace(ONE, connection="github-other"),
        replace(ONE, scope="project"),
        DiscoveryFacts(),
    ],
)
def test_these_can_t(other: DiscoveryFacts) -> None:
    assert not overlap(ONE, other)


def test_what_ends_differently_or_is_seen_differently_is_apart() -> None:
    assert not overlap(
        replace(ONE, pattern="^(?P<name>[a-z]+)-aws$"), replace(ONE, pattern="^(?P<name>[a-z]+)-google$")
    )
    assert overlap(replace(ONE, pattern=r"^(?P<name>[a-z]+)\d$"), replace(ONE, pattern=r"^(?P<name>[a-z]+)\w$"))
    assert not overlap(replace(ONE, visibility=("private",)), replace(ONE, visibility=("public", "internal")))


def test_another_namespace_may_find_the_same_under_its_own_name() -> None:
    assert not overlap(ONE, ONE, ("platform", "network"))


def test_a_group_is_looked_at_with_its_sub_groups() -> None:
    assert overlap(GROUP, replace(GROUP, place="acme"))
    assert overlap(GROUP, replace(GROUP, place="acme/platform/modules/"))
    assert not overlap(GROUP, replace(GROUP, place="acme/plat"))


def test_registries_overlap_where_their_namespaces_do() -> None:
    assert overlap(REGISTRY, replace(REGISTRY, namespaces=("b", "c")))
    assert not overlap(REGISTRY, replace(REGISTRY, namespaces=("c",)))
    assert not overlap(REGISTRY, replace(REGISTRY, place="other"))
    assert not overlap(replace(REGISTRY, kinds=("Module",)), replace(REGISTRY, kinds=("Provider",)))


def test_each_is_told_once_however_many_there_are() -> None:
    many = [("platform", ONE)] * 2000
    assert list(overlapping(many)) == [(number, max(0, number - 100)) for number in range(1, 2000)]


WORDS = st.text("ab-", max_size=4)
PATTERNS = st.builds(
    lambda begin, middle, end, anchors: f"{anchors[0] * '^'}{begin}{middle}{end}{anchors[1] * '$'}",
    WORDS,
    st.sampled_from(["", "[ab]+", "a?", "b*", "(?P<name>[ab-]+)", "a{0,2}", "a|b", r"\w", "."]),
    WORDS,
    st.tuples(st.booleans(), st.booleans()),
)


@given(PATTERNS, PATTERNS, st.lists(st.text("ab-", max_size=8), max_size=30))
def test_law_two_patterns_that_match_one_name_overlap(one: str, other: str, names: list[str]) -> None:
    agree = any(re.search(one, name) and re.search(other, name) for name in names)
    assert not agree or overlap(replace(ONE, pattern=one), replace(ONE, pattern=other))
