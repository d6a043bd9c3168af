"""What a change does to rights: owners, allowed sources and keys (GR507, GR704 to GR706, GR709, GR710)."""

from collections.abc import Collection, Iterator

from gitopsreg.catalog.change import Twins
from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.facts import Allowed, NamespaceFacts
from gitopsreg.catalog.problem import Problem, pointer_to
from gitopsreg.errors import quoted

Owner = tuple[str, str]


def check_namespace(before: Checked, after: Checked, twins: Twins, authors: Collection[str]) -> Iterator[Problem]:
    yield from _owners(before, after, twins, {author.lower() for author in authors})
    yield from _allowed(before, after)


def _owners(before: Checked, after: Checked, twins: Twins, authors: Collection[str]) -> Iterator[Problem]:
    old, new = _named(before.cursor), _named(after.cursor)
    used = next(twins.changed(after.slot.namespace), None)
    for owner, at in new.items():
        if owner in old:
            continue
        who = quoted(owner[1])
        hint = "ask for a review by those who own it now"
        yield Problem(rule="GR709", message=f"{who} becomes an owner", hint=hint, pointer=at.pointer)
        hint = "grant ownership in a change of its own, which those who own it now review"
        if owner[1].lower() in authors:
            message = f"{who} becomes an owner in a change of their own"
            yield Problem(rule="GR507", message=message, hint=hint, pointer=at.pointer)
        elif used is not None:
            message = f"{who} becomes an owner in the very change that touches {quoted(used.path)}"
            yield Problem(rule="GR507", message=message, hint=hint, pointer=at.pointer)
    for owner in old:
        if owner not in new:
            owners = after.cursor / "spec" / "owners"
            pointer = owners.pointer if owners.present else "/spec"
            hint = "ask for a review by those who own it now"
            message = f"{quoted(owner[1])} is no longer an owner"
            yield Problem(rule="GR709", message=message, hint=hint, pointer=pointer, on_key=True)


def _named(root: Cursor) -> dict[Owner, Cursor]:
    owners = root / "spec" / "owners"
    return {((one / "type").text, name.text): name for one in owners if (name := one / "name").text}


def _allowed(before: Checked, after: Checked) -> Iterator[Problem]:
    old, new = _entries(before), _entries(after)
    if old is None:
        return
    hint = "check that everything it admits belongs to those who own the namespace"
    if new is None:
        message = "allowedSources is gone: packages may come from anywhere"
        yield Problem(rule="GR710", message=message, hint=hint, pointer="/spec", on_key=True)
        return
    for index, entry in enumerate(new):
        if not any(_within(entry, known) for known in old):
            pointer = pointer_to("spec", "allowedSources", index)
            message = f"packages may now come from {_place(entry)}"
            yield Problem(rule="GR710", message=message, hint=hint, pointer=pointer)


def _entries(one: Checked) -> tuple[Allowed, ...] | None:
    return one.facts.allowed if isinstance(one.facts, NamespaceFacts) else None


def _place(entry: Allowed) -> str:
    if entry.catalog:
        return "folders of the catalog"
    if entry.url:
        return quoted(entry.url)
    which = " and ".join(map(quoted, entry.repositories)) if entry.repositories is not None else "any repository"
    return f"{which} of {quoted(entry.connection)}"


def _within(entry: Allowed, known: Allowed) -> bool:
    """Whether the entry admits nothing that the known one does not."""
    if entry == known:
        return True
    same = bool(entry.connection) and entry.connection == known.connection
    if not same or known.repositories is None:
        return same
    return entry.repositories is not None and set(entry.repositories) <= set(known.repositories)


def check_key(before: Cursor, after: Cursor) -> Iterator[Problem]:
    old, new = before / "spec", after / "spec"
    was, now = (old / "fingerprint").text.upper(), (new / "fingerprint").text.upper()
    hint = "declare a new key beside it, and set this one to status: retired"
    if was and was != now:
        message = f"the fingerprint changes from {quoted(was)} to {quoted(now)}: this is another key"
        yield Problem(rule="GR704", message=message, hint=hint, pointer=(new / "fingerprint").pointer)
    elif _block(old) and _block(old) != _block(new):
        message = "the text of the key changes, its fingerprint does not"
        hint = "a renewed key looks so: compare the fingerprint with the owner's; validate --online computes it"
        yield Problem(rule="GR705", message=message, hint=hint, pointer=(new / "publicKey").pointer, on_key=True)
    if (old / "status").text == "revoked" and (new / "status").text != "revoked":
        at = new / "status"
        pointer, on_key = (at.pointer, False) if at.present else (new.pointer, True)
        message = "the key was revoked and is trusted again"
        hint = "declare a new key"
        yield Problem(rule="GR706", message=message, hint=hint, pointer=pointer, on_key=on_key)


def _block(spec: Cursor) -> list[str]:
    """The lines of the key; it may be longer than what other checks read."""
    value = (spec / "publicKey").value
    return [line.strip() for line in value.strip().splitlines()] if isinstance(value, str) else []
