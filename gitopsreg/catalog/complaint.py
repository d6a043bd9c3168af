"""What a schema error means to the author of the file: the rule, one sentence, and what to write instead."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from gitopsreg.catalog.nearest import LIKELY, did_you_mean
from gitopsreg.catalog.problem import Problem, name_of, pointer_to
from gitopsreg.catalog.scalar import REFUSED, Ambiguous
from gitopsreg.catalog.written import Written
from gitopsreg.errors import quoted

_TYPES = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
}


class SchemaError(Protocol):
    """What jsonschema says: the keyword that failed, what it demands, and where."""

    validator: Any
    validator_value: Any
    instance: Any
    schema: Any
    absolute_path: Any
    absolute_schema_path: Any


def about(error: SchemaError, written: Written) -> Iterator[Problem]:
    """The problems behind one schema error (several unknown keys are one error)."""
    if error.instance is REFUSED:
        return
    pointer = pointer_to(*error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        yield _key_name(error, pointer)
        return
    tell = _TELLERS.get(str(error.validator))
    if tell is None:
        yield Problem(rule="GR205", message=f"{name_of(pointer)} is not legal here", pointer=pointer)
    else:
        yield from tell(error, pointer, written)


def _type(error: SchemaError, pointer: str, written: Written) -> Iterator[Problem]:
    types = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    wanted = next(name for name in types if name != "null")
    raw = _raw(error.instance, pointer, written)
    message = f"{name_of(pointer)} must be {_TYPES[wanted]}, got {_described(error.instance, raw)}"
    hint = _mend(error.instance, wanted, raw)
    if wanted == "string" and raw and not re.search(error.schema.get("pattern", ""), raw):
        hint = error.schema.get("patternErrorMessage", hint)
        yield Problem(rule="GR201", message=message, hint=hint, pointer=pointer)
        return
    replacement = _replacement(error.instance, wanted, raw, written.raw(pointer) if raw else "")
    yield Problem(rule="GR201", message=message, hint=hint, pointer=pointer, replacement=replacement)


def _replacement(value: object, wanted: str, raw: str, text: str) -> str | None:
    """The value as it was meant: its text is in the file, only the quotes are wrong."""
    plain = raw == text and raw.isprintable() and not raw.startswith("!") and '"' not in raw and "\\" not in raw
    return f'"{raw}"' if wanted == "string" and plain and not isinstance(value, str | list | dict) else None


def _raw(value: object, pointer: str, written: Written) -> str:
    if isinstance(value, Ambiguous):
        return value.raw
    if value is None or isinstance(value, str | list | dict):
        return ""
    return written.raw(pointer)


def _described(value: object, raw: str) -> str:
    match value:
        case Ambiguous():
            return raw
        case bool():
            return str(value).lower()
        case int() | float():
            return f"number {value}"
        case str():
            return f"the string {quoted(value)}"
        case None:
            return "nothing"
        case _:
            return "a list" if isinstance(value, list) else "a mapping"


def _mend(value: object, wanted: str, raw: str) -> str:
    if value is None:
        return "write a value or remove the key"
    if wanted == "string":
        return _mend_string(value, raw)
    if isinstance(value, Ambiguous):
        return f"write {value.plain}" if value.plain and wanted in {"integer", "boolean"} else ""
    if isinstance(value, str):
        return _mend_quoted(value, wanted)
    return ""


def _mend_string(value: object, raw: str) -> str:
    if isinstance(value, Ambiguous):
        return f"write {quoted(raw)} (unquoted {raw} is {value.reads})"
    if isinstance(value, bool):
        return f"write {quoted(raw)} (unquoted {raw} is a boolean)"
    if isinstance(value, int | float):
        what = "a number" if raw == str(value) else f"the number {value}"
        return f"write {quoted(raw)} (unquoted {raw} is {what})"
    return ""


def _mend_quoted(value: str, wanted: str) -> str:
    if wanted == "array":
        return f"write [{quoted(value)}]"
    whole = wanted == "integer" and value.isdecimal()
    truth = wanted == "boolean" and value in {"true", "false"}
    return "write it without quotes" if whole or truth else ""


def _unknown(error: SchemaError, pointer: str, _: Written) -> Iterator[Problem]:
    known = list(error.schema.get("properties", ()))
    lacking = [key for key in error.schema.get("required", ()) if key not in error.instance]
    for key in error.instance:
        if key in known:
            continue
        at = pointer + pointer_to(key)
        if at == "/status":
            hint = "remove it; gitopsreg status shows it"
            yield Problem(
                rule="GR106", message="status is what the registry reports", hint=hint, pointer=at, on_key=True
            )
            continue
        hint = did_you_mean(key, lacking, cutoff=LIKELY) or did_you_mean(key, known) or "known are " + ", ".join(known)
        yield _misspelt(key, hint, pointer)


def _misspelt(key: str, hint: str, pointer: str) -> Problem:
    where = f" in {name_of(pointer)}" if pointer else ""
    at = pointer + pointer_to(key)
    return Problem(rule="GR202", message=f"unknown field {quoted(key)}{where}", hint=hint, pointer=at, on_key=True)


def _missing(error: SchemaError, pointer: str, _: Written) -> Iterator[Problem]:
    # jsonschema makes one error a missing key, and names it only in its own message.
    missing = [key for key in error.validator_value if key not in error.instance]
    key = next((key for key in missing if repr(key) in getattr(error, "message", "")), missing[0])
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    if meant := next((word for word in error.instance if word not in known and _is_meant(word, key)), ""):
        if not known:  # nobody else tells of a key that is wrong where the right one decides what may stand there
            yield _misspelt(meant, did_you_mean(meant, [key], cutoff=LIKELY), pointer)
        return
    message = f"{name_of(pointer)} lacks {quoted(key)}"
    yield Problem(rule="GR203", message=message, hint=f"add {key}", pointer=pointer, on_key=True)


def _is_meant(word: str, key: str) -> bool:
    """Whether a key that is there is the missing one, misspelt: one slip is one error."""
    return bool(did_you_mean(word, [key], cutoff=LIKELY))


def _one_of(error: SchemaError, pointer: str, _: Written) -> Iterator[Problem]:
    keys = error.validator_value
    present = [key for key in keys if key in error.instance]
    if not present:
        words = " or ".join(quoted(key) for key in keys)
        yield Problem(rule="GR203", message=f"{name_of(pointer)} lacks {words}", pointer=pointer, on_key=True)
    for key in present[1:]:
        message = f"{quoted(key)} can't stand beside {quoted(present[0])}"
        hint = "keep one of the two"
        yield Problem(rule="GR205", message=message, hint=hint, pointer=pointer + pointer_to(key), on_key=True)


def _needs(error: SchemaError, pointer: str, _: Written) -> Iterator[Problem]:
    for key, needed in error.validator_value.items():
        if key in error.instance and not set(needed) <= set(error.instance):
            message = f"{quoted(key)} needs {quoted(needed[0])} beside it"
            yield Problem(rule="GR203", message=message, pointer=pointer + pointer_to(key), on_key=True)


def _enum(error: SchemaError, pointer: str, _: Written) -> Iterator[Problem]:
    if isinstance(error.instance, str):
        words = ", ".join(quoted(value) for value in error.validator_value)
        one_of = f"must be one of {words}" if len(error.validator_value) > 1 else f"must be {words}"
        message = f"{name_of(pointer)} {one_of}, got {quoted(error.instance)}"
        hint = did_you_mean(error.instance, error.validator_value)
        yield Problem(rule="GR204", message=message, hint=hint, pointer=pointer)


def _const(error: SchemaError, pointer: str, written: Written) -> Iterator[Problem]:
    if isinstance(error.instance, bool) or isinstance(error.validator_value, str):
        right = quoted(error.validator_value) if isinstance(error.validator_value, str) else "true"
        raw = _raw(error.instance, pointer, written)
        got = quoted(error.instance) if isinstance(error.instance, str) else _described(error.instance, raw)
        message = f"{name_of(pointer)} must be {right}, got {got}"
        rule = error.schema.get("x-rule", "GR204")
        yield Problem(rule=rule, message=message, hint=f"write {right}", pointer=pointer)


def _pattern(error: SchemaError, pointer: str, _: Written) -> Iterator[Problem]:
    rule = error.schema.get("x-rule", "GR205")
    # A block of text may be a secret in the wrong place: it is not repeated.
    value = "" if isinstance(error.instance, str) and "\n" in error.instance else f" {quoted(error.instance)}"
    message = f"{name_of(pointer)}{value} is not legal"
    yield Problem(rule=rule, message=message, hint=error.validator_value, pointer=pointer)


def _key_name(error: SchemaError, pointer: str) -> Problem:
    message = f"{quoted(error.instance)} is not legal in {name_of(pointer)}"
    hint = error.validator_value if error.validator == "pattern" else "write a shorter one"
    return Problem(rule="GR205", message=message, hint=hint, pointer=pointer + pointer_to(error.instance), on_key=True)


def _bound(words: str) -> Callable[[SchemaError, str, Written], Iterator[Problem]]:
    def tell(error: SchemaError, pointer: str, _: Written) -> Iterator[Problem]:
        message = f"{name_of(pointer)} {words.format(error.validator_value)}"
        yield Problem(rule="GR205", message=message, pointer=pointer)

    return tell


def _repeated(error: SchemaError, pointer: str, _: Written) -> Iterator[Problem]:
    message = f"{name_of(pointer)} {quoted(error.instance)} stands twice"
    yield Problem(rule="GR205", message=message, hint="remove it", pointer=pointer)


_TELLERS: dict[str, Callable[[Any, str, Written], Iterator[Problem]]] = {
    "type": _type,
    "additionalProperties": _unknown,
    "required": _missing,
    "oneOf": _one_of,
    "dependencies": _needs,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "uniqueItems": _repeated,
    "minLength": _bound("must not be empty"),
    "maxLength": _bound("may have {} characters at most"),
    "minItems": _bound("must not be empty"),
    "maxItems": _bound("may have {} items at most"),
    "maxProperties": _bound("may have {} keys at most"),
    "minimum": _bound("must be {} or more"),
    "maximum": _bound("must be {} or less"),
}
