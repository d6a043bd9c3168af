import re

from gitopsreg.catalog.rules import RULES


def test_numbers_are_unique_and_in_order() -> None:
    assert list(RULES) == sorted(RULES)
    assert all(re.fullmatch(r"GR[0-7][0-9]{2}", number) for number in RULES)


def test_every_rule_says_what_and_why() -> None:
    assert all(rule.title and rule.why for rule in RULES.values())
