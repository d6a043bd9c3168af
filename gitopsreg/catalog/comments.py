"""The comments of a YAML text, with their places. The library drops them, so they are what no scalar covers."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from gitopsreg.catalog.loader import events, lines_of
from gitopsreg.catalog.problem import Span

_HASH = re.compile(r"(?:^|(?<=[ \t]))#")
# A block scalar that says how far it is indented may hold lines that are indented less than its first.
_EXPLICIT = re.compile(r"[|>][+-]?[1-9]")
_END = 1 << 30


@dataclass(frozen=True, slots=True)
class Comment:
    """`text` begins with its `#`; `alone` when nothing stands before it in the line. Both count from 1."""

    line: int
    column: int
    text: str
    alone: bool


def comments(text: str) -> Iterator[Comment]:
    """Every comment, from the top."""
    lines = lines_of(text)
    covered = _covered(text, lines)
    for number, line in enumerate(lines, start=1):
        for found in _HASH.finditer(line) if "#" in line else ():
            column = found.start() + 1
            if not _inside(column, covered.get(number, [])):
                yield Comment(number, column, line[found.start() :], not line[: found.start()].strip())
                break


def _inside(column: int, stretches: list[tuple[int, int]]) -> bool:
    before = bisect_right(stretches, (column, _END))
    return before > 0 and column < stretches[before - 1][1]


def _covered(text: str, lines: list[str]) -> dict[int, list[tuple[int, int]]]:
    """By line and in order: the columns that scalars take up, end exclusive."""
    covered: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for name, span, style in events(text):
        if name != "scalar":
            continue
        if style in {"|", ">"}:
            for number in _content(span, lines):
                covered[number].append((1, _END))
            continue
        for number in range(span.line, span.end_line + 1):
            start = span.column if number == span.line else 1
            covered[number].append((start, span.end_column if number == span.end_line else _END))
    return covered


def _content(span: Span, lines: list[str]) -> Iterator[int]:
    """The lines of a block's content: what starts with `#` and is indented less has left it."""
    explicit = _EXPLICIT.match(lines[span.line - 1], span.column - 1)
    least = 0
    for number in range(span.line + 1, min(span.end_line, len(lines)) + 1):
        if number == span.end_line and span.end_column == 1:
            return
        line = lines[number - 1]
        bare = line.lstrip(" ")
        least = least or (bool(bare) and not explicit and len(line) - len(bare))
        if bare.startswith("#") and len(line) - len(bare) < least:
            return
        yield number
