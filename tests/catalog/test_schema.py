import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from gitopsreg.catalog import schema
from gitopsreg.catalog.loader import parse
from gitopsreg.catalog.scalar import Ambiguous
from gitopsreg.model import catalog
from gitopsreg.model import declaration as model
from tests.catalog import gallery
from tests.catalog.catalogs import WHOLE, a_module

UNION = json.loads((schema.schema_folder() / "catalog.json").read_text(encoding="utf-8"))


def properties(node: Any, at: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every property of a schema, however deep, with the way to it."""
    if isinstance(node, list):
        for item in node:
            yield from properties(item, at)
    if isinstance(node, dict):
        for name, sub in node.get("properties", {}).items():
            yield f"{at}/{name}", sub
            yield from properties(sub, f"{at}/{name}")
        for key in ("items", "oneOf", "additionalProperties"):
            yield from properties(node.get(key), at)


@pytest.mark.parametrize("kind", schema.KINDS)
def test_a_schema_is_draft_07_and_says_where_it_lives(kind: str) -> None:
    found = schema.schema(kind)
    Draft7Validator.check_schema(found)
    assert found["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert str(found["$id"]).startswith("https://gitopsreg.io/schemas/v1alpha1/")
    assert found["title"]
    assert found["description"]


@pytest.mark.parametrize("kind", schema.KINDS)
def test_every_field_is_described(kind: str) -> None:
    bare = [
        at for at, sub in properties(dict(schema.schema(kind))) if not str(sub.get("description", "")).endswith(".")
    ]
    assert bare == []


@pytest.mark.parametrize("kind", schema.KINDS)
def test_every_field_has_a_title_and_an_example(kind: str) -> None:
    bare = [at for at, sub in properties(dict(schema.schema(kind))) if not (sub.get("title") and sub.get("examples"))]
    assert bare == []


# What is optional, no mapping, and has no value of its own where nothing is written: absent means "none" or "any".
WITHOUT_DEFAULT = {
    "accessPolicy", "address", "allowedSources", "archiveFor", "archiveFormat", "baseUrl", "bytes", "catalog",
    "commit", "connection", "constraint",
    "fingerprint", "group", "hostname", "index", "installationId", "installationOwner", "kinds", "namespace",
    "namespaces", "organization", "packages", "path", "platforms", "produces", "project", "providers", "range",
    "registry", "replacement", "secretRef", "sha256", "since", "storageClass", "tagPrefix", "url", "username",
    "version", "versions", "keys", "name",
}  # fmt: skip


@pytest.mark.parametrize("kind", schema.KINDS)
def test_what_is_optional_has_its_default(kind: str) -> None:
    def optional(node: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
        if isinstance(node, list):
            for item in node:
                yield from optional(item)
        if isinstance(node, dict):
            for name, sub in node.get("properties", {}).items():
                if name not in node.get("required", ()):
                    yield name, sub
                yield from optional(sub)
            for key in ("items", "oneOf"):
                yield from optional(node.get(key))

    found = {
        name for name, sub in optional(dict(schema.schema(kind))) if "default" not in sub and sub["type"] != "object"
    }
    found -= {name for name, sub in optional(dict(schema.schema(kind))) if sub["type"] == ["object", "null"]}
    assert found <= WITHOUT_DEFAULT


@pytest.mark.parametrize("kind", schema.KINDS)
def test_every_mapping_is_strict(kind: str) -> None:
    def loose(node: Any) -> Iterator[Any]:
        if isinstance(node, list):
            for item in node:
                yield from loose(item)
        if isinstance(node, dict):
            if "properties" in node and node.get("additionalProperties") is not False:
                yield node
            for sub in node.values():
                yield from loose(sub)

    assert list(loose(dict(schema.schema(kind)))) == []


@pytest.mark.parametrize("kind", schema.KINDS)
def test_examples_and_defaults_are_legal(kind: str) -> None:
    for at, sub in properties(dict(schema.schema(kind))):
        for example in [*sub.get("examples", ()), *([sub["default"]] if "default" in sub else [])]:
            assert not list(Draft7Validator(sub).iter_errors(example)), (at, example)


def test_a_field_that_kinds_share_is_the_same_in_each() -> None:
    module, provider = (
        dict(properties(dict(schema.schema(kind)["properties"]["spec"]))) for kind in ("Module", "Provider")
    )
    shared = [at for at in module if at in provider and not at.startswith(("/source", "/deprecation", "/versions"))]
    assert "/interval" in shared
    assert {at for at in shared if module[at] != provider[at]} == set()


def test_the_union_knows_every_kind() -> None:
    Draft7Validator.check_schema(UNION)
    assert tuple(UNION["properties"]["kind"]["enum"]) == schema.KINDS
    assert {branch["then"]["$ref"] for branch in UNION["allOf"]} == {
        str(schema.schema(kind)["$id"]).rpartition("/")[2] for kind in schema.KINDS
    }


def _agrees(kind: str, document: Any) -> bool:
    registry: Any = Registry().with_resources(
        (str(schema.schema(known)["$id"]), Resource.from_contents(schema.schema(known))) for known in schema.KINDS
    )
    return Draft7Validator(UNION, registry=registry).is_valid({**document, "kind": kind})


def _holds_ambiguous(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_ambiguous(item) for item in value.values())
    if isinstance(value, list):
        return any(_holds_ambiguous(item) for item in value)
    return isinstance(value, Ambiguous)


@pytest.mark.parametrize(
    "path", sorted(gallery.BAD.rglob("*.yaml")), ids=lambda path: str(path.relative_to(gallery.BAD))
)
def test_editors_and_we_agree(path: Path) -> None:
    """The union, read by a stock validator, refuses exactly what we refuse."""
    document = parse(path.read_bytes()).document
    if document is None or _holds_ambiguous(document.value) or document.value.get("kind") not in schema.KINDS:
        return
    kind = document.value["kind"]
    assert _agrees(kind, document.value) == (not list(schema.check(kind, document)))


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_what_is_right_has_no_problem(text: str) -> None:
    document = parse(text.encode()).document
    assert document is not None
    assert list(schema.check(document.value["kind"], document)) == []


def test_a_whole_number_is_written_as_one() -> None:
    document = parse(a_module("versions: {keepLatest: 5.0}").encode()).document
    assert document is not None
    assert [problem.pointer for problem in schema.check("Module", document)] == ["/spec/versions/keepLatest"]


def test_a_name_with_a_line_break_behind_it_is_refused() -> None:
    document = parse(a_module('storageClass: "standard\\n"').encode()).document
    assert document is not None
    assert [problem.rule for problem in schema.check("Module", document)] == ["GR205"]


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)


# Fields of the schema that this release reads and does nothing with, and fields of the model that have another origin.
RESERVED = {
    "accessPolicy",
    "settle",
    "connection",
    "allowedSources",
    "quota",
    "defaults",
    "layout",
    "pullThrough",
}
DERIVED = {
    "path", "specDigest", "labels", "address", "keys", "name", "namespace", "storage", "archiveFor", "suspendedBy",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "where", "noun", "renamed"),
    [
        ("Module", "/", model.ModuleDeclaration, {"system", "storageClass"}),
        ("Provider", "/", model.ProviderDeclaration, {"verify", "storageClass"}),
        ("Module", "/versions/", model.VersionRules, set()),
        ("Provider", "/versions/", model.VersionRules, set()),
        ("Module", "/versions/yanked/", model.Yank, set()),
        ("Module", "/deprecation/", model.Deprecation, set()),
        ("Registry", "/", catalog.RegistryDeclaration, set()),
        ("Registry", "/guards/", catalog.Guards, set()),
        ("Namespace", "/", catalog.NamespaceDeclaration, set()),
        ("SigningKey", "/", model.SigningKey, {"type", "scope"}),
    ],
)
def test_schema_and_model_have_the_same_fields(kind: str, where: str, noun: Any, renamed: set[str]) -> None:
    spec = schema.schema(kind)["properties"]["spec"]
    declared = {at.removeprefix(where) for at, _ in properties(spec) if at.startswith(where)}
    declared = {at for at in declared if "/" not in at} - RESERVED - renamed
    scope = {"providers", "versions"} if kind == "SigningKey" else set()
    assert declared == {camel(field.name) for field in fields(noun)} - DERIVED - scope


def test_pins_and_blocks_have_the_fields_of_the_schema() -> None:
    versions = schema.schema("Module")["properties"]["spec"]["properties"]["versions"]["properties"]
    assert set(versions["pins"]["items"]["properties"]) == {camel(field.name) for field in fields(model.Pin)}
    assert set(versions["blocked"]["items"]["properties"]) == {"version", "range", "reason", "severity"}


def test_sources_that_are_acted_on_have_the_fields_of_the_model() -> None:
    branches = {
        branch["properties"]["type"]["const"]: set(branch["properties"]) - {"type", "connection"}
        for branch in schema.schema("Module")["properties"]["spec"]["properties"]["source"]["oneOf"]
    }
    assert branches["git"] == {camel(field.name) for field in fields(model.GitSource)}
    assert branches["catalog"] == {camel(field.name) for field in fields(model.CatalogSource)}
