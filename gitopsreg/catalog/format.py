"""The canonical form of a declaration: one way to write it, comments kept. It means what it meant, or it is refused.

Keys as the schema orders them, two spaces a level, versions in quotes, short collections in brackets, no spaces at the
ends of lines. Text goes in, text comes out; a library that writes YAML would move comments when keys change places.
"""

import re

from gitopsreg.catalog import schema
from gitopsreg.catalog.canonical import canonical
from gitopsreg.catalog.comments import comments
from gitopsreg.catalog.loader import MAX_BYTES, Parsed, parse
from gitopsreg.catalog.order import Order
from gitopsreg.catalog.outline import CannotOutline, outline
from gitopsreg.errors import InvalidName

_ODD_BREAKS = re.compile("[\x85\u2028\u2029]")


class CannotFormat(InvalidName):
    """A file that must be mended first, or is written in a way that has no canonical form."""


def formatted(data: bytes) -> bytes:
    """The canonical form; formatting it again changes nothing. Raises CannotFormat."""
    before = _parsed(data)
    try:
        root = outline(before.text)
    except CannotOutline as error:
        raise CannotFormat(str(error)) from error
    result = ("\n".join(canonical(root, _order(before))) + "\n").encode()
    _compare(before, result)
    return result


def _parsed(data: bytes) -> Parsed:
    parsed = parse(data)
    if parsed.problems or parsed.document is None:
        problem = parsed.problems[0]
        place = f"line {problem.span.line}: " if problem.span else ""
        raise CannotFormat(f"{place}[{problem.rule}] {problem.message}")
    if found := _ODD_BREAKS.search(parsed.text):
        raise CannotFormat(f"the file holds the line separator U+{ord(found[0]):04X}: write ordinary line breaks")
    if parsed.text.startswith("%") or "\n%" in parsed.text.partition("\n---")[0]:
        raise CannotFormat("the file begins with a directive (%): remove it")
    return parsed


def _order(parsed: Parsed) -> Order:
    value = parsed.document.value if parsed.document else None
    kind = value.get("kind") if isinstance(value, dict) else None
    return Order((schema.schema(kind),)) if isinstance(kind, str) and kind in schema.KINDS else Order()


def _compare(before: Parsed, result: bytes) -> None:
    """The last word: same values, same comments, or nothing is written."""
    after = parse(result) if len(result) <= MAX_BYTES else None
    if after is None or _meaning(after) != _meaning(before) or _words(after.text) != _words(before.text):
        raise CannotFormat("it is written in a way that has no canonical form")


def _meaning(parsed: Parsed) -> object:
    """The values with their types, whatever the order of keys: 1 is not true here."""
    return _typed(parsed.document.value) if parsed.document and not parsed.problems else None


def _typed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    return [_typed(item) for item in value] if isinstance(value, list) else (type(value), value)


def _words(text: str) -> list[str]:
    return sorted(comment.text.rstrip() for comment in comments(text))
