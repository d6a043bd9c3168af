"""Whether a document says what its path says: kind, namespace, name, target system."""

from collections.abc import Iterator

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.layout import PLACES, Slot
from gitopsreg.catalog.nearest import did_you_mean
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.schema import KINDS, LATER_KINDS
from gitopsreg.errors import quoted


def check_kind(root: Cursor, slot: Slot) -> Iterator[Problem]:
    """The kind is known and belongs here. No problem also means that `kind` is the slot's."""
    at = root / "kind"
    known = [*KINDS, *LATER_KINDS]
    if not isinstance(root.value, dict):
        yield Problem(rule="GR201", message="the document must be a mapping", hint=_begin(slot))
    elif not at.present:
        message = 'the document lacks "kind"'
        yield Problem(rule="GR203", message=message, hint=f"add kind: {slot.kind}", on_key=True)
    elif at.value not in known:
        message = f"unknown kind {quoted(at.text)}" if at.text else "kind must be a word"
        hint = did_you_mean(at.text, known) or f"here belongs {slot.kind}"
        yield Problem(rule="GR103", message=message, hint=hint, pointer=at.pointer)
    elif at.value != slot.kind:
        message = f"the file says kind {at.value}, its path says {slot.kind}"
        hint = f"a {at.value} belongs at {PLACES[at.value]}"
        yield Problem(rule="GR104", message=message, hint=hint, pointer=at.pointer)


def _begin(slot: Slot) -> str:
    return f"begin with kind: {slot.kind}"


def check_identity(root: Cursor, slot: Slot) -> Iterator[Problem]:
    """Each part of the identity that the file names must be the path's."""
    metadata = root / "metadata"
    if slot.kind == "Registry":
        return
    parts = [(metadata / "name", slot.name, "name")]
    if slot.kind != "Namespace":
        parts.append((metadata / "namespace", slot.namespace, "namespace"))
    if slot.kind == "Module":
        parts.append((root / "spec" / "system", slot.system, "system"))
    for at, right, what in parts:
        if at.text and at.text != right:
            message = f"the file says {what} {quoted(at.text)}, its path says {quoted(right)}"
            hint = f"write {right}, or move the file: {PLACES[slot.kind]}"
            yield Problem(rule="GR104", message=message, hint=hint, pointer=at.pointer)
