from pathlib import Path

import pytest

from gitopsreg.catalog.rules import RULES, Rule
from gitopsreg.catalog.rules.generate import pages, write
from tests.catalog.rules import world

TOP = Path(__file__).parents[3]
# They are about files that can't be written down on a page.
WITHOUT_EXAMPLE = {"GR007", "GR012", "GR013", "GR014", "GR107", "GR114"}
SHOWN = [rule for rule in RULES.values() if rule.example is not None]


def test_what_is_in_the_repository_is_what_the_rules_make() -> None:
    made = pages()
    kept = {f"docs/rules/{file.name}": file.read_text(encoding="utf-8") for file in (TOP / "docs/rules").iterdir()}
    assert sorted(kept) == sorted(made), "run make docs"
    assert kept == made, "run make docs"


def test_pages_of_rules_that_are_no_more_are_removed(tmp_path: Path) -> None:
    stale = tmp_path / "docs/rules/GR999.md"
    stale.parent.mkdir(parents=True)
    stale.write_text("old")
    write(tmp_path)
    assert not stale.exists()
    assert (tmp_path / "docs/rules/GR401.md").read_text(encoding="utf-8") == pages()["docs/rules/GR401.md"]


def test_every_rule_explains_itself() -> None:
    assert {rule.id for rule in RULES.values() if rule.example is None} == WITHOUT_EXAMPLE
    assert all(rule.what and rule.fix for rule in RULES.values())


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.id)
def test_the_bad_example_breaks_this_rule_and_no_other(rule: Rule) -> None:
    assert rule.example is not None
    found = {finding.rule for finding in world.findings(rule, rule.example.bad)}
    assert found == {rule.id, *rule.example.also}


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.id)
def test_the_good_example_keeps_it(rule: Rule) -> None:
    assert rule.example is not None
    found = {finding.rule for finding in world.findings(rule, rule.example.good)}
    assert rule.id not in found
    assert found <= set(rule.example.also)


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.id)
def test_a_finding_names_the_page(rule: Rule) -> None:
    assert rule.example is not None
    for finding in world.findings(rule, rule.example.bad):
        assert finding.page in pages()
