"""What a change does to one package: pins, blocks and yanks of versions, and where they come from (GR701, GR702,
GR707, GR708, GR711).
"""

import re
from collections.abc import Iterator
from contextlib import suppress

from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.problem import Problem
from gitopsreg.errors import InvalidName, quoted
from gitopsreg.model.constraint import Constraint, Reading
from gitopsreg.model.version import Version

_PINNED = ("commit", "sha256", "path")
_ORIGIN = ("type", "url", "connection", "repository", "address", "path")
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,2}")
# So many ranges are compared with each other: more are nobody's blocks.
_MOST = 50


def check_package(before: Cursor, after: Checked) -> Iterator[Problem]:
    """`before` is the document of the base, whatever it holds."""
    reading: Reading = "module" if after.slot.kind == "Module" else "provider"
    old, new = before / "spec", after.cursor / "spec"
    yield from _source(old / "source", new / "source")
    yield from _pins(old / "versions" / "pins", new / "versions" / "pins")
    yield from _unblocked(old / "versions", new / "versions", reading)
    yield from _unyanked(old / "versions", new / "versions")


def _source(old: Cursor, new: Cursor) -> Iterator[Problem]:
    if not isinstance(old.value, dict) or not isinstance(new.value, dict):
        return
    for key in _ORIGIN:
        before, after = old / key, new / key
        if _repository(before.text) != _repository(after.text):
            message = f"the source's {key} {_becomes(before.text, after.text)}"
            hint = "published versions stay as they are; check who owns the new one"
            yield Problem(
                rule="GR707", message=message, hint=hint, pointer=_pointer(after, new), on_key=not after.present
            )
            break
    before, after = old / "tagPrefix", new / "tagPrefix"
    if before.text != after.text:
        message = f"the tag prefix {_becomes(before.text, after.text)}"
        hint = "published versions stay as they are; from now on other tags name versions"
        yield Problem(rule="GR708", message=message, hint=hint, pointer=_pointer(after, new), on_key=not after.present)


def _repository(text: str) -> str:
    return text.rstrip("/").removesuffix(".git")


def _becomes(before: str, after: str) -> str:
    if not after:
        return f"{quoted(before)} is gone"
    return f"changes from {quoted(before)} to {quoted(after)}" if before else f"{quoted(after)} is new"


def _pointer(at: Cursor, parent: Cursor) -> str:
    return at.pointer if at.present else parent.pointer


def _pins(old: Cursor, new: Cursor) -> Iterator[Problem]:
    known = {(pin / "version").text: pin for pin in old}
    for pin in new:
        version = (pin / "version").text
        before = known.get(version, Cursor(None)) if version else Cursor(None)
        for key in _PINNED:
            was, now = (before / key).text, (pin / key).text
            if was and _digest(was) != _digest(now):
                at = pin / key if now else pin / "version"
                message = f"the {key} that {quoted(version)} is pinned to {_becomes(was, now)}"
                hint = "a published version never changes: publish a new version instead"
                yield Problem(rule="GR701", message=message, hint=hint, pointer=at.pointer)


def _digest(text: str) -> str:
    return text.lower().removeprefix("sha256:") if re.fullmatch(r"(?:sha256:)?[0-9A-Fa-f]{40,64}", text) else text


def _unblocked(old: Cursor, new: Cursor, reading: Reading) -> Iterator[Problem]:
    after = _blocks(new / "blocked", reading)
    ranges = [block for text, block in after.items() if not _is_version(text)][:_MOST]
    points = sorted({point for block in ranges for point in _around(block.text)})
    before = _blocks(old / "blocked", reading)
    for text in [text for text in before if text not in after][:_MOST]:
        near = [Version.parse(text)] if _is_version(text) else [*_around(text), *points]
        inside = (one for one in near if before[text].admits(one, prereleases=True) and one.text not in after)
        free = next((one for one in inside if not any(block.admits(one, prereleases=True) for block in ranges)), None)
        if free is not None:
            what = quoted(text) if free.text == text else f"{quoted(text)} (like {free})"
            hint = "keep the block; a version with the fault mended gets a new number"
            pointer = _list(new, "blocked")
            yield Problem(rule="GR702", message=f"{what} is no longer blocked", hint=hint, pointer=pointer, on_key=True)


def _blocks(entries: Cursor, reading: Reading) -> dict[str, Constraint]:
    """By what is written: a version or a range."""
    blocks: dict[str, Constraint] = {}
    for entry in entries:
        text = (entry / "version").text or (entry / "range").text
        with suppress(InvalidName):
            blocks[text] = Constraint.parse(text, reading)
    return blocks


def _is_version(text: str) -> bool:
    try:
        Version.parse(text)
    except InvalidName:
        return False
    return True


def _around(text: str) -> Iterator[Version]:
    """Versions at, just below and just above every number of a constraint: what tells two constraints apart."""
    if _is_version(text):
        yield Version.parse(text)
    yield Version.parse("0.0.1")
    for found in _NUMBER.finditer(text):
        major, minor, patch = (*map(int, found[0].split(".")), 0, 0)[:3]
        yield from map(Version.parse, (f"{major}.{minor}.{patch}", f"{major}.{minor}.{patch + 1}"))
        yield from map(Version.parse, (f"{major}.{minor + 1}.0", f"{major + 1}.0.0"))
        if patch:
            yield Version.parse(f"{major}.{minor}.{patch - 1}")
        elif minor:
            yield Version.parse(f"{major}.{minor - 1}.999")
        elif major:
            yield Version.parse(f"{major - 1}.999.999")


def _unyanked(old: Cursor, new: Cursor) -> Iterator[Problem]:
    still = {(entry / "version").text for entry in new / "yanked"}
    for entry in old / "yanked":
        version, reason = (entry / "version").text, (entry / "reason").text
        if version and version not in still:
            message = f"{quoted(version)} is no longer yanked (it was: {quoted(reason)})"
            hint = "keep the yank; a version with the fault mended gets a new number"
            yield Problem(rule="GR711", message=message, hint=hint, pointer=_list(new, "yanked"), on_key=True)


def _list(versions: Cursor, key: str) -> str:
    """The pointer to a list of `spec.versions`, or to the nearest that is there."""
    if (versions / key).present:
        return (versions / key).pointer
    return versions.pointer if versions.present else "/spec"
