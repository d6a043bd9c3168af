from typing import get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gitopsreg.errors import InvalidName
from gitopsreg.model.constraint import Constraint, Reading
from gitopsreg.model.version import Version
from tests.model.strategies import LARGEST_PART, release_texts, versions

READINGS: tuple[Reading, ...] = get_args(Reading)
LISTED = [
    "0.9.0", "1.0.0", "1.2.0", "1.2.3", "1.3.0-rc.1", "1.3.0", "1.4.0-rc.1", "1.9.0", "2.0.0-rc.1", "2.0.0+build.5",
    "2.1.0", "2.1.1-alpha",
]  # fmt: skip

both = pytest.mark.parametrize("reading", READINGS)
readings = st.sampled_from(READINGS)


def admitted(constraint: str, reading: Reading, *, prereleases: bool = False, listed: list[str] = LISTED) -> str:
    parsed = Constraint.parse(constraint, reading)
    return " ".join(text for text in listed if parsed.admits(Version.parse(text), prereleases=prereleases))


@both
@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("1.2.0", "1.2.0"),
        ("=1.2.0", "1.2.0"),
        ("= 1.2", "1.2.0"),
        ("1", "1.0.0"),
        ("> 1.2", "1.2.3 1.3.0 1.9.0 2.0.0+build.5 2.1.0"),
        (">= 1.2.3", "1.2.3 1.3.0 1.9.0 2.0.0+build.5 2.1.0"),
        ("<1.2", "0.9.0 1.0.0"),
        ("<= 1.2", "0.9.0 1.0.0 1.2.0"),
        ("<= 2", "0.9.0 1.0.0 1.2.0 1.2.3 1.3.0 1.9.0 2.0.0+build.5"),
        ("~> 1.2", "1.2.0 1.2.3 1.3.0 1.9.0"),
        ("~>1.2.0", "1.2.0 1.2.3"),
        ("~> 1.2.1", "1.2.3"),
        ("!= 1.2.3, ~> 1.2.0", "1.2.0"),
        (">= 1.0, < 2.0.0, != 1.3.0", "1.0.0 1.2.0 1.2.3 1.9.0"),
        (">=1.0,<1.2.3", "1.0.0 1.2.0"),
        (" >= 1.0 ,\t<= 1.2\n", "1.0.0 1.2.0"),
        (">= 01.02.03", "1.2.3 1.3.0 1.9.0 2.0.0+build.5 2.1.0"),
        ("> 2.1", ""),
        (">= 2.0, < 1.0", ""),
        (f">= {LARGEST_PART}", ""),
    ],
)
def test_releases(constraint: str, expected: str, reading: Reading) -> None:
    assert admitted(constraint, reading) == expected


@both
@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("1.*", "1.0.0 1.2.0 1.2.3 1.3.0 1.9.0"),
        ("1.2.*", "1.2.0 1.2.3"),
        ("= 1.2.*", "1.2.0 1.2.3"),
        (" 1.* , != 1.2.3", "1.0.0 1.2.0 1.3.0 1.9.0"),
        ("*", "0.9.0 1.0.0 1.2.0 1.2.3 1.3.0 1.9.0 2.0.0+build.5 2.1.0"),
        ("3.*", ""),
        (f"{LARGEST_PART}.*", ""),
    ],
)
def test_wildcards_mean_the_same_in_both_readings(constraint: str, expected: str, reading: Reading) -> None:
    assert admitted(constraint, reading) == expected


@pytest.mark.parametrize(
    ("constraint", "module", "provider"),
    [
        ("~> 1", "1.0.0 1.2.0 1.2.3 1.3.0 1.9.0 2.0.0+build.5 2.1.0", "1.0.0 1.2.0 1.2.3 1.3.0 1.9.0"),
        ("= 2.0.0", "2.0.0+build.5", ""),
        ("2.0.0+build.5", "2.0.0+build.5", "2.0.0+build.5"),
        ("2.0.0+other", "2.0.0+build.5", ""),
        ("!= 2.0.0, >= 2", "2.1.0", "2.0.0+build.5 2.1.0"),
        ("~> 1.3.0-rc.1", "", "1.3.0"),
        ("1.4.0-rc.1", "1.4.0-rc.1", "1.4.0-rc.1"),
        ("=1.4-rc.1", "1.4.0-rc.1", "1.4.0-rc.1"),
        ("= 1.4.0-rc.1", "", "1.4.0-rc.1"),
        ("1.4.0-rc.1, > 1", "", "1.4.0-rc.1"),
        ("1.4.0-rc.1, < 1.4", "", "1.4.0-rc.1"),
        ("1.4.0-rc.1+b", "", ""),
        (">= 1.4.0-rc.1, <= 1.4.0-rc.1", "", ""),
        (">= 2.0.0-rc.1", "2.0.0+build.5 2.1.0", "2.0.0+build.5 2.1.0"),
    ],
)
def test_where_the_two_readings_differ_or_pre_releases_count(constraint: str, module: str, provider: str) -> None:
    assert admitted(constraint, "module") == module
    assert admitted(constraint, "provider") == provider


