"""Checked files as bytes, those that there is nothing to tell of. A door to orjson: a start waits for it.

A pack is a digest and what it is of: a list of [path, content's name, text, value]. Whatever `encode` did not make is
None.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from gitopsreg.catalog.check import Checked

# A sha256 in hex, and a line break.
_HEAD = 65
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS


class Entry(NamedTuple):
    """One file: its path and the name of its content, its text and what the text says."""

    path: str
    oid: str
    text: str
    value: Any


def entry_of(checked: Checked, oid: str) -> Entry | None:
    """None for a file that there is anything to tell of, and for one with a value that JSON has no word for."""
    document = checked.document
    if document is None or checked.findings or checked.ignores:
        return None
    return Entry(checked.path, oid, document.text, document.value)


def written(value: Any) -> bytes | None:
    """The value's JSON, if it has one that gives it back."""
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except TypeError:
        return None


def listed(values: Iterable[bytes | None]) -> bytes:
    """What was written, in one list; null for None."""
    return b"[" + b",".join(b"null" if value is None else value for value in values) + b"]"


def read(data: bytes | memoryview) -> Any:
    """Raises ValueError for what is no JSON."""
    return orjson.loads(data)


def encode(name: str, entries: Iterable[Entry]) -> bytes:
    """The pack of that name. Leaves out what JSON has no word for."""
    payload = listed(line for entry in entries if (line := written(list(entry))) is not None)
    return head(name, payload) + payload


def decode(name: str, data: bytes) -> list[Entry] | None:
    """What `encode` was given for that name."""
    payload = memoryview(data)[_HEAD:]  # not copied: it may be large
    if data[:_HEAD] != head(name, payload):
        return None
    try:
        found = [Entry(*one) for one in read(payload)]
    except (ValueError, TypeError):
        return None
    texts = (text for entry in found for text in entry[:3])
    return found if all(isinstance(text, str) for text in texts) else None


def head(name: str, payload: bytes | memoryview) -> bytes:
    """The digest that a pack of that name begins with."""
    found = sha256(name.encode() + b"\n")
    found.update(payload)
    return found.hexdigest().encode() + b"\n"
