"""Frozen values as plain JSON values and back, by the types of their fields. Knows no package and no byte.

A field is left out when its value is empty ("", (), None, False, 0) and that is also its default: then a missing field
means the same for ever, whatever the code's defaults become. A field that is not known is skipped, so that a document
with a newer writer's additions can still be read.
"""

import sys
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache, lru_cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from gitopsreg.errors import quoted
from gitopsreg.model.address import ModuleAddress, PackageAddress, Platform, ProviderAddress, parse_address
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version

_LONG = 256


class Malformed(ValueError):
    """A plain value that is not of the wanted shape."""


@dataclass(frozen=True, slots=True)
class Shape:
    """`dump` makes the plain value; `load` takes any plain value and raises ValueError when it is not of this shape."""

    dump: Callable[[Any], Any]
    load: Callable[[Any], Any]


@cache
def shape_of(kind: Any) -> Shape:
    """The shape of a type: a dataclass, one of the model's names, str, int, bool, Literal, `X | None`, a tuple, or
    records that differ in the fields that they must have.
    """
    if kind in _TEXTS:
        return _text(_TEXTS[kind], _WRITTEN.get(kind, str))
    if kind is str:
        return Shape(_same, _plain_text)
    if kind in (int, bool):
        return _exactly(kind)
    return _record(kind) if is_dataclass(kind) else _composed(kind)


def _composed(kind: Any) -> Shape:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _one_of(arguments)
    if origin in (Union, UnionType) and len(arguments) == 2 and NoneType in arguments:
        return _maybe(shape_of(next(each for each in arguments if each is not NoneType)))
    if origin in (Union, UnionType) and all(is_dataclass(each) for each in arguments):
        return _either(arguments)
    if origin is tuple and arguments[1:] == (...,):
        return _list(shape_of(arguments[0]))
    if origin is tuple:
        return _fixed([shape_of(each) for each in arguments])
    raise TypeError(f"{kind} has no shape: the index is made of simpler types")


def _module(text: str) -> ModuleAddress:
    return ModuleAddress.parse(_without_kind(text, "module"))


def _provider(text: str) -> ProviderAddress:
    return ProviderAddress.parse(_without_kind(text, "provider"))


def _without_kind(text: str, kind: str) -> str:
    if not text.startswith(f"{kind}:"):
        raise Malformed(f"{quoted(text)} is no {kind} address")
    return text.removeprefix(f"{kind}:")


_TEXTS: dict[Any, Callable[[str], Any]] = {
    ModuleAddress: _module,
    ProviderAddress: _provider,
    PackageAddress: parse_address,
    Platform: lru_cache(4096)(Platform.parse),
    Sha256: Sha256,
    Version: Version.parse,
}


# How each is written: for the most part without a call of ours.
_WRITTEN: dict[Any, Callable[[Any], str]] = {Sha256: attrgetter("hex"), Version: attrgetter("text")}


def _text(parse: Callable[[str], Any], write: Callable[[Any], str]) -> Shape:
    def load(plain: Any) -> Any:
        if type(plain) is not str:
            raise Malformed(f"{plain!r:.80} is no text")
        return parse(plain)

    return Shape(write, load)


def _exactly(kind: type) -> Shape:
    def load(plain: Any) -> Any:
        if type(plain) is not kind:  # not isinstance: True is an int
            raise Malformed(f"{plain!r:.80} is no {kind.__name__}")
        return plain

    return Shape(_same, load)


def _plain_text(plain: Any) -> str:
    if type(plain) is not str:
        raise Malformed(f"{plain!r:.80} is no str")
    # Long texts are keys, and repeat from version to version.
    return sys.intern(plain) if len(plain) > _LONG else plain


def _one_of(choices: tuple[Any, ...]) -> Shape:
    def load(plain: Any) -> Any:
        if type(plain) is not str or plain not in choices:
            raise Malformed(f"{plain!r:.80} is none of {', '.join(choices)}")
        return plain

    return Shape(_same, load)


