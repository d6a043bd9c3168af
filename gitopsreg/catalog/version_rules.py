"""The rules that say which versions are published: whether they make sense by themselves (GR401 to GR404, GR412)."""

from collections.abc import Callable, Iterator
from itertools import islice

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.legal import check_parse
from gitopsreg.catalog.problem import Problem
from gitopsreg.errors import InvalidName, quoted
from gitopsreg.model.constraint import Constraint, Reading
from gitopsreg.model.pattern import Pattern
from gitopsreg.model.version import Version

# As many as the schema admits: every pin is compared with every block.
_MOST_BLOCKS = 200
_MOST_PINS = 5000


def check_versions(versions: Cursor, reading: Reading) -> Iterator[Problem]:
    """Constraints and patterns can be read; each version stands once, and is not pinned and blocked."""

    def constraint(text: str) -> Constraint:
        return Constraint.parse(text, reading)

    yield from check_parse(versions / "constraint", "GR401", constraint)
    for key in ("include", "exclude"):
        for item in versions / key:
            yield from check_parse(item, "GR402", Pattern.parse)
    for block in versions / "blocked":
        yield from check_parse(block / "range", "GR401", constraint)
        if _parsed(block / "version"):
            yield from check_parse(block / "version", "GR401", constraint)
    for key in ("pins", "yanked", "blocked"):
        yield from _each_version_once(versions / key)
    yield from _pinned_and_blocked(versions, constraint)


def _each_version_once(entries: Cursor) -> Iterator[Problem]:
    seen: dict[str, Cursor] = {}
    for entry in entries:
        at = entry / "version"
        yield from check_parse(at, "GR412", Version.parse)
        if not (version := _parsed(at)):
            continue
        # Clients can't tell apart versions that differ in build metadata only.
        first = seen.setdefault(version.without_build, at)
        if first is not at:
            same = first.text == at.text
            other = "stands twice" if same else f"and {quoted(first.text)} are one version to clients"
            message = f"{quoted(at.text)} {other}"
            yield Problem(rule="GR403", message=message, hint="keep one of the two", pointer=at.pointer)


def _parsed(at: Cursor) -> Version | None:
    try:
        return Version.parse(at.text)
    except InvalidName:
        return None


def _pinned_and_blocked(versions: Cursor, constraint: Callable[[str], Constraint]) -> Iterator[Problem]:
    blocks = list(_blocks(versions / "blocked", constraint)) if (versions / "blocked").present else []
    for pin in islice(versions / "pins", _MOST_PINS) if blocks else ():
        version = _parsed(pin / "version")
        if version and any(blocks_it(version) for blocks_it in blocks):
            message = f"{quoted(version.text)} is pinned and blocked: it is served to nobody"
            pointer = (pin / "version").pointer
            yield Problem(rule="GR404", message=message, hint="remove the pin or the block", pointer=pointer)


def _blocks(entries: Cursor, constraint: Callable[[str], Constraint]) -> Iterator[Callable[[Version], bool]]:
    exact = {text for entry in entries if (text := (entry / "version").text)}
    yield lambda version: version.text in exact
    for entry in islice(entries, _MOST_BLOCKS):
        text = (entry / "range").text
        try:
            parsed = constraint(text) if text else None
        except InvalidName:
            continue
        if parsed:
            yield lambda version, parsed=parsed: parsed.admits(version, prereleases=True)  # type: ignore[misc]
