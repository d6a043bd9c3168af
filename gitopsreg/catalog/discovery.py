"""Discoveries: what one says, drawn out, and whether it makes sense by itself (GR417, GR418). Searches nothing."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitopsreg.catalog.completeness import check_completeness
from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.facts import Named
from gitopsreg.catalog.legal import check_durations, check_parse
from gitopsreg.catalog.nearest import did_you_mean
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.version_rules import check_versions
from gitopsreg.errors import InvalidName, quoted
from gitopsreg.model.constraint import Reading
from gitopsreg.model.pattern import Pattern

SCOPES = ("organization", "group", "project", "registry")
# The named groups that make an address, by what is produced.
_GROUPS: Mapping[str, tuple[str, ...]] = {"Module": ("name", "system"), "Provider": ("name",)}
KINDS = tuple(_GROUPS)
_ONLY_FOR: Mapping[str, tuple[str, ...]] = {
    "Module": ("archiveFormat",),
    "Provider": ("protocols", "platforms", "completeness", "settle", "verify"),
}
_READINGS: Mapping[str, Reading] = {"Module": "module", "Provider": "provider"}
_NAMED_GROUP = re.compile(r"\(\?P<([A-Za-z_][0-9A-Za-z_]*)>")
_OF_REPOSITORIES = ("topics", "visibility", "archived", "forks")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryFacts:
    """`scope` is one of SCOPES ("" when none is said), `place` what it names; `kinds` is what comes of it.

    `namespaces` are those of another registry, `visibility` () means any, `keys` are those of the template.
    """

    connection: str = ""
    scope: str = ""
    place: str = ""
    namespaces: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    pattern: str = ""
    visibility: tuple[str, ...] = ()
    keys: tuple[Named, ...] = ()
    namespace_at: str = "/metadata"


def facts(root: Cursor) -> DiscoveryFacts:
    spec = root / "spec"
    scope = next((key for key in SCOPES if (spec / "scope" / key).present), "")
    return DiscoveryFacts(
        connection=(spec / "connection").text,
        scope=scope,
        place=(spec / "scope" / scope).text if scope else "",
        namespaces=_texts(spec / "scope" / "namespaces"),
        kinds=_kinds(spec),
        pattern=(spec / "match" / "name").text,
        visibility=_texts(spec / "match" / "visibility"),
        keys=tuple((key.text, key.pointer) for key in spec / "template" / "verify" / "keys" if key.text),
        namespace_at="/metadata/namespace" if (root / "metadata" / "namespace").present else "/metadata",
    )


def check(spec: Cursor) -> Iterator[Problem]:
    """The problems of one discovery."""
    yield from check_parse(spec / "match" / "name", "GR402", name_pattern)
    if (spec / "scope" / "registry").present:
        yield from _of_a_registry(spec)
    elif (spec / "scope").present:
        yield from _of_repositories(spec)
    yield from check_durations(spec)
    yield from _template(spec / "template", _kinds(spec))


def name_pattern(text: str) -> Pattern:
    """A name's pattern, whose named groups say what the package is called; raises InvalidName."""
    return Pattern.parse(_NAMED_GROUP.sub("(", text))


def _kinds(spec: Cursor) -> tuple[str, ...]:
    if (spec / "scope" / "registry").present:
        return _texts(spec / "scope" / "kinds") or KINDS
    return tuple(kind for kind in KINDS if kind == (spec / "produces").text)


def _texts(items: Cursor) -> tuple[str, ...]:
    return tuple(item.text for item in items if item.text)


def _of_a_registry(spec: Cursor) -> Iterator[Problem]:
    fields = [spec / "connection", spec / "produces", *(spec / "match" / key for key in _OF_REPOSITORIES)]
    for at in fields:
        if at.present:
            message = f"{quoted(str(at.steps[-1]))} says nothing where the scope is a registry"
            yield Problem(rule="GR418", message=message, hint="remove it", pointer=at.pointer, on_key=True)
    name = spec / "match" / "name"
    if group := _NAMED_GROUP.search(name.text):
        message = f"the group {quoted(group[1])} says nothing where the scope is a registry: packages keep their names"
        yield Problem(rule="GR418", message=message, hint="write (?:…) instead", pointer=name.pointer)


def _of_repositories(spec: Cursor) -> Iterator[Problem]:
    name = spec / "match" / "name"
    hints = {
        "connection": "add connection: the name of the Connection to the host",
        "produces": "add produces: Module, or Provider",
    }
    for key, hint in hints.items():
        if not (spec / key).present:
            yield Problem(rule="GR417", message=f'spec lacks "{key}"', hint=hint, pointer=spec.pointer, on_key=True)
    if not name.present:
        hint = 'add match: {name: "^terraform-(?P<system>[a-z0-9]+)-(?P<name>[a-z0-9-]+)$"}'
        message = "nothing says which repositories become packages, and what they are called"
        yield Problem(rule="GR417", message=message, hint=hint, pointer=spec.pointer, on_key=True)
    elif wanted := _GROUPS.get((spec / "produces").text):
        yield from _groups(name, wanted)


def _groups(name: Cursor, wanted: tuple[str, ...]) -> Iterator[Problem]:
    try:
        name_pattern(name.text)
    except InvalidName:
        return
    named = tuple(_NAMED_GROUP.findall(name.text))
    for group in wanted:
        if group not in named:
            near = next((other for other in named if other not in wanted and did_you_mean(other, [group])), "")
            hint = f"write (?P<{group}>…) instead of (?P<{near}>…)" if near else f"add (?P<{group}>…)"
            message = f'the pattern has no group "{group}": the package would have no {group}'
            yield Problem(rule="GR417", message=message, hint=hint, pointer=name.pointer)
    for group in named:
        if group not in wanted and not did_you_mean(group, [one for one in wanted if one not in named]):
            message = f"the group {quoted(group)} says nothing"
            hint = "groups are " + " and ".join(wanted) + "; write (?:…) for another"
            yield Problem(rule="GR417", message=message, hint=hint, pointer=name.pointer)


def _versions(versions: Cursor, kinds: tuple[str, ...]) -> Iterator[Problem]:
    """Each kind reads constraints in its own way: what one of them can't read is told, once."""
    readings: tuple[Reading, ...] = tuple(_READINGS[kind] for kind in kinds if kind in _READINGS) or ("provider",)
    yield from next(filter(None, (list(check_versions(versions, reading)) for reading in readings)), ())


def _template(template: Cursor, kinds: tuple[str, ...]) -> Iterator[Problem]:
    yield from _versions(template / "versions", kinds)
    yield from check_durations(template)
    yield from check_completeness(template)
    for kind, keys in _ONLY_FOR.items():
        for key in keys:
            if kinds and kind not in kinds and (template / key).present:
                message = f'"{key}" says nothing of a {kinds[0]}'
                pointer = (template / key).pointer
                yield Problem(rule="GR418", message=message, hint="remove it", pointer=pointer, on_key=True)
