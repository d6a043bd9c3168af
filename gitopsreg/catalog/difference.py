"""What a change of the catalog does: every declaration that is new, gone or says something else once defaults are in.

Pure: two loaded catalogs in, the same answer whatever order their files came in. Knows no upstream and no store.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from gitopsreg.catalog.compare import Difference as Delta
from gitopsreg.catalog.compare import compare
from gitopsreg.catalog.effective import Book
from gitopsreg.catalog.load import Loaded
from gitopsreg.catalog.risk import MARKS, NONE, Risk, ranked, risk_of
from gitopsreg.catalog.shown import shown, shown_text
from gitopsreg.catalog.subject import kind_of
from gitopsreg.model.digest import Sha256

# invalid: it is declared, but not validly: it keeps what it last published · repaired: it is valid again
Action = Literal["add", "change", "remove", "invalid", "repaired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One effective field, or one item of a list, that differs; values are safe to show.

    `place` is where the new value stands ("" where there is none), `inherited` whether that is another file's default.
    """

    field: str
    how: str
    item: str = ""
    before: Any = None
    after: Any = None
    place: str = ""
    inherited: bool = False
    risk: Risk = NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one declaration. What is new has its whole effective `spec`; `message` says why it is invalid."""

    subject: str
    action: Action
    path: str
    effects: tuple[Effect, ...] = ()
    spec: Any = None
    message: str = ""
    risks: tuple[Risk, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All changes, by subject. `held` is what the guards (those of before) say of the removals.

    `digest` names exactly these changes: neither a comment, nor a line number, nor the time has a share in it.
    """

    changes: tuple[Change, ...]
    held: str
    digest: str


def difference(base: Loaded, head: Loaded) -> Difference:
    """What `head` declares that `base` does not, and the other way round."""
    before = Book(base)
    after = Book(head, lender=before)
    if head.registry_broken and not head.checked:  # nothing of it was looked at, which is not the same as empty
        return Difference(changes=(), held="", digest=_digest(()))
    held = _objection(base, head)
    changes = tuple(_with_held(change, held) for change in _changes(before, after))
    return Difference(changes=changes, held=held, digest=_digest(changes))


def _changes(before: Book, after: Book) -> Iterator[Change]:
    for subject in sorted({*before.files, *after.files, "registry"}):
        if change := _change(subject, before, after):
            yield change


def _change(subject: str, before: Book, after: Book) -> Change | None:
    if subject in after.broken:
        return _invalid(subject, before, after)
    if subject == "registry":
        # Without the file everything has its built-in value, so it is never new and never gone.
        return _changed(subject, before, after)
    if subject not in after.files:
        return _removed(subject, before)
    if subject not in before.files:
        return _added(subject, after)
    if subject in before.broken:
        return Change(subject=subject, action="repaired", path=after.path(subject))
    return _changed(subject, before, after)


def _invalid(subject: str, before: Book, after: Book) -> Change | None:
    if subject in before.broken and before.says(subject) == after.says(subject):
        return None
    message = after.broken[subject]
    path = after.path(subject) if subject in after.files else ""
    return Change(subject=subject, action="invalid", path=path, message=message, risks=(MARKS["invalid"],))


def _added(subject: str, after: Book) -> Change:
    risk = risk_of(kind_of(subject), "", "added")
    spec = shown(after.spec(subject))
    return Change(subject=subject, action="add", path=after.path(subject), spec=spec, risks=ranked([risk]))


def _removed(subject: str, before: Book) -> Change:
    risk = risk_of(kind_of(subject), "", "removed")
    return Change(subject=subject, action="remove", path=before.path(subject), risks=ranked([risk]))


def _changed(subject: str, before: Book, after: Book) -> Change | None:
    if subject in before.broken:
        return Change(subject=subject, action="repaired", path=after.path(subject) if subject in after.files else "")
    if before.layers(subject) == after.layers(subject) and before.metadata(subject) == after.metadata(subject):
        return None
    deltas = compare(before.spec(subject), after.spec(subject))
    effects = tuple(_effect(subject, delta, before, after) for delta in deltas)
    if not effects:
        return None
    risks = ranked(effect.risk for effect in effects)
    path = after.path(subject) or before.path(subject)
    return Change(subject=subject, action="change", path=path, effects=effects, risks=risks)


def _effect(subject: str, delta: Delta, before: Book, after: Book) -> Effect:
    new = after.field(subject, delta.at, delta.after)
    old = before.field(subject, delta.at, delta.before)
    # A value that was taken away in the file itself is the file's doing, also where a default takes its place.
    own = "declaration" in {new.layer, old.layer}
    return Effect(
        field=delta.field,
        how=delta.how,
        item=shown_text(delta.item),
        before=shown(delta.before, delta.field),
        after=shown(delta.after, delta.field),
        place=new.place if delta.how != "removed" else "",
        inherited=not own,
        risk=risk_of(kind_of(subject), delta.field, delta.how),
    )


def _objection(base: Loaded, head: Loaded) -> str:
    """By the guards of before: who loosens a guard does not pass it in the same change."""
    served, declared = _packages(base), _packages(head)
    gone = len(served - declared)
    return base.catalog.registry.guards.refusal(removed=gone, published=len(served), declared=len(declared))


def _packages(loaded: Loaded) -> set[str]:
    return {str(item.address) for item in (*loaded.catalog.packages, *loaded.catalog.invalid)}


def _with_held(change: Change, held: str) -> Change:
    if not held or change.action != "remove" or kind_of(change.subject) not in {"module", "provider"}:
        return change
    return Change(subject=change.subject, action="remove", path=change.path, risks=(MARKS["mass removal"],))


def _digest(changes: Iterable[Change]) -> str:
    content = [
        [
            change.subject,
            change.action,
            change.spec,
            change.message,
            [[effect.field, effect.how, effect.item, effect.before, effect.after] for effect in change.effects],
        ]
        for change in changes
    ]
    return str(Sha256.of(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()))