@both
@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (">= 1.3", "1.3.0 1.4.0-rc.1 1.9.0 2.0.0-rc.1 2.0.0+build.5 2.1.0 2.1.1-alpha"),
        (">= 1.3, < 2", "1.3.0 1.4.0-rc.1 1.9.0"),
        ("> 1.3, <= 2", "1.4.0-rc.1 1.9.0 2.0.0-rc.1 2.0.0+build.5"),
        ("~> 1.3", "1.3.0 1.4.0-rc.1 1.9.0"),
        ("~> 1.3.0-rc.1", "1.3.0-rc.1 1.3.0"),
        ("> 1.9, < 2.0.0-rc.2", "2.0.0-rc.1"),
        ("1.*, > 1.2.3", "1.3.0-rc.1 1.3.0 1.4.0-rc.1 1.9.0"),
        ("= 1.4.0-rc.1", "1.4.0-rc.1"),
        ("!= 1.4.0, ~> 1.4", "1.9.0"),
        ("*", " ".join(LISTED)),
    ],
)
def test_with_prereleases_everything_counts_by_precedence(constraint: str, expected: str, reading: Reading) -> None:
    assert admitted(constraint, reading, prereleases=True) == expected


@both
@pytest.mark.parametrize(
    ("constraint", "right"),
    [
        ("", '"" is not a version constraint: write one like'),
        (" ", "or leave it out"),
        (">= 1.0,", '">= 1.0," is not a version constraint: a comma stands between two'),
        ("1.0,,2.0", "a comma stands between two"),
        (">= 1.0 < 2.0", "write a comma between two constraints"),
        (">= 1.0, ^1.2", '"^1.2" is not a version constraint: write "~> 1.2" for'),
        ("~1.2", 'write "~> 1.2" for'),
        ("=>1.0", "the operators are = != > >= < <= ~>"),
        ("==1.0", "the operators are"),
        ("> = 1.0", "the operators are"),
        ("!1.0", "the operators are"),
        ("1.0 || 2.0", "alternatives can't be written"),
        ("1.0 - 2.0", "write a range with a comma"),
        ("1.x", 'write a wildcard alone and as the last part, like "1.*"'),
        (">= 1.*", "write a wildcard alone"),
        ("1.2.3.*", "write a wildcard alone"),
        ("1.*.2", "write a wildcard alone"),
        ("1.2.3.4", "a version has three parts at most"),
        ("1.0beta", "after all three parts and a dash"),
        ("1.0.0-01", '"1.0.0-01" is not a version: write MAJOR.MINOR.PATCH'),
        ("1.0.0-", '"1.0.0-" is not a version'),
        (f"<= {LARGEST_PART + 1}", f"no part may exceed {LARGEST_PART}"),
        ("1.2.", 'write one like ">= 1.2.0, < 2.0.0"'),
        ("latest", '"latest" is not a version constraint: write one like'),
        (">=", "write one like"),
        ("1 .0", "write one like"),
        ("1.0\u00a0", "write one like"),
        ("١.0", "write one like"),
        (">= 1.0;< 2", '">= 1.0;< 2" is not a version constraint'),
        (">= 1, " * 200, "write at most 1000 characters"),
        ("9" * 900, "is not a version constraint"),
    ],
)
def test_what_is_no_constraint_is_refused_with_what_would_be_right(
    constraint: str, right: str, reading: Reading
) -> None:
    with pytest.raises(InvalidName) as refused:
        Constraint.parse(constraint, reading)
    assert right in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("constraint", "right"),
    [
        ("v1.2.0", '"v1.2.0" is not a constraint for providers: write it without "v"'),
        (">= 1.0, < v2", '"< v2" is not a constraint for providers: write it without "v"'),
        (">=  1.0", "write one space at most after the operator"),
        (">=\t1.0", "write one space at most after the operator"),
    ],
)
def test_what_only_modules_allow_is_refused_for_providers(constraint: str, right: str) -> None:
    Constraint.parse(constraint, "module")
    with pytest.raises(InvalidName) as refused:
        Constraint.parse(constraint, "provider")
    assert right in str(refused.value)


