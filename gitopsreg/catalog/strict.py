"""The door to jsonschema: what of a document breaks its schema, in words for its author.

Of several branches (`oneOf`) the one that the author meant is chosen first, so that only its problems are told.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from jsonschema import Draft7Validator, ValidationError
from jsonschema.validators import extend

from gitopsreg.catalog import complaint
from gitopsreg.catalog.loader import Document
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.written import Written


def validator(schema: Mapping[str, Any]) -> Any:
    """What `problems` needs, made once a schema."""
    return _STRICT(schema)


def problems(validator: Any, document: Document, most: int) -> Iterator[Problem]:
    """Everything in the document that the validator's schema does not admit, up to a number."""
    errors = validator.iter_errors(document.value)
    written = Written(document)
    yield from islice((problem for error in errors for problem in complaint.about(error, written)), most)


def _properties(validator: Any, properties: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    """As ever, but a plain string that is right is seen to be so without the long way round: most values are."""
    if not validator.is_type(instance, "object"):
        return
    for key, value in instance.items():
        subschema = properties.get(key)
        if subschema is not None and not (isinstance(value, str) and _is_right(value, subschema)):
            yield from validator.descend(value, subschema, path=key, schema_path=key)


def _is_right(text: str, subschema: Any) -> bool:
    if "const" in subschema:
        return bool(text == subschema["const"])
    if "string" not in subschema["type"]:
        return False
    if "enum" in subschema:
        return text in subschema["enum"]
    long_enough = subschema.get("minLength", 0) <= len(text) <= subschema.get("maxLength", len(text))
    return long_enough and ("pattern" not in subschema or _fits(subschema["pattern"], text))


def _fits(pattern: str, text: str) -> bool:
    # In Python "$" also matches before a final line break; in the editors' dialect it does not.
    return bool(re.search(pattern, text)) and not (pattern.endswith("$") and text.endswith("\n"))


def _one_of(validator: Any, branches: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    shared = set.intersection(
        *({key for key, sub in branch.get("properties", {}).items() if "const" in sub} for branch in branches)
    )
    if shared:
        yield from _by_constant(validator, branches, instance, shared.pop())
    else:
        yield from _by_required(validator, branches, instance)


def _by_constant(validator: Any, branches: Any, instance: Any, key: str) -> Iterator[ValidationError]:
    constants = [branch["properties"][key]["const"] for branch in branches]
    if key not in instance:
        yield ValidationError("", validator="required", validator_value=[key], instance=instance)
    elif instance[key] in constants:
        branch = branches[constants.index(instance[key])]
        yield from validator.descend(instance, branch)
    else:
        subschema = {"type": "string", "enum": constants}
        yield from validator.descend(instance[key], subschema, path=key)


def _by_required(validator: Any, branches: Any, instance: Any) -> Iterator[ValidationError]:
    meant = [branch for branch in branches if any(key in instance for key in branch["required"])]
    if len(meant) == 1:
        yield from validator.descend(instance, meant[0])
        return
    keys = [branch["required"][0] for branch in branches]
    yield ValidationError("", validator="oneOf", validator_value=keys, instance=instance)


def _pattern(validator: Any, pattern: str, instance: Any, subschema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "string"):
        return
    if not _fits(pattern, instance):
        yield ValidationError("", validator_value=subschema.get("patternErrorMessage", pattern))


def _unique(_: Any, wanted: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    """In linear time, whatever the items."""
    if wanted and isinstance(instance, list):
        seen = set()
        for index, item in enumerate(instance):
            if not isinstance(item, str):
                continue
            if item in seen:
                yield ValidationError("", path=[index], instance=item)
            seen.add(item)


# A whole number is written as one: 5.0 is refused where the stock checker takes it.
_TYPES = Draft7Validator.TYPE_CHECKER.redefine(
    "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
)
_extend: Any = extend
_STRICT: Any = _extend(
    Draft7Validator,
    {"properties": _properties, "oneOf": _one_of, "pattern": _pattern, "uniqueItems": _unique},
    type_checker=_TYPES,
)
