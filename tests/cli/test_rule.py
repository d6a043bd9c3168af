import pytest

from gitopsreg.catalog.rules import RULES
from tests.cli.shell import gitopsreg


@pytest.mark.parametrize("number", ["GR401", "gr401", "401"])
def test_a_page(number: str) -> None:
    done = gitopsreg("rule", number)
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith("# GR401: constraints can be read\n")
    assert "## How to mend it" in done.stdout


def test_the_list() -> None:
    done = gitopsreg("rule")
    assert done.code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(RULES)


def test_for_programs() -> None:
    (rule,) = gitopsreg("rule", "GR501", "--output", "json").json["rules"]
    assert rule["id"] == "GR501"
    assert rule["canBeIgnored"] is False
    assert rule["page"] == "docs/rules/GR501.md"
    assert len(gitopsreg("rule", "--output", "json").json["rules"]) == len(RULES)


def test_a_rule_that_is_not_there() -> None:
    done = gitopsreg("rule", "GR4001")
    assert done.code == 2
    assert 'there is no rule "GR4001"' in done.stderr
    assert "did you mean" in done.stderr