def _maybe(inner: Shape) -> Shape:
    dump, load = inner.dump, inner.load
    return Shape(
        _same if dump is _same else lambda value: None if value is None else dump(value),
        lambda plain: None if plain is None else load(plain),
    )


def _either(kinds: tuple[Any, ...]) -> Shape:
    """A record is of the first kind whose required fields are all there."""
    shapes = {kind: shape_of(kind) for kind in kinds}
    required = [
        (shapes[kind], {field.name for field in fields(kind) if not _empty_default(field)[0]}) for kind in kinds
    ]

    def load(plain: Any) -> Any:
        if type(plain) is not dict:
            raise Malformed(f"{plain!r:.80} is no object")
        for shape, names in required:
            if names <= plain.keys():
                return shape.load(plain)
        raise Malformed(f"{plain!r:.80} is none of {', '.join(kind.__name__ for kind in kinds)}")

    dumps = {kind: shape.dump for kind, shape in shapes.items()}
    return Shape(lambda value: dumps[type(value)](value), load)


def _list(item: Shape) -> Shape:
    dump, load_item = item.dump, item.load

    def load(plain: Any) -> Any:
        if type(plain) is not list:
            raise Malformed(f"{plain!r:.80} is no list")
        return tuple([load_item(each) for each in plain])

    return Shape(list if dump is _same else lambda value: [dump(each) for each in value], load)


def _fixed(items: list[Shape]) -> Shape:
    def load(plain: Any) -> Any:
        if type(plain) is not list or len(plain) != len(items):
            raise Malformed(f"{plain!r:.80} is no list of {len(items)}")
        return tuple([item.load(each) for item, each in zip(items, plain, strict=True)])

    return Shape(lambda value: [item.dump(each) for item, each in zip(items, value, strict=True)], load)


def _record(kind: Any) -> Shape:
    hints = get_type_hints(kind)
    parts = [(field.name, shape_of(hints[field.name]), *_empty_default(field)) for field in fields(kind)]
    loads = [(name, shape.load, optional) for name, shape, optional, _ in parts]

    dump = _dump(parts)

    def load(plain: Any) -> Any:
        if type(plain) is not dict:
            raise Malformed(f"{plain!r:.80} is no object")
        values = {}
        name = ""
        try:
            for name, load_part, optional in loads:
                if name in plain:
                    values[name] = load_part(plain[name])
                elif not optional:
                    raise Malformed("it is missing")
        except ValueError as error:
            raise Malformed(f"{name}: {error}") from error
        return kind(**values)

    return Shape(dump, load)


def _dump(parts: list[tuple[str, Shape, bool, Any]]) -> Callable[[Any], Any]:
    """What must be there is written in one go, and then what is not as it is when it is missing: mostly little. What is
    written as it is needs no call: there are millions of them.
    """
    needed = [(name, shape.dump) for name, shape, optional, _ in parts if not optional]
    names = [name for name, _ in needed]
    needed_values = _values_of(names)
    dumps = [(name, dump) for name, dump in needed if dump is not _same]
    optional_names = [name for name, _, optional, _ in parts if optional]
    optional_values = _values_of(optional_names)
    empties = tuple(empty for *_, optional, empty in parts if optional)
    optionals = [(name, shape.dump, empty) for name, shape, optional, empty in parts if optional]

    def dump(value: Any) -> Any:
        plain = dict(zip(names, needed_values(value), strict=True))
        for name, dump_part in dumps:
            plain[name] = dump_part(plain[name])
        if (rest := optional_values(value)) != empties:
            for (name, dump_part, empty), part in zip(optionals, rest, strict=True):
                if part != empty:
                    plain[name] = dump_part(part)
        return plain

    return dump


def _values_of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return (lambda value: (getattr(value, names[0]),)) if names else lambda _: ()


def _empty_default(field: "Field[Any]") -> tuple[bool, Any]:
    """Whether the field's default is empty, and that default."""
    default = field.default
    return default is not MISSING and default in ("", (), None, False, 0), default


def _same(value: Any) -> Any:
    return value
