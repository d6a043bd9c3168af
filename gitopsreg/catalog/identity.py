"""Whether a document says what its path says: kind, namespace, name, target system."""

from collections.abc import Iterator

from gitopsreg.catalog import layout
from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.layout import PLACES, Slot
from gitopsreg.catalog.nearest import did_you_mean
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.schema import KINDS
from gitopsreg.errors import quoted


def check_kind(root: Cursor, slot: Slot) -> Iterator[Problem]:
    """The kind is known and belongs here. No problem also means that `kind` is the slot's."""
    at = root / "kind"
    if not isinstance(root.value, dict):
        yield Problem(rule="GR201", message="the document must be a mapping", hint=_begin(slot))
    elif not at.present:
        message = 'the document lacks "kind"'
        yield Problem(rule="GR203", message=message, hint=f"add kind: {slot.kind}", on_key=True)
    elif at.value not in KINDS:
        message = f"unknown kind {quoted(at.text)}" if at.text else "kind must be a word"
        hint = did_you_mean(at.text, KINDS) or f"here belongs {slot.kind}"
        yield Problem(rule="GR103", message=message, hint=hint, pointer=at.pointer)
    elif at.value != slot.kind:
        message = f"the file says kind {at.value}, its path says {slot.kind}"
        hint = f"{'an' if at.value[0] == 'A' else 'a'} {at.value} belongs at {PLACES[at.value]}"
        yield Problem(rule="GR104", message=message, hint=hint, pointer=at.pointer, move_to=_home(root, slot))


def _begin(slot: Slot) -> str:
    return f"begin with kind: {slot.kind}"


def check_identity(root: Cursor, slot: Slot) -> Iterator[Problem]:
    """Each part of the identity that the file names must be the path's."""
    metadata = root / "metadata"
    if slot.kind == "Registry":
        return
    parts = [(metadata / "name", slot.name, "name")]
    if slot.namespace and slot.kind != "Namespace":
        parts.append((metadata / "namespace", slot.namespace, "namespace"))
    if slot.kind == "Module":
        parts.append((root / "spec" / "system", slot.system, "system"))
    for at, right, what in parts:
        # A path in the wrong letter case is told as such, not by its content.
        if at.text and at.text not in {right, right.lower()}:
            message = f"the file says {what} {quoted(at.text)}, its path says {quoted(right)}"
            hint = f"move the file: {PLACES[slot.kind]}"
            hint = hint if slot.illegal else f"write {right}, or {hint}"
            yield Problem(rule="GR104", message=message, hint=hint, pointer=at.pointer, move_to=_home(root, slot))


def _home(root: Cursor, slot: Slot) -> str:
    """The path that the content asks for, or "": a file never changes its namespace without a word of its owners."""
    kind, metadata = (root / "kind").text, root / "metadata"
    name = (metadata / "name").text
    namespace = name if kind == "Namespace" else (metadata / "namespace").text or slot.namespace
    system = (root / "spec" / "system").text
    path = layout.path_of(kind, namespace=namespace, name=name, system=system)
    found = layout.slot(path)
    right = found.kind == kind and not found.illegal and found.namespace == slot.namespace
    return path if right and kind != "Registry" else ""
