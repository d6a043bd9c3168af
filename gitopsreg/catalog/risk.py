"""The table of risks: which changes a reviewer should stop at, how high, and why. It looks at nothing itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["none", "low", "high"]
# What happened to a field or to an item of a list; a number or switch that changed was raised or lowered.
How = Literal["added", "removed", "changed", "raised", "lowered"]

_ORDER: dict[Level, int] = {"high": 0, "low": 1, "none": 2}


@dataclass(frozen=True, slots=True)
class Risk:
    """`mark` is one stable word or two; `reason` says what could go wrong."""

    mark: str
    level: Level
    reason: str

    @property
    def rank(self) -> int:
        """The highest first."""
        return _ORDER[self.level]

    def __str__(self) -> str:
        return f"{self.level}: {self.mark}"


NONE = Risk("", "none", "")

# By mark, for those who know what happened and not in which field.
MARKS: dict[str, Risk] = {
    risk.mark: risk
    for risk in (
        Risk("ownership", "high", "other people decide what is published here"),
        Risk("key", "high", "other signatures are believed"),
        Risk("source", "high", "versions come from somewhere else"),
        Risk("pin", "high", "a version stands for other content"),
        Risk("block", "high", "versions that are in use are no longer served"),
        Risk("unblock", "high", "versions that were withheld are served again"),
        Risk("mass removal", "high", "more is removed than the guards let pass"),
        Risk("guard loosened", "high", "more can be removed without a person's word"),
        Risk("hostname", "high", "every address that clients have written down changes"),
        Risk("access", "high", "other people may list and download"),
        Risk("invalid", "low", "it keeps its last good versions until it is mended"),
        Risk("removal", "low", "new users no longer find it, exact downloads still answer"),
        Risk("yank", "low", "users are warned, or no longer find the version"),
        Risk("versions", "low", "other versions are listed than before"),
        Risk("alias", "low", "an old name begins or ceases to work"),
        Risk("defaults", "low", "it holds for every package that says nothing else"),
        Risk("suspend", "low", "what upstreams publish is followed no longer, or again"),
        Risk("new namespace", "low", "a new name, with owners of its own"),
    )
}

_Row = tuple[frozenset[str], str, frozenset[str], str]
_PACKAGES = frozenset({"module", "provider"})
_ANY: frozenset[str] = frozenset()


def _row(kinds: str, field: str, hows: str, mark: str) -> _Row:
    named = _PACKAGES if kinds == "package" else frozenset(kinds.split())
    return named, field, frozenset(hows.split()), mark


# (kinds, field or what it begins with, what happened or anything, mark): the first that fits counts. A field of ""
# is the whole declaration.
_TABLE: tuple[_Row, ...] = (
    _row("registry", "hostname", "", "hostname"),
    _row("registry", "guards", "raised", "guard loosened"),
    _row("registry", "admins", "", "ownership"),
    _row("registry", "suspend", "", "suspend"),
    _row("registry namespace", "defaults", "", "defaults"),
    _row("namespace", "", "added", "new namespace"),
    _row("namespace", "", "removed", "ownership"),
    _row("namespace", "owners", "", "ownership"),
    _row("namespace", "allowedSources", "", "source"),
    _row("namespace", "aliases", "", "alias"),
    _row("key", "metadata", "", ""),
    _row("key", "description", "", ""),
    _row("key", "", "", "key"),
    _row("package", "", "removed", "removal"),
    _row("package", "source", "", "source"),
    _row("package", "verify", "", "key"),
    _row("package", "accessPolicy", "", "access"),
    _row("package", "suspend", "", "suspend"),
    _row("package", "versions.yanked", "", "yank"),
    _row("package", "versions.blocked", "removed", "unblock"),
    _row("package", "versions.blocked", "", "block"),
    _row("package", "versions.pins", "changed", "pin"),
    _row("package", "versions.pins", "added", ""),
    _row("package", "versions", "", "versions"),
    _row("package", "completeness", "", "versions"),
    _row("package", "platforms", "", "versions"),
    _row("policy", "", "", "access"),
    _row("connection", "", "", "source"),
    _row("discovery", "", "", "versions"),
)


def risk_of(kind: str, field: str, how: How) -> Risk:
    """The risk of one change; `kind` is the subject's, field "" the whole declaration."""
    for kinds, start, hows, mark in _TABLE:
        if kind in kinds and (not hows or how in hows) and _begins(field, start, kind):
            return MARKS.get(mark, NONE)
    return NONE


def ranked(risks: Iterable[Risk]) -> tuple[Risk, ...]:
    """Each once, the highest first; those of no risk left out."""
    real = {risk for risk in risks if risk.level != "none"}
    return tuple(sorted(real, key=lambda risk: (risk.rank, risk.mark)))


def _begins(field: str, start: str, kind: str) -> bool:
    if start:
        return field == start or field.startswith((start + ".", start + "["))
    return not field or kind not in _PACKAGES | {"namespace"}
