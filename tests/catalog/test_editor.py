"""Editors read these schemas with validators of their own: a stock draft-07 validator stands in for them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from gitopsreg.catalog import schema
from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.editor import tolerant
from gitopsreg.catalog.loader import parse
from tests.catalog.catalogs import WHOLE
from tests.catalog.documents import changed, places

EXAMPLE = Path(__file__).parents[2] / "example-catalog"
STRICT = {file: schema.read(file) for file in (*schema.FILES.values(), schema.UNION)}
EDITOR = {file: tolerant(strict) for file, strict in STRICT.items()}


def validator(schemas: Mapping[str, Any], file: str) -> Any:
    registry: Any = Registry().with_resources(
        (str(one["$id"]), Resource.from_contents(one)) for one in schemas.values()
    )
    return Draft7Validator(schemas[file], registry=registry)


def documents() -> Iterator[Any]:
    """Every document that is right: of the schemas, of the tests and of the example catalog."""
    for kind in schema.KINDS:
        name = schema.FILES[kind].removesuffix(".json")
        yield from (pytest.param(one, id=f"schema-{name}") for one in schema.schema(kind)["examples"])
    texts = {path: text.encode() for path, text in WHOLE.items()}
    texts |= {file.path: file.read() for file in read_directory(EXAMPLE).files if file.path.endswith(".yaml")}
    for path, data in texts.items():
        document = parse(data).document
        assert document is not None
        yield pytest.param(document.value, id=path)


DOCUMENTS = list(documents())


def is_free(steps: tuple[Any, ...]) -> bool:
    """Whether the keys of the mapping there are the author's own."""
    return steps[-1:] in {("labels",), ("annotations",), ("claims",)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_right_is_right_for_editors_too(document: Any) -> None:
    for file in (schema.FILES[document["kind"]], schema.UNION):
        assert list(validator(EDITOR, file).iter_errors(document)) == []
        assert list(validator(STRICT, file).iter_errors(document)) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_field_of_the_future_is_admitted_by_editors_only(document: Any) -> None:
    file = schema.FILES[document["kind"]]
    seen = 0
    for steps in places(document):
        value = document
        for step in steps:
            value = value[step]
        if isinstance(value, dict) and not is_free(steps):
            future = changed(document, steps, lambda found: {**found, "futureField": {"x": [1]}})
            assert validator(EDITOR, file).is_valid(future), steps
            assert validator(EDITOR, schema.UNION).is_valid(future), steps
            assert not validator(STRICT, file).is_valid(future), steps
            seen += 1
    assert seen >= 3


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_value_of_the_wrong_type_is_refused(document: Any) -> None:
    file = schema.FILES[document["kind"]]
    for steps in places(document):
        wrong = changed(document, steps, lambda found: 7.5 if isinstance(found, dict | list) else {"wrong": []})
        assert not validator(EDITOR, file).is_valid(wrong), steps
        assert not validator(EDITOR, schema.UNION).is_valid(wrong), steps


@pytest.mark.parametrize("file", EDITOR)
def test_an_editor_s_schema_is_draft_07_and_lives_beside_the_strict_one(file: str) -> None:
    made = EDITOR[file]
    Draft7Validator.check_schema(made)
    assert made["$id"] == f"https://gitopsreg.io/schemas/v1alpha1/editor/{file}"
    assert '"additionalProperties": false' not in json.dumps(made)
    assert '"x-rule"' not in json.dumps(made)


def test_nothing_but_tolerance_is_new() -> None:
    """Without what was added and taken away the two are the same."""

    def bare(node: Any) -> Any:
        if isinstance(node, list):
            return [bare(item) for item in node]
        if not isinstance(node, dict):
            return node
        gone = {"x-rule", "$comment", "markdownDescription", "defaultSnippets", "$id"}
        return {
            key: bare(value)
            for key, value in node.items()
            if key not in gone and not (key == "additionalProperties" and value is False)
        }

    for file, strict in STRICT.items():
        assert bare(EDITOR[file]) == bare(strict)


def test_a_property_may_be_called_like_a_keyword() -> None:
    """`description` and `default` are fields of ours; they must not be taken for words about the schema."""
    spec = EDITOR["module.json"]["properties"]["spec"]["properties"]
    assert spec["description"]["type"] == "string"
    assert "markdownDescription" not in spec
    assert EDITOR["access-policy.json"]["properties"]["spec"]["properties"]["default"]["enum"] == ["deny", "allow"]


def test_hovers_show_what_stands_in_angle_brackets_and_the_default() -> None:
    spec = EDITOR["module.json"]["properties"]["spec"]["properties"]
    assert (
        "connections/\\<name\\>.yaml" in spec["source"]["oneOf"][0]["properties"]["connection"]["markdownDescription"]
    )
    assert spec["interval"]["markdownDescription"].endswith("\n\nDefault: `15m`")


def test_an_empty_file_can_be_filled_from_a_snippet() -> None:
    for file in schema.FILES.values():
        (snippet,) = EDITOR[file]["defaultSnippets"]
        assert snippet["body"] == STRICT[file]["examples"][0]
        assert snippet["label"].startswith("New ")