@pytest.mark.parametrize("constraint", ["0.0.0", ">= 0", "~> 0.0", "< 1", "!= 1.0.0"])
def test_a_provider_is_never_found_at_zero_by_constraint(constraint: str) -> None:
    listed = ["0.0.0"]
    assert admitted(constraint, "module", listed=listed) == "0.0.0"
    assert admitted(constraint, "provider", listed=listed) == ""
    assert admitted(constraint, "provider", prereleases=True, listed=listed) == "0.0.0"
    assert admitted("*", "provider", listed=listed) == "0.0.0"


@pytest.mark.parametrize("constraint", ["v{}", "=v{}", "=  {}", "= \tv{}"])
def test_a_module_may_be_written_with_v_and_white_space(constraint: str) -> None:
    assert admitted(constraint.format("1.2.0"), "module") == "1.2.0"
    # Terraform does not take these for naming a pre-release.
    assert admitted(constraint.format("1.4.0-rc.1"), "module") == ""


def test_a_constraint_is_its_text_and_reading() -> None:
    assert Constraint.parse("~> 1.2") == Constraint.parse("~> 1.2", "module")
    assert Constraint.parse("~> 1.2", "provider") != Constraint.parse("~> 1.2", "module")
    assert Constraint.parse(" ~> 1.2").text == " ~> 1.2"


def admits(constraint: str, version: Version, reading: Reading, *, prereleases: bool = True) -> bool:
    return Constraint.parse(constraint, reading).admits(version, prereleases=prereleases)


@given(versions, versions, readings)
def test_operators_follow_precedence(bound: Version, version: Version, reading: Reading) -> None:
    below, above = version.precedence < bound.precedence, version.precedence > bound.precedence
    kept_out = version.is_prerelease and not bound.is_prerelease and version.release == bound.release
    assert admits(f"< {bound}", version, reading) == (below and not kept_out)
    assert admits(f"> {bound}", version, reading) == above
    assert admits(f">= {bound}", version, reading) == (not below)
    assert admits(f"<= {bound}", version, reading) == (not above)
    assert admits(f"= {bound}", version, reading) != admits(f"!= {bound}", version, reading)


@given(versions, readings)
def test_a_version_satisfies_itself(version: Version, reading: Reading) -> None:
    assert all(admits(op + version.text, version, reading) for op in ("", "=", ">=", "<=", "~>"))
    assert not any(admits(op + version.text, version, reading) for op in ("!=", ">", "<"))
    assert admits(version.text, version, reading, prereleases=False) != (
        version.text == "0.0.0" and reading != "module"
    )


@given(st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~>"]), versions, versions, versions, readings)
def test_a_list_admits_what_all_of_its_pieces_admit(
    op: str, left: Version, right: Version, version: Version, reading: Reading
) -> None:
    pieces = (f">= {left}", f"{op}{right}")
    assert admits(", ".join(pieces), version, reading) == all(admits(piece, version, reading) for piece in pieces)
    assert admits(", ".join(pieces), version, reading) == admits(",".join(reversed(pieces)), version, reading)


@given(versions, versions, readings)
def test_a_wildcard_is_a_range(bound: Version, version: Version, reading: Reading) -> None:
    major, minor, _ = bound.release
    assume(major < LARGEST_PART and minor < LARGEST_PART)
    for prereleases in (False, True):
        for wildcard, written in (
            (f"{major}.*", f">= {major}, < {major + 1}"),
            (f"{major}.{minor}.*", f">= {major}.{minor}, < {major}.{minor + 1}"),
            (f"{major}.{minor}.*", f"~> {major}.{minor}.0"),
        ):
            expected = admits(written, version, reading, prereleases=prereleases)
            assert admits(wildcard, version, reading, prereleases=prereleases) == expected


@given(st.sampled_from(["", "=", "!=", "<", "<=", ">", ">=", "~>"]), versions, versions, readings)
def test_prereleases_only_add(op: str, bound: Version, version: Version, reading: Reading) -> None:
    if admits(op + bound.text, version, reading, prereleases=False):
        assert admits(op + bound.text, version, reading, prereleases=True)


@given(st.sampled_from(["!=", "<", "<=", ">", ">=", "~>"]), release_texts, versions, readings)
def test_a_pre_release_is_admitted_only_by_name(op: str, bound: str, version: Version, reading: Reading) -> None:
    assume(version.is_prerelease)
    assert not admits(op + bound, version, reading, prereleases=False)
    assert not admits(op + version.text, version, reading, prereleases=False)


@given(st.text("0123456789.*xv<>=!~^-+ ,|a", max_size=12), readings)
def test_any_text_is_parsed_or_refused(text: str, reading: Reading) -> None:
    try:
        constraint = Constraint.parse(text, reading)
    except InvalidName:
        return
    assert constraint.text == text
    assert isinstance(constraint.admits(Version.parse("1.0.0")), bool)
