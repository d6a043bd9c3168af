"""What one declaration must make sense of by itself, beyond its shape (GR4xx) and its URL (GR502, GR503, GR506)."""

from collections.abc import Iterator

from gitopsreg.catalog import discovery, operations
from gitopsreg.catalog.completeness import check_completeness
from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.delivery import check_delivery, is_source
from gitopsreg.catalog.legal import check_durations, check_inside, check_parse
from gitopsreg.catalog.owners import check_owners
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.urls import url_problem
from gitopsreg.catalog.version_rules import check_versions
from gitopsreg.errors import quoted
from gitopsreg.model.constraint import Constraint, Reading

_LATER_SOURCES = {"release-assets", "http", "registry"}
# These bring their own keys: the upstream's, checked against the catalog's when it names any.
_KEYS_FROM_UPSTREAM = {"registry", "opentofu-git"}


def check(kind: str, root: Cursor) -> Iterator[Problem]:
    """The problems of one document of a known kind."""
    spec = root / "spec"
    match kind:
        case "Module" | "Provider":
            yield from _package(kind, spec)
        case "SigningKey":
            yield from check_parse(
                spec / "scope" / "versions", "GR401", lambda text: Constraint.parse(text, "provider")
            )
        case "Registry" | "Namespace":
            yield from check_durations(spec / "defaults")
            yield from check_owners(spec / "owners")
            yield from check_owners(spec / "admins")
        case "Discovery":
            yield from discovery.check(spec)
        case _:
            yield from operations.check(kind, spec)


def _package(kind: str, spec: Cursor) -> Iterator[Problem]:
    reading: Reading = "module" if kind == "Module" else "provider"
    source, versions = spec / "source", spec / "versions"
    yield from _source(source, suspended=(spec / "suspend").value is True)
    yield from check_versions(versions, reading)
    yield from _pin_paths(versions / "pins", source)
    yield from check_durations(spec)
    yield from check_delivery(reading, spec)
    if kind == "Provider":
        yield from _provider(spec)


def _source(source: Cursor, *, suspended: bool) -> Iterator[Problem]:
    kind, url = source / "type", source / "url"
    if url.text and (problem := url_problem(url.text, url.pointer, git=kind.value != "http")):
        yield problem
    yield from check_inside(source / "path")
    yield from _nameable(source / "path")
    if kind.text in _LATER_SOURCES and not suspended:
        message = f"source type {quoted(kind.text)} is not acted on in this release"
        hint = "add suspend: true to say that you know"
        yield Problem(rule="GR414", message=message, hint=hint, pointer=kind.pointer)


def _pin_paths(pins: Cursor, source: Cursor) -> Iterator[Problem]:
    kind = (source / "type").value
    if kind == "catalog" and not any(True for _ in pins):
        hint = 'add versions.pins: [{version: "1.0.0", path: content/…}]'
        message = "a source of type catalog publishes exactly its pins, and there are none"
        yield Problem(rule="GR405", message=message, hint=hint, pointer=source.pointer, on_key=True)
    for pin in pins:
        path = pin / "path"
        yield from check_inside(path)
        if kind == "catalog" and isinstance(pin.value, dict) and not path.present:
            hint = "add path: the folder of this version, from the catalog's root"
            yield Problem(rule="GR406", message="the pin lacks a path", hint=hint, pointer=pin.pointer)
        elif isinstance(kind, str) and kind != "catalog" and path.present:
            message = f"a pin of a source of type {quoted(kind)} has no path"
            hint = "remove it; source.path is the folder"
            yield Problem(rule="GR406", message=message, hint=hint, pointer=path.pointer, on_key=True)


def _nameable(path: Cursor) -> Iterator[Problem]:
    if odd := next((c for c in path.text if c in "#%"), ""):
        means = f"holds a {odd}, which means something else in an address: clients could not name the folder"
        message = f"the path {quoted(path.text)} {means}"
        yield Problem(rule="GR407", message=message, hint="rename the folder", pointer=path.pointer)


def _provider(spec: Cursor) -> Iterator[Problem]:
    keys = spec / "verify" / "keys"
    kind = (spec / "source" / "type").text
    if is_source("provider", kind) and kind not in _KEYS_FROM_UPSTREAM and not keys.present:
        hint = "add verify.keys: the names of SigningKeys of this namespace"
        message = "the provider names no keys, and clients refuse providers without a signature"
        yield Problem(rule="GR415", message=message, hint=hint, pointer=spec.pointer, on_key=True)
    yield from check_completeness(spec)
