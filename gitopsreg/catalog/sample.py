"""A plain value as the YAML that people write: what is small on one line, the rest indented. Writes no file."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gitopsreg.catalog.compose import quoted, value

_WIDTH = 100
# Most of these need no quotes; people who learn to write them without will write 1.10 one day.
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)+\S*")


def yaml_text(plain: Mapping[str, Any]) -> str:
    """The document, as the loader reads it back."""
    return "\n".join(_mapping(plain, 0) if plain else ["{}"]) + "\n"


def one_line(plain: Any) -> str:
    """The value in one line, with braces and brackets."""
    if isinstance(plain, Mapping):
        return "{" + ", ".join(f"{value(key)}: {one_line(item)}" for key, item in plain.items()) + "}"
    if isinstance(plain, list):
        return "[" + ", ".join(one_line(item) for item in plain) + "]"
    return _scalar(plain)


def _scalar(plain: Any) -> str:
    if plain is None:
        return "null"
    if isinstance(plain, bool):
        return "true" if plain else "false"
    # A regular expression is easier to read without doubled backslashes.
    if isinstance(plain, str) and "\\" in plain and "'" not in plain and plain.isprintable():
        return f"'{plain}'"
    if isinstance(plain, str):
        return quoted(plain) if _VERSION.fullmatch(plain) else value(plain)
    return str(plain)


def _mapping(plain: Mapping[str, Any], depth: int) -> Iterator[str]:
    for key, item in plain.items():
        yield from _entry(f"{'  ' * depth}{value(key)}:", item, depth)


def _entry(head: str, item: Any, depth: int) -> Iterator[str]:
    if isinstance(item, str) and _is_block(item):
        yield f"{head} |"
        yield from ("  " * (depth + 1) + line for line in item.splitlines())
        return
    line = f"{head} {one_line(item)}"
    is_small = len(line) <= _WIDTH and _is_flat(item) and head != "spec:"
    if not isinstance(item, Mapping | list) or not item or is_small:
        yield line
        return
    yield head
    if isinstance(item, Mapping):
        yield from _mapping(item, depth + 1)
    else:
        for each in item:
            yield from _item(each, depth + 1)


def _item(item: Any, depth: int) -> Iterator[str]:
    line = f"{'  ' * depth}- {one_line(item)}"
    if not isinstance(item, Mapping) or not item or len(line) <= _WIDTH:
        yield line
        return
    first, *rest = _mapping(item, depth + 1)
    yield f"{'  ' * depth}- {first.lstrip()}"
    yield from rest


def _is_flat(item: Any) -> bool:
    inside = item.values() if isinstance(item, Mapping) else item if isinstance(item, list) else ()
    return not any(isinstance(each, Mapping | list) and each for each in inside)


def _is_block(text: str) -> bool:
    """Several lines that look the same when they are indented."""
    *lines, last = text.split("\n")
    return len(lines) > 1 and not last and all(line.isprintable() and line and line == line.strip() for line in lines)
