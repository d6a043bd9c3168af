import pytest

from gitopsreg.catalog.risk import MARKS, NONE, How, ranked, risk_of


@pytest.mark.parametrize(
    ("kind", "field", "how", "mark"),
    [
        ("namespace", "owners", "added", "ownership"),
        ("namespace", "owners", "removed", "ownership"),
        ("namespace", "allowedSources", "removed", "source"),
        ("namespace", "aliases", "removed", "alias"),
        ("namespace", "displayName", "changed", ""),
        ("namespace", "", "added", "new namespace"),
        ("namespace", "", "removed", "ownership"),
        ("namespace", "defaults.interval", "changed", "defaults"),
        ("registry", "admins", "added", "ownership"),
        ("registry", "hostname", "added", "hostname"),
        ("registry", "guards.maxRemovedPackages", "raised", "guard loosened"),
        ("registry", "guards.allowEmpty", "raised", "guard loosened"),
        ("registry", "guards.maxRemovedPackages", "lowered", ""),
        ("registry", "defaults.versions.keepLatest", "lowered", "defaults"),
        ("registry", "suspend", "raised", "suspend"),
        ("key", "", "added", "key"),
        ("key", "", "removed", "key"),
        ("key", "status", "changed", "key"),
        ("key", "scope.providers", "added", "key"),
        ("key", "publicKey", "changed", "key"),
        ("key", "metadata.labels.team", "changed", ""),
        ("module", "", "added", ""),
        ("module", "", "removed", "removal"),
        ("module", "source.url", "changed", "source"),
        ("module", "versions.pins", "added", ""),
        ("module", "versions.pins", "changed", "pin"),
        ("module", "versions.pins", "removed", "versions"),
        ("module", "versions.constraint", "changed", "versions"),
        ("module", "versions.yanked", "added", "yank"),
        ("module", "versions.blocked", "added", "block"),
        ("module", "versions.blocked", "removed", "unblock"),
        ("module", "deprecation.message", "added", ""),
        ("module", "sourceful", "added", ""),
        ("provider", "verify.keys", "added", "key"),
        ("provider", "suspend", "raised", "suspend"),
        ("policy", "rules", "added", "access"),
        ("policy", "", "removed", "access"),
        ("connection", "baseUrl", "changed", "source"),
        ("alert", "severity", "changed", ""),
    ],
)
def test_what_a_reviewer_should_stop_at(kind: str, field: str, how: How, mark: str) -> None:
    assert risk_of(kind, field, how) == MARKS.get(mark, NONE)


def test_the_highest_comes_first_and_each_once() -> None:
    risks = (MARKS["yank"], MARKS["source"], NONE, MARKS["yank"], MARKS["key"])
    assert [str(risk) for risk in ranked(risks)] == ["high: key", "high: source", "low: yank"]


def test_every_mark_has_a_reason_that_a_sentence_can_hold() -> None:
    assert all(risk.reason[:1].islower() and risk.level != "none" for risk in MARKS.values())
