from itertools import pairwise

import pytest
import semantic_version
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import InvalidName
from gitopsreg.model.version import Version
from tests.model.strategies import version_texts, versions

# Ranked as semver.org does (its section 11), each lower than the next.
RANKED = [
    "0.0.0-0",
    "0.0.0",
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0--",
    "1.0.0-1a",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "1.10.0",
    "2.0.0",
    "10.0.0",
]


@given(version_texts)
def test_what_is_parsed_is_what_was_written(text: str) -> None:
    assert str(Version.parse(text)) == text
    assert Version.parse(str(Version.parse(text))) == Version.parse(text)


def test_the_parts_of_a_version() -> None:
    version = Version.parse("1.22.333-rc.1+build.5")
    assert version.release == (1, 22, 333)
    assert version.is_prerelease
    assert version.without_build == "1.22.333-rc.1"
    assert not Version.parse("1.0.0+rc-1").is_prerelease


def test_versions_rank_as_semver_says() -> None:
    ranked = [Version.parse(text) for text in RANKED]
    assert sorted([*ranked[7:], *ranked[:7]]) == ranked
    for lower, higher in pairwise(ranked):
        assert lower < higher
        assert lower.precedence < higher.precedence


@given(versions, versions)
def test_precedence_agrees_with_the_library(left: Version, right: Version) -> None:
    ours = (left.precedence > right.precedence) - (left.precedence < right.precedence)
    theirs = semantic_version.compare(left.without_build, right.without_build)
    assert ours == theirs


@given(versions, versions, versions)
def test_the_order_is_total_and_precedence_a_preorder(a: Version, b: Version, c: Version) -> None:
    assert (a < b) + (a == b) + (b < a) == 1
    assert not (a < b < c) or a < c
    assert a.precedence <= b.precedence or b.precedence <= a.precedence
    if a.precedence < b.precedence:
        assert a < b


@given(versions, st.lists(versions, max_size=8))
def test_sorting_does_not_depend_on_where_it_started(first: Version, others: list[Version]) -> None:
    everything = [first, *others]
    assert sorted(everything) == sorted([*others, first])
    assert max(everything).precedence == max(version.precedence for version in everything)


def test_build_metadata_ties_in_precedence_and_is_another_version_all_the_same() -> None:
    plain, five, six = (Version.parse(text) for text in ("1.0.0", "1.0.0+5", "1.0.0+6"))
    assert plain.precedence == five.precedence == six.precedence
    assert plain < five < six
    assert len({plain, five, six, Version.parse("1.0.0+5")}) == 3
    assert plain.without_build == five.without_build == six.without_build


def test_a_version_equals_only_versions() -> None:
    text: object = "1.0.0"
    assert Version.parse("1.0.0") != text


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("v1.2.0", 'write it bare, "1.2.0"'),
        ("V1.2.0-rc.1", 'write it bare, "1.2.0-rc.1"'),
        (" 1.2.0", 'write it bare, "1.2.0"'),
        ("1.2.0\n", 'write it bare, "1.2.0"'),
        ("1.2", 'write all three parts, "1.2.0"'),
        ("1", 'write all three parts, "1.0.0"'),
        ("v1.2-rc.1+b", 'write all three parts, "1.2.0-rc.1+b"'),
        ("", "write MAJOR.MINOR.PATCH"),
        ("1.2.x", "write MAJOR.MINOR.PATCH"),
        ("1.2.3.4", "write MAJOR.MINOR.PATCH"),
        ("01.2.3", "without leading zeros"),
        ("1.2.3-01", "without leading zeros"),
        ("1.2.3-", "write MAJOR.MINOR.PATCH"),
        ("1.2.3+", "write MAJOR.MINOR.PATCH"),
        ("1.2.3-a..b", "write MAJOR.MINOR.PATCH"),
        ("1.2.3-a_b", "write MAJOR.MINOR.PATCH"),
        ("1.٢.3", "write MAJOR.MINOR.PATCH"),
        ("../1.2.3", "write MAJOR.MINOR.PATCH"),
        ("1.2.3/../x", "write MAJOR.MINOR.PATCH"),
        ("1.2.3+" + "a" * 123, "at most 128 characters"),
    ],
)
def test_what_is_no_version_is_refused_with_what_would_be_right(text: str, right: str) -> None:
    with pytest.raises(InvalidName) as refused:
        Version.parse(text)
    message = str(refused.value)
    assert right in message
    assert message.startswith('"')
    assert "\n" not in message


@given(st.text(max_size=12))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        version = Version.parse(text)
    except InvalidName:
        return
    assert version.text == text
    assert text.isascii()


@pytest.mark.parametrize("text", ["{}.0.0", "0.{}.0", "0.0.{}"])
def test_the_largest_part_is_what_clients_can_read(text: str) -> None:
    assert Version.parse(text.format(2**63 - 1)).text == text.format(2**63 - 1)
    with pytest.raises(InvalidName, match="no part may exceed 9223372036854775807"):
        Version.parse(text.format(2**63))


@pytest.mark.pitfall(23)
@given(version_texts)
def test_pitfall_23_a_version_is_listed_as_clients_ask_for_it(text: str) -> None:
    # Clients strip a "v" and fill short versions before they ask for /VERSION/download.
    assert not Version.parse(text).text.startswith("v")
    with pytest.raises(InvalidName):
        Version.parse(f"v{text}")


@pytest.mark.pitfall(35)
def test_pitfall_35_a_version_with_v_is_refused() -> None:
    with pytest.raises(InvalidName, match=r'"v2\.0\.0" is not a version: write it bare, "2\.0\.0"'):
        Version.parse("v2.0.0")
