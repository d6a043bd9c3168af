"""The values that hold where nobody says anything, as the kind's schema names them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from gitopsreg.catalog import schema
from gitopsreg.catalog.defaults import Spec

# Maps that count also when nobody wrote them; the parts of others are not made up.
_ALWAYS = frozenset({"guards", "versions", "verify"})
# What these leave open is decided by others: their schemas name the values for readers.
_OPEN = frozenset({"defaults", "template"})


@cache
def built_in(kind: str) -> Spec:
    """The defaults of a kind's spec; none for a kind that has no schema."""
    if kind not in schema.KINDS:
        return {}
    return _defaults(schema.schema(kind).get("properties", {}).get("spec", {}))


def filled(spec: Mapping[str, Any], defaults: Spec) -> dict[str, Any]:
    """The spec, with the defaults of what it leaves open."""
    whole = dict(spec)
    for key, default in defaults.items():
        value = whole.get(key)
        if isinstance(default, Mapping) and (isinstance(value, Mapping) or (value is None and key in _ALWAYS)):
            whole[key] = filled(value or {}, default)
        elif value is None and not isinstance(default, Mapping):
            whole[key] = default
    return whole


def _defaults(described: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in described.get("properties", {}).items():
        if key in _OPEN:
            continue
        if "default" in value:
            found[key] = value["default"]
        elif inner := _defaults(value):
            found[key] = inner
    return found
