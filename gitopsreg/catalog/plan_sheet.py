"""A plan as it is laid before people, whatever it is written in later: rows with risks, then details. Plain values.

Rows that differ in their subject only, because a default reaches them all, are laid together.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gitopsreg.catalog.difference import Action, Change
from gitopsreg.catalog.risk import Risk, ranked
from gitopsreg.catalog.subject import kind_of
from gitopsreg.catalog.wording import words

Sign = Literal["add", "change", "remove", "warn"]

SIGNS: dict[Action, Sign] = {
    "add": "add",
    "change": "change",
    "remove": "remove",
    "invalid": "warn",
    "repaired": "change",
}
# So many packages with the same inherited change still have a row each.
_APART = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; `subject` is an address, or "12 packages" where many are alike (`names` has them all)."""

    sign: Sign
    subject: str
    words: tuple[str, ...]
    risks: tuple[Risk, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Details under a title."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """`name` tells the plans of several registries apart; `verdicts` are short phrases, good ones and bad ones.

    `held` is what a guard says; `next` what to do about it. `digest` is the plan's.
    """

    name: str
    base: str
    head: str
    rows: tuple[Row, ...]
    digest: str
    verdicts: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    held: str = ""
    next: str = ""

    @property
    def title(self) -> str:
        """`2 to add, 1 to change, 0 to remove`."""
        counts = {sign: sum(len(row.names) or 1 for row in self.rows if row.sign == sign) for sign in _SUMMED}
        told = [f"{number} {what}" for sign, what in _SUMMED.items() if (number := counts[sign]) or sign != "warn"]
        return ", ".join(told)


_SUMMED: dict[Sign, str] = {
    "add": "to add",
    "change": "to change",
    "remove": "to remove",
    "warn": "invalid",
}


def rows_of(changes: Sequence[Change]) -> tuple[Row, ...]:
    """A row for each change, but one for all that only inherit the same; what is riskiest comes first."""
    alike: dict[tuple[str, ...], list[Change]] = defaultdict(list)
    for change in changes:
        if _only_inherits(change):
            alike[_told(change)].append(change)
    many = {told: group for told, group in alike.items() if len(group) > _APART}
    alone = (row_of(change) for change in changes if not (_only_inherits(change) and _told(change) in many))
    return in_order([*alone, *(_together(told, group) for told, group in many.items())])


def in_order(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The riskiest first, then by name."""
    return tuple(sorted(rows, key=lambda row: (min((risk.rank for risk in row.risks), default=9), row.subject)))


def row_of(change: Change, *, more: Sequence[str] = (), risks: Iterable[Risk] = (), resolved: bool = False) -> Row:
    """One change, with what else is known of it."""
    return Row(
        sign=SIGNS[change.action],
        subject=change.subject,
        words=(*_told(change, resolved=resolved), *more),
        risks=ranked((*change.risks, *risks)),
    )


def sections_of(rows: Sequence[Row]) -> Iterator[Section]:
    """The names behind the rows that stand for many."""
    for row in rows:
        if row.names:
            yield Section(title=f"{row.subject}: {'; '.join(row.words)}", lines=row.names)


def _only_inherits(change: Change) -> bool:
    return change.action == "change" and all(effect.inherited for effect in change.effects)


def _told(change: Change, *, resolved: bool = False) -> tuple[str, ...]:
    told = words(change, resolved=resolved)
    return (*told, _why(change)) if _only_inherits(change) else told


def _together(told: tuple[str, ...], group: Sequence[Change]) -> Row:
    return Row(
        sign="change",
        subject=f"{len(group)} {_nouns(group)}",
        words=told,
        risks=group[0].risks,
        names=tuple(change.subject for change in group),
    )


def _why(change: Change) -> str:
    places = dict.fromkeys(effect.place for effect in change.effects if effect.place)
    return f"by default, {', '.join(places)}" if places else "by default"


def _nouns(group: Sequence[Change]) -> str:
    kinds = {kind_of(change.subject) for change in group}
    return f"{kinds.pop()}s" if len(kinds) == 1 else "packages"
