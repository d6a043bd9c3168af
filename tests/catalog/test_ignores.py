import pytest

from gitopsreg.catalog.ignores import read_ignores
from gitopsreg.catalog.load import Loaded, load
from tests.catalog.catalogs import AT_MODULE, AT_NAMESPACE, MODULE, NAMESPACE, a_catalog, a_module

BLOCKED = 'blocked: [{version: "1.0.0", reason: broken}]'


def loaded(text: str) -> Loaded:
    return load(a_catalog({AT_NAMESPACE: NAMESPACE, AT_MODULE: text}))


def pinned_and_blocked(above: str = "", behind: str = "") -> Loaded:
    return loaded(a_module(f'versions:\n{above}  pins: [{{version: "1.0.0"}}]{behind}\n  {BLOCKED}'))


def rules(loaded: Loaded) -> list[str]:
    return [finding.rule for finding in loaded.findings]


def test_without_a_comment_it_is_told() -> None:
    assert rules(pinned_and_blocked()) == ["GR404"]


@pytest.mark.parametrize(
    ("above", "behind"),
    [
        ("", " # gitopsreg: ignore[GR404] for the record"),
        ("  # gitopsreg: ignore[GR404] for the record\n", ""),
        ("  # gitopsreg:ignore [ GR404 ]: for the record\n", ""),
        ("  # gitopsreg: ignore[GR404] for the record\n  # more words\n", ""),
        ("", " # see the wiki # gitopsreg: ignore[GR404] for the record"),
    ],
)
def test_a_comment_silences_the_line_that_it_speaks_of(above: str, behind: str) -> None:
    found = pinned_and_blocked(above, behind)
    assert rules(found) == []
    assert [(one.rule, one.suppressed) for one in found.suppressed] == [("GR404", "for the record")]


@pytest.mark.parametrize(
    "above",
    ["  # gitopsreg: ignore[GR404] too far away\n  keepLatest: 3\n", "  include: [] # gitopsreg: ignore[GR404] x\n"],
)
def test_a_comment_speaks_of_no_other_line(above: str) -> None:
    assert sorted(rules(pinned_and_blocked(above))) == ["GR113", "GR404"]


def test_several_rules_in_one_comment_and_several_comments_above_one_line() -> None:
    above = "  # gitopsreg: ignore[GR404, GR412] for the record\n"
    assert rules(pinned_and_blocked(above)) == ["GR113"]
    above = "  # gitopsreg: ignore[GR403] one\n  # gitopsreg: ignore[GR404] two\n"
    assert [one.suppressed for one in pinned_and_blocked(above).suppressed] == ["two"]


def test_what_only_looks_like_a_comment_silences_nothing() -> None:
    text = a_module(
        f'description: "# gitopsreg: ignore[GR404] x"\nversions: {{pins: [{{version: "1.0.0"}}], {BLOCKED}}}'
    )
    assert rules(loaded(text)) == ["GR404"]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("ignore[GR404]", "the comment lacks a reason"),
        ("ignore[GR404] -- ", "the comment lacks a reason"),
        ("ignore[] because", "the comment lacks a rule"),
        ("ignore[GR4004] because", 'there is no rule "GR4004"'),
        ("ignore GR404 because", "the comment can't be read"),
        ("disable[GR404] because", "the comment can't be read"),
    ],
)
def test_a_comment_that_is_not_whole_silences_nothing(comment: str, message: str) -> None:
    found = pinned_and_blocked(behind=f" # gitopsreg: {comment}")
    assert sorted(rules(found)) == ["GR111", "GR404"]
    assert message in [finding.message for finding in found.findings]
    assert found.suppressed == ()


def test_a_comment_that_is_not_whole_stops_nothing_that_is_published() -> None:
    found = loaded(MODULE + "# gitopsreg: ignore[GR9999] a rule of a later release\n")
    assert rules(found) == ["GR111"]
    assert [str(one.address) for one in found.catalog.packages] == ["module:platform/vpc/aws"]


def test_security_is_never_silenced() -> None:
    text = a_module("description: ghp_00000000EXAMPLE # gitopsreg: ignore[GR501] only a test")
    assert rules(loaded(text)) == ["GR501", "GR112"]


def test_a_comment_that_silences_nothing_is_told() -> None:
    found = loaded(MODULE + "  suspend: true # gitopsreg: ignore[GR413] slow host\n")
    assert [(one.rule, one.line, one.message) for one in found.findings] == [("GR113", 7, "nothing here breaks GR413")]


@pytest.mark.parametrize("rule", ["GR607", "GR701"])
def test_what_upstreams_and_changes_say_is_not_known_here(rule: str) -> None:
    assert rules(loaded(MODULE + f"  suspend: true # gitopsreg: ignore[{rule}] known\n")) == []


def test_silence_does_not_mend() -> None:
    found = loaded(a_module('versions:\n  constraint: "=> 1.0" # gitopsreg: ignore[GR401] until the migration ends'))
    assert rules(found) == []
    assert found.catalog.packages == ()
    assert [one.reason for one in found.catalog.invalid] == ["InvalidSpec"]


def test_reasons_repeat_no_secret_and_nothing_a_terminal_would_act_on() -> None:
    found = pinned_and_blocked(behind=" # gitopsreg: ignore[GR404] \u200fghp_00000000EXAMPLE")
    assert "EXAMPLE" not in found.suppressed[0].suppressed
    assert found.suppressed[0].suppressed.isprintable()


def test_so_many_comments_and_no_more() -> None:
    text = "".join(f"# gitopsreg: ignore[GR404] {number}\n" for number in range(1000))
    assert len(read_ignores(text).ignores) == 200
