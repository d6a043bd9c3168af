"""The quick yes or no and the library that explains agree about every value."""

import random
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog import conform, schema, strict
from gitopsreg.catalog.loader import parse
from gitopsreg.catalog.scalar import Ambiguous
from tests.catalog import gallery
from tests.catalog.catalogs import WHOLE
from tests.catalog.yamls import texts

ODD: list[Any] = [
    None, True, False, 0, 1, -1, 5, 1.5, 2.0, 10**9, "", "x", "a\n", "1.0.0", "git", "catalog", "x" * 3000, "Ä", " ",
    [], ["x"], ["x", "x"], [1], [{}], ["x"] * 300, {}, {"x": 1}, {"type": "git"}, {"type": 1}, {"version": "1.0.0"},
    Ambiguous("yes", "true", "true"), {f"k{number}": "v" for number in range(70)},
]  # fmt: skip
DOCUMENTS = [
    one.document.value
    for case in gallery.cases()
    for one in gallery.loaded(case).checked
    if one.document is not None and isinstance(one.document.value, dict)
]


def agree(kind: str, value: Any) -> bool:
    fits = conform.compiled(schema.schema(kind))(value)
    errors = list(strict.validator(schema.schema(kind)).iter_errors(value))
    assert fits == (errors == [])
    return fits


@pytest.mark.parametrize("kind", schema.KINDS)
def test_every_schema_is_known_whole(kind: str) -> None:
    conform.compiled(schema.schema(kind))
    assert all(not agree(kind, value) for value in ODD)


@pytest.mark.parametrize("kind", schema.KINDS)
def test_both_agree_about_every_document_of_the_gallery(kind: str) -> None:
    for value in DOCUMENTS:
        agree(kind, value)


def test_right_documents_fit() -> None:
    for text in WHOLE.values():
        document = parse(text.encode()).document
        assert document is not None
        assert agree(document.value["kind"], document.value)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key in it."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])]


@given(st.sampled_from(DOCUMENTS), st.randoms(use_true_random=False))
def test_both_agree_about_any_document_with_anything_anywhere(document: Any, chance: random.Random) -> None:
    value = deepcopy(document)
    for _ in range(chance.randint(1, 3)):
        container, key = chance.choice(_places(value) or [(value, "kind")])
        match chance.randint(0, 3):
            case 0:
                container[key] = deepcopy(chance.choice(ODD))
            case 1 if isinstance(container, dict):
                container.pop(key)
            case 2 if isinstance(container, dict):
                container[chance.choice(["zzz", "url", "version", "x" * 300, "a b", ""])] = deepcopy(chance.choice(ODD))
            case _ if isinstance(container, list):
                container.append(deepcopy(chance.choice([*ODD, *container])))
    kinds = [document["kind"]] if document.get("kind") in schema.KINDS else schema.KINDS
    for kind in kinds:
        agree(kind, value)


@given(st.sampled_from(schema.KINDS), texts())
def test_both_agree_about_any_yaml(kind: str, text: str) -> None:
    document = parse(text.encode()).document
    if document is not None:
        agree(kind, document.value)


@pytest.mark.parametrize(
    "unknown",
    [{"format": "uri"}, {"if": {}}, {"enum": [1]}, {"dependencies": {"a": {}}}, {"properties": {"a": {"not": {}}}}],
)
def test_what_it_does_not_know_it_refuses_to_compile(unknown: dict[str, Any]) -> None:
    with pytest.raises(conform.UnknownKeyword):
        conform.compiled(unknown)
