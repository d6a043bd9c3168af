"""Frozen records that are made by the hundred thousand, at a third of the price. Nothing else about them changes."""

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

_Kind = TypeVar("_Kind", bound=type)


def quick(kind: _Kind) -> _Kind:
    """A frozen dataclass with slots, made without asking for leave: its slots are filled directly, where `dataclasses`
    goes through `object.__setattr__` and looks each name up.

    Takes no default factories.
    """
    parts = fields(kind)
    names: dict[str, Any] = {f"_set_{part.name}": getattr(kind, part.name).__set__ for part in parts}
    names |= {f"_default_{part.name}": part.default for part in parts if part.default is not MISSING}
    plain = [_parameter(part) for part in parts if not part.kw_only]
    named = [_parameter(part) for part in parts if part.kw_only]
    lines = [f"def __init__(self, {', '.join([*plain, *(['*'] if named else []), *named])}):"]
    lines += [f"    _set_{part.name}(self, {part.name})" for part in parts]
    lines += ["    self.__post_init__()"] if hasattr(kind, "__post_init__") else []
    exec("\n".join(lines), names)  # noqa: S102 - as `dataclasses` makes its own, from names of fields alone
    made: Callable[..., None] = names["__init__"]
    made.__qualname__ = f"{kind.__qualname__}.__init__"
    made.__annotations__ = dict(vars(kind)["__init__"].__annotations__)
    type.__setattr__(kind, "__init__", made)
    return kind


def _parameter(part: "Field[Any]") -> str:
    return part.name if part.default is MISSING else f"{part.name}=_default_{part.name}"
