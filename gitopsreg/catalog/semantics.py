"""What one declaration must make sense of by itself, beyond its shape (GR4xx) and its URL (GR502, GR503, GR506)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.duration import parse_duration
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.urls import url_problem
from gitopsreg.errors import InvalidName, quoted
from gitopsreg.model.constraint import Constraint, Reading
from gitopsreg.model.pattern import Pattern
from gitopsreg.model.version import Version

_LATER_SOURCES = {"release-assets", "http", "registry", "opentofu-git"}
# These bring their own keys: the upstream's, checked against the catalog's when it names any.
_KEYS_FROM_UPSTREAM = {"registry", "opentofu-git"}
# As many as the schema admits: every pin is compared with every block.
_MOST_BLOCKS = 200
_MOST_PINS = 5000
_LIMITS = {
    "interval": (timedelta(seconds=10), timedelta(days=365), "10s", "365d"),
    "timeout": (timedelta(seconds=1), timedelta(days=1), "1s", "1d"),
}


def check(kind: str, root: Cursor) -> Iterator[Problem]:
    """The problems of one document of a known kind."""
    spec = root / "spec"
    match kind:
        case "Module" | "Provider":
            yield from _package(kind, spec)
        case "SigningKey":
            yield from _legal(spec / "scope" / "versions", "GR401", lambda text: Constraint.parse(text, "provider"))
        case "Registry" | "Namespace":
            yield from _durations(spec / "defaults")


def _package(kind: str, spec: Cursor) -> Iterator[Problem]:
    reading: Reading = "module" if kind == "Module" else "provider"
    source, versions = spec / "source", spec / "versions"
    yield from _source(source, suspended=(spec / "suspend").value is True)
    yield from _versions(versions, reading)
    yield from _pin_paths(versions / "pins", source)
    yield from _durations(spec)
    if kind == "Provider":
        yield from _provider(spec)


def _source(source: Cursor, *, suspended: bool) -> Iterator[Problem]:
    kind, url = source / "type", source / "url"
    if url.text and (problem := url_problem(url.text, url.pointer, git=kind.value != "http")):
        yield problem
    yield from _inside(source / "path")
    yield from _nameable(source / "path")
    if kind.text in _LATER_SOURCES and not suspended:
        message = f"source type {quoted(kind.text)} is not acted on in this release"
        hint = "add suspend: true to say that you know"
        yield Problem(rule="GR414", message=message, hint=hint, pointer=kind.pointer)


def _versions(versions: Cursor, reading: Reading) -> Iterator[Problem]:
    def constraint(text: str) -> Constraint:
        return Constraint.parse(text, reading)

    yield from _legal(versions / "constraint", "GR401", constraint)
    for key in ("include", "exclude"):
        for item in versions / key:
            yield from _legal(item, "GR402", Pattern.parse)
    for block in versions / "blocked":
        yield from _legal(block / "range", "GR401", constraint)
        if _parsed(block / "version"):
            yield from _legal(block / "version", "GR401", constraint)
    for key in ("pins", "yanked", "blocked"):
        yield from _each_version_once(versions / key)
    yield from _pinned_and_blocked(versions, constraint)


def _legal(at: Cursor, rule: str, parse: Callable[[str], Any]) -> Iterator[Problem]:
    if not at.text:
        return
    try:
        parse(at.text)
    except InvalidName as error:
        yield Problem(rule=rule, message=str(error), pointer=at.pointer)


def _each_version_once(entries: Cursor) -> Iterator[Problem]:
    seen: dict[str, Cursor] = {}
    for entry in entries:
        at = entry / "version"
        yield from _legal(at, "GR412", Version.parse)
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


def _pin_paths(pins: Cursor, source: Cursor) -> Iterator[Problem]:
    kind = (source / "type").value
    if kind == "catalog" and not any(True for _ in pins):
        hint = 'add versions.pins: [{version: "1.0.0", path: content/…}]'
        message = "a source of type catalog publishes exactly its pins, and there are none"
        yield Problem(rule="GR405", message=message, hint=hint, pointer=source.pointer, on_key=True)
    for pin in pins:
        path = pin / "path"
        yield from _inside(path)
        if kind == "catalog" and isinstance(pin.value, dict) and not path.present:
            hint = "add path: the folder of this version, from the catalog's root"
            yield Problem(rule="GR406", message="the pin lacks a path", hint=hint, pointer=pin.pointer)
        elif isinstance(kind, str) and kind != "catalog" and path.present:
            message = f"a pin of a source of type {quoted(kind)} has no path"
            hint = "remove it; source.path is the folder"
            yield Problem(rule="GR406", message=message, hint=hint, pointer=path.pointer, on_key=True)


def _inside(path: Cursor) -> Iterator[Problem]:
    if path.text and not is_inside(path.text):
        message = f"the path {quoted(path.text)} is not a folder inside"
        hint = 'write folder names joined by "/", without "." and ".."'
        yield Problem(rule="GR407", message=message, hint=hint, pointer=path.pointer)


def _nameable(path: Cursor) -> Iterator[Problem]:
    if odd := next((c for c in path.text if c in "#%"), ""):
        means = f"holds a {odd}, which means something else in an address: clients could not name the folder"
        message = f"the path {quoted(path.text)} {means}"
        yield Problem(rule="GR407", message=message, hint="rename the folder", pointer=path.pointer)


def is_inside(path: str) -> bool:
    """Whether the path is made of plain segments: it can't reach outside, on any operating system."""
    plain = path.isprintable() and not any(c in path for c in '\\:*?"<>|')
    return plain and all(part not in {"", ".", "..", ".git"} for part in path.split("/"))


def _durations(at: Cursor) -> Iterator[Problem]:
    for key, (least, most, least_text, most_text) in _LIMITS.items():
        field = at / key
        try:
            value = parse_duration(field.text)
        except InvalidName:
            continue
        if not least <= value <= most:
            message = f"{key} {quoted(field.text)} is out of range"
            hint = f"write {least_text} to {most_text}"
            yield Problem(rule="GR413", message=message, hint=hint, pointer=field.pointer)


def _provider(spec: Cursor) -> Iterator[Problem]:
    keys = spec / "verify" / "keys"
    kind = (spec / "source" / "type").text
    if kind and kind not in _KEYS_FROM_UPSTREAM and not keys.present:
        hint = "add verify.keys: the names of SigningKeys of this namespace"
        message = "the provider names no keys, and clients refuse providers without a signature"
        yield Problem(rule="GR415", message=message, hint=hint, pointer=spec.pointer, on_key=True)
    if (spec / "completeness").value == "required-platforms" and not (spec / "platforms").present:
        pointer = (spec / "completeness").pointer
        message = "required-platforms needs platforms"
        yield Problem(rule="GR416", message=message, hint="add platforms: [linux_amd64]", pointer=pointer)
