"""Which bytes of a stored value a client wants (RFC 9110 14). Pure; one range at a time, the rest is the whole."""

import re
from dataclasses import dataclass
from typing import Literal

_ONE_RANGE = re.compile(r"bytes[ \t]*=[ \t]*([0-9]{0,18})[ \t]*-[ \t]*([0-9]{0,18})[ \t]*")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` up to and without `stop` of a value of `size` bytes."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def wanted(header: str | None, size: int) -> Span | Literal["whole", "unsatisfiable"]:
    """What a `Range` header asks for: the whole also when it can't be read or names several ranges."""
    match = _ONE_RANGE.fullmatch(header.strip()) if header else None
    if match is None or match[1] == match[2] == "":
        return "whole"
    if match[1] == "":
        length = min(int(match[2]), size)
        return Span(size - length, size, size) if length else "unsatisfiable"
    start = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < start:
        return "whole"
    return Span(start, min(last, size - 1) + 1, size) if start < size else "unsatisfiable"
