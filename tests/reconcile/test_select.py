"""The order of evaluation, and that nothing is left out without a reason."""

from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.model.declaration import Pin
from gitopsreg.model.pattern import Pattern
from gitopsreg.model.version import Version
from gitopsreg.reconcile.select import newest, pin_mismatch, select
from tests.builders import block, commit_of, found, rules


def versions(*texts: str) -> list[Version]:
    return [Version.parse(text) for text in texts]


def admitted(selection_rules: object, *texts: str) -> list[str]:
    return [v.text for v in select(selection_rules, versions(*texts)).admitted]  # type: ignore[arg-type]


def test_without_rules_every_release_is_admitted_oldest_first() -> None:
    assert admitted(rules(), "1.10.0", "1.9.0", "2.0.0") == ["1.9.0", "1.10.0", "2.0.0"]


def test_constraint_include_and_exclude_all_hold() -> None:
    chosen = rules(">= 1.0.0, < 3.0.0", include=(Pattern.parse(r"^[12]\."),), exclude=(Pattern.parse(r"^1\.3\."),))
    assert admitted(chosen, "0.9.0", "1.2.0", "1.3.1", "2.0.0", "3.0.0") == ["1.2.0", "2.0.0"]


def test_prereleases_are_left_out_unless_asked_for_or_named() -> None:
    assert admitted(rules(), "1.0.0", "1.1.0-rc.1") == ["1.0.0"]
    assert admitted(rules(prereleases=True), "1.0.0", "1.1.0-rc.1") == ["1.0.0", "1.1.0-rc.1"]
    assert admitted(rules("1.1.0-rc.1"), "1.0.0", "1.1.0-rc.1") == ["1.1.0-rc.1"]
    named = rules(pins=(Pin(version=Version.parse("1.1.0-rc.1")),))
    assert admitted(named, "1.0.0", "1.1.0-rc.1") == ["1.0.0", "1.1.0-rc.1"]


def test_blocked_versions_are_not_admitted() -> None:
    assert admitted(rules(blocked=(block("1.3.0"),)), "1.2.0", "1.3.0") == ["1.2.0"]


def test_the_newest_are_the_newest_by_precedence() -> None:
    some = versions("1.9.0", "1.10.0", "1.2.0")
    assert [v.text for v in newest(rules(keep_latest=2), some)] == ["1.9.0", "1.10.0"]
    assert [v.text for v in newest(rules(), some)] == ["1.2.0", "1.9.0", "1.10.0"]


def test_each_left_out_version_says_why() -> None:
    chosen = rules(">= 1.0.0", exclude=(Pattern.parse("^1\\.3"),), blocked=(block("1.4.0"),))
    reasons = {item.ref: item.reason for item in select(chosen, versions("0.1.0", "1.3.0", "1.4.0", "1.5.0")).left_out}
    assert reasons == {
        "0.1.0": 'outside the constraint ">= 1.0.0"',
        "1.3.0": 'excluded by "^1\\.3"',
        "1.4.0": "blocked: leaked credential",
    }


def test_a_pin_on_another_commit_is_a_mismatch() -> None:
    pinned = rules(pins=(Pin(version=Version.parse("1.0.0"), commit="f" * 40),))
    message = pin_mismatch(pinned, found("1.0.0"))
    assert message is not None
    assert commit_of("1.0.0") in message
    assert "f" * 40 in message
    assert pin_mismatch(pinned, found("1.0.0", commit="f" * 40)) is None
    assert pin_mismatch(pinned, found("2.0.0")) is None


SOME_VERSIONS = st.sets(
    st.builds("{}.{}.{}{}".format, *[st.integers(0, 3)] * 3, st.sampled_from(["", "", "-rc.1"])), max_size=12
)


@given(SOME_VERSIONS, st.sampled_from([None, ">= 1.0.0", "~> 1.2", "!= 2.0.0", "1.*"]), st.booleans())
def test_every_version_is_admitted_or_left_out_with_a_reason(
    texts: set[str], constraint: str | None, prereleases: bool
) -> None:
    selection = select(rules(constraint, prereleases=prereleases), versions(*texts))
    left_out = {item.ref for item in selection.left_out}
    assert {v.text for v in selection.admitted} | left_out == texts
    assert not {v.text for v in selection.admitted} & left_out
    assert list(selection.admitted) == sorted(selection.admitted)
