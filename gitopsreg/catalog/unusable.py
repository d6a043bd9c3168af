"""Which of a file's findings makes it unusable, and the condition's word for it."""

from collections.abc import Iterable

from gitopsreg.catalog.report import Finding

# A comment gone wrong stops the change that brings it, and nothing that is published.
_HARMLESS = {"GR111", "GR112"}
_REASONS = {
    "GR104": "PathMismatch",
    "GR301": "DependencyNotReady",
    "GR302": "KeyMissing",
    "GR307": "ConnectionMissing",
    "GR308": "DependencyNotReady",
    "GR309": "DependencyNotReady",
    "GR504": "OwnershipDenied",
    "GR505": "OwnershipDenied",
}


def first_error(findings: Iterable[Finding]) -> Finding | None:
    return next((one for one in findings if one.severity == "error" and one.rule not in _HARMLESS), None)


def reason_of(error: Finding) -> str:
    return _REASONS.get(error.rule, "InvalidSpec")
