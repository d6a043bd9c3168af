"""Whether a value fits a schema, yes or no, quickly: most files do, and need no library to say why not.

Knows the part of JSON Schema that our schemas use, as strictly as catalog.strict; what it does not know it refuses to
compile. It never says what is wrong.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Fits = Callable[[Any], bool]
Schema = Mapping[str, Any]

_WORDS = {"$schema", "$id", "$comment", "title", "description", "examples", "default", "patternErrorMessage", "x-rule"}
_TYPES: dict[str, Fits] = {
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


class UnknownKeyword(ValueError):
    """A schema that says something this module does not know."""


def compiled(schema: Schema) -> Fits:
    """Raises UnknownKeyword."""
    checks = [_MAKERS[word](schema[word], schema) for word in schema if word not in _WORDS and _known(word)]

    def fits(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 - a loop is a third quicker than all(), and this runs for every value
            if not check(value):
                return False
        return True

    return fits


def _known(word: str) -> bool:
    if word not in _MAKERS:
        raise UnknownKeyword(word)
    return True


def _type(names: str | list[str], _: Schema) -> Fits:
    if isinstance(names, str):
        return _TYPES[names]
    tests = [_TYPES[name] for name in names]
    return lambda value: any(test(value) for test in tests)


def _properties(properties: Mapping[str, Schema], _: Schema) -> Fits:
    known = {key: compiled(schema) for key, schema in properties.items()}

    def fits(value: Any) -> bool:
        if isinstance(value, dict):
            for key, item in value.items():
                check = known.get(key)
                if check is not None and not check(item):
                    return False
        return True

    return fits


def _additional(rest: Any, schema: Schema) -> Fits:
    known = frozenset(schema.get("properties", ()))
    if rest is False:
        return lambda value: not isinstance(value, dict) or value.keys() <= known
    check = compiled(rest)
    return lambda value: not isinstance(value, dict) or all(check(value[key]) for key in value.keys() - known)


def _required(keys: list[str], _: Schema) -> Fits:
    needed = frozenset(keys)
    return lambda value: not isinstance(value, dict) or needed <= value.keys()


def _names(schema: Schema, _: Schema) -> Fits:
    check = compiled(schema)
    return lambda value: not isinstance(value, dict) or all(map(check, value))


def _dependencies(needs: Mapping[str, Any], _: Schema) -> Fits:
    if not all(isinstance(keys, list) for keys in needs.values()):
        raise UnknownKeyword("dependencies")
    return lambda value: (
        not isinstance(value, dict) or all(key not in value or value.keys() >= set(keys) for key, keys in needs.items())
    )


def _items(schema: Any, _: Schema) -> Fits:
    check = compiled(schema)
    return lambda value: not isinstance(value, list) or all(map(check, value))


def _unique(wanted: bool, _: Schema) -> Fits:
    def fits(value: Any) -> bool:
        texts = [item for item in value if isinstance(item, str)] if wanted and isinstance(value, list) else []
        return len(texts) == len(set(texts))

    return fits


def _pattern(pattern: str, _: Schema) -> Fits:
    search = re.compile(pattern).search
    # In Python "$" also matches before a final line break; in the editors' dialect it does not.
    to_the_end = pattern.endswith("$")

    def fits(value: Any) -> bool:
        return not isinstance(value, str) or (bool(search(value)) and not (to_the_end and value.endswith("\n")))

    return fits


def _const(constant: Any, _: Schema) -> Fits:
    return lambda value: type(value) is type(constant) and value == constant


def _enum(constants: list[Any], _: Schema) -> Fits:
    if not all(isinstance(constant, str) for constant in constants):
        raise UnknownKeyword("enum")
    known = frozenset(constants)
    return lambda value: isinstance(value, str) and value in known


def _size(kind: type[str] | type[list[Any]] | type[dict[str, Any]], word: str) -> Callable[[int, Schema], Fits]:
    def make(bound: int, _: Schema) -> Fits:
        if word == "min":
            return lambda value: not isinstance(value, kind) or len(value) >= bound
        return lambda value: not isinstance(value, kind) or len(value) <= bound

    return make


def _minimum(bound: float, _: Schema) -> Fits:
    return lambda value: not _TYPES["number"](value) or value >= bound


def _maximum(bound: float, _: Schema) -> Fits:
    return lambda value: not _TYPES["number"](value) or value <= bound


def _one_of(branches: list[Schema], _: Schema) -> Fits:
    """As catalog.strict chooses: by the one constant that all branches have, or by the keys that only one needs."""
    constants = [
        {key for key, schema in branch.get("properties", {}).items() if "const" in schema} for branch in branches
    ]
    shared = set.intersection(*constants)
    if len(shared) > 1:
        raise UnknownKeyword("oneOf")
    if shared:
        return _by_constant(branches, shared.pop())
    return _by_required(branches)


def _by_constant(branches: list[Schema], key: str) -> Fits:
    checks = {branch["properties"][key]["const"]: compiled(branch) for branch in branches}

    def fits(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        check = checks.get(value.get(key)) if isinstance(value.get(key), str) else None
        return check is not None and check(value)

    return fits


def _by_required(branches: list[Schema]) -> Fits:
    checks = [(branch["required"], compiled(branch)) for branch in branches]

    def fits(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        meant = [check for keys, check in checks if any(key in value for key in keys)]
        return len(meant) == 1 and meant[0](value)

    return fits


_MAKERS: dict[str, Callable[[Any, Schema], Fits]] = {
    "type": _type,
    "const": _const,
    "enum": _enum,
    "pattern": _pattern,
    "minLength": _size(str, "min"),
    "maxLength": _size(str, "max"),
    "minItems": _size(list, "min"),
    "maxItems": _size(list, "max"),
    "maxProperties": _size(dict, "max"),
    "minimum": _minimum,
    "maximum": _maximum,
    "required": _required,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "dependencies": _dependencies,
    "properties": _properties,
    "items": _items,
    "uniqueItems": _unique,
    "oneOf": _one_of,
}
