import pytest

from gitopsreg.catalog.rules import RULES
from tests.catalog import gallery

# What can't lie in a folder of a repository for everybody to check out: see test_load and test_directory. What
# upstreams say: see tests/reconcile/test_online.py.
ELSEWHERE = {"GR002", "GR007", "GR012", "GR013", "GR014", "GR107", "GR114"}
ELSEWHERE |= {rule for rule in RULES if rule.startswith("GR6")}


@pytest.mark.parametrize("case", gallery.cases())
def test_the_report_is_exactly_this(case: str) -> None:
    expected = (gallery.BAD / case / "expected.txt").read_text(encoding="utf-8")
    assert gallery.report(case) == expected


@pytest.mark.parametrize("case", gallery.cases())
def test_a_case_shows_the_rule_that_it_is_named_after(case: str) -> None:
    assert case.split("-", 1)[0] in {finding.rule for finding in gallery.findings(case)}


def test_it_is_large() -> None:
    assert len(gallery.cases()) >= 60


def test_every_rule_has_a_case() -> None:
    assert {case.split("-", 1)[0] for case in gallery.cases()} == set(RULES) - ELSEWHERE


@pytest.mark.parametrize("case", gallery.cases())
def test_no_secret_is_repeated(case: str) -> None:
    report = gallery.report(case)
    for secret in ("hunter2", "0000000000000000EXAMPLE", "AKIAIOSFODNN7EXAMPLE", "00000000EXAMPLE"):
        assert secret not in report
