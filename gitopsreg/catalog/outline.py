"""A YAML text as a tree that keeps how it was written: raw scalars, styles, comments and blank lines. Changes nothing.

A comment belongs to what stands below it, or before it in its line; at the end of a block to that block.
"""

import re
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from gitopsreg.catalog.comments import comments
from gitopsreg.catalog.loader import events, lines_of
from gitopsreg.catalog.problem import Span
from gitopsreg.errors import InvalidName, quoted

_HEADER = re.compile(r"[|>][-+0-9]*")


class CannotOutline(InvalidName):
    """A text whose comments or layout have no place in the tree."""


@dataclass(slots=True)
class Node:
    """`raw` is a scalar's source text, line by line; a block scalar's first line is its header, the others its content
    without indentation. `head` are the lines above the whole document, `tail` those at the end of a block.
    """

    kind: Literal["scalar", "map", "list"]
    span: Span
    style: str
    raw: list[str] = field(default_factory=list)
    entries: list["Entry"] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    has_comments: bool = False

    @property
    def is_text_block(self) -> bool:
        return self.style in {"|", ">"}


@dataclass(slots=True)
class Entry:
    """One pair of a map, or one item of a list (`key` is None). Comments in lines of their own are `above` it and
    `under` its key; one beside the key or the dash is `beside`, one behind the value `behind`, both with the space
    before them. "" is a blank line.
    """

    key: Node | None
    value: Node
    above: list[str] = field(default_factory=list)
    under: list[str] = field(default_factory=list)
    beside: str = ""
    behind: str = ""


def outline(text: str) -> Node:
    """The tree of a text that the loader reads without a problem. Raises CannotOutline."""
    lines = lines_of(text)
    reader = _Reader(text, lines)
    root = reader.node()
    if root.kind != "map" or not root.entries:
        raise CannotOutline("the document is no mapping")
    _Hanger(text, lines, reader.inside).hang_all(root)
    return root


class _Reader:
    """Events become nodes. `inside` are the lines that belong to scalars whole."""

    def __init__(self, text: str, lines: list[str]) -> None:
        self.lines = lines
        self.events = deque(events(text))
        self.inside: set[int] = set()
        self.parents: list[int] = []
        found = list(comments(text))
        self.places = [(comment.line, comment.column) for comment in found]
        self.alone = {comment.line for comment in found if comment.alone}

    def node(self) -> Node:
        name, span, style = self.events.popleft()
        if name == "scalar":
            return self._scalar(span, style)
        made = Node("map" if name == "map" else "list", span, style)
        self.parents.append(span.column - 1)
        while self.events[0][0] != "end":
            made.entries.append(self._entry(made))
        end = self.events.popleft()[1]
        self.parents.pop()
        made.span = Span(span.line, span.column, end.end_line, end.end_column) if style else _around(made)
        made.has_comments = bool(style) and self._has_comments(made.span)
        return made

    def _entry(self, parent: Node) -> Entry:
        key = self.node() if parent.kind == "map" else None
        if key is not None and not parent.entries:
            # A tag may stand before a block; its column is the first key's.
            self.parents[-1] = key.span.column - 1
        if key is not None and (key.kind != "scalar" or len(key.raw) != 1 or key.is_text_block):
            raise CannotOutline(f"line {key.span.line}: a key is more than a word in a line")
        return Entry(key, self.node())

    def _has_comments(self, span: Span) -> bool:
        before = bisect_right(self.places, (span.end_line, span.end_column))
        return before > 0 and self.places[before - 1] > (span.line, span.column)

    def _scalar(self, span: Span, style: str) -> Node:
        if style in {"|", ">"}:
            return self._text_block(span, style)
        first, last = span.line - 1, span.end_line - 1
        if first == last:
            text = self.lines[first][span.column - 1 : span.end_column - 1] if first < len(self.lines) else ""
            return Node("scalar", span, style, [text])
        rest = [*self.lines[first + 1 : last], self.lines[last][: span.end_column - 1]]
        self.inside.update(range(span.line, span.end_line + 1))
        raw = [self.lines[first][span.column - 1 :], *(line.lstrip(" \t") for line in rest)]
        return Node("scalar", span, style, raw)

    def _text_block(self, span: Span, style: str) -> Node:
        header = _HEADER.match(self.lines[span.line - 1], span.column - 1)
        if header is None:
            raise CannotOutline(f"line {span.line}: the text block has a tag")
        end = span.end_line - 1 if span.end_column == 1 else span.end_line
        end = next((line for line in range(span.line + 1, end + 1) if line in self.alone), end + 1) - 1
        content = self.lines[span.line : end]
        digit = re.search(r"[1-9]", header[0])
        outer = self.parents[-1] if self.parents else 0
        indent = outer + int(digit[0]) if digit else _indent(content)
        # Longer lines of nothing but spaces are text.
        while content and not content[-1].strip(" ") and len(content[-1]) <= indent and "+" not in header[0]:
            content.pop()
        last = span.line + len(content)
        self.inside.update(range(span.line + 1, last + 1))
        around = Span(span.line, span.column, last, len(self.lines[last - 1]) + 1)
        # Where the file ends without a line break, so does the text: with one behind it, only "-" says so.
        bare = content and last == len(self.lines)
        first = header[0].rstrip("+-") + "-" if bare else header[0]
        return Node("scalar", around, style, [first, *(line[indent:] for line in content)])


class _Hanger:
    """Hangs every comment and blank line on the tree; what is left over is a reason to refuse."""

    def __init__(self, text: str, lines: list[str], inside: set[int]) -> None:
        self.lines = lines
        found = list(comments(text))
        self.beside = {comment.line: comment for comment in found if not comment.alone}
        self.alone = {comment.line: comment for comment in found if comment.alone}
        self.loose = deque(
            number
            for number, line in enumerate(lines, start=1)
            if number not in inside and (number in self.alone or not line.strip(" \t"))
        )

    def hang_all(self, root: Node) -> None:
        root.head = self._take(root.span.line)
        self._hang(root)
        root.tail += self._take(len(self.lines) + 1)
        if self.beside:
            line = min(self.beside)
            raise CannotOutline(f"line {line}: no place is known for the comment {quoted(self.beside[line].text)}")

    def _hang(self, node: Node) -> None:
        for entry in node.entries:
            head = self._head(node, entry)
            entry.above = self._take(head)
            value = entry.value
            if value.span.line > head:
                entry.beside = self._pop(head)
            if value.kind == "scalar" or (value.style and not value.has_comments):
                entry.under = self._take(value.span.line)
                entry.behind = self._pop(value.span.line if value.is_text_block else value.span.end_line)
            elif value.style:
                self._hang_flow(entry)
            else:
                self._hang(value)
                value.tail = self._tail(value)

    def _hang_flow(self, entry: Entry) -> None:
        """A collection in brackets, with comments inside: it will become a block."""
        node = entry.value
        entry.under = self._take(node.span.line)
        first = node.entries[0] if node.entries else None
        if first is None or (first.key or first.value).span.line > node.span.line:
            entry.beside = entry.beside or self._pop(node.span.line)
        self._hang(node)
        node.tail = self._take(node.span.end_line)
        entry.beside = entry.beside or self._pop(node.span.end_line)

    def _head(self, node: Node, entry: Entry) -> int:
        """The line of the key, or of a list item's dash."""
        if entry.key is not None or node.style:
            return (entry.key or entry.value).span.line
        column = node.span.column - 1
        for number in range(entry.value.span.line, node.span.line - 1, -1):
            line = self.lines[number - 1]
            if line[column : column + 1] == "-" and not line[:column].strip(" -?:"):
                return number
        return entry.value.span.line

    def _take(self, before: int) -> list[str]:
        """The loose lines above a line."""
        taken = []
        while self.loose and self.loose[0] < before:
            taken.append(self._text(self.loose.popleft()))
        return taken

    def _tail(self, node: Node) -> list[str]:
        """The lines right below the block that are indented like it."""
        last = 0
        for count, number in enumerate(self.loose, start=1):
            is_comment = number in self.alone
            if number != node.span.end_line + count or (is_comment and self.alone[number].column < node.span.column):
                break
            last = count if is_comment else last
        return [self._text(self.loose.popleft()) for _ in range(last)]

    def _text(self, number: int) -> str:
        return self.alone[number].text.rstrip() if number in self.alone else ""

    def _pop(self, line: int) -> str:
        """The comment beside something in this line, with the space before it."""
        comment = self.beside.pop(line, None)
        if comment is None:
            return ""
        before = self.lines[line - 1][: comment.column - 1]
        return " " * max(1, len(before) - len(before.rstrip(" \t"))) + comment.text.rstrip()


def _around(node: Node) -> Span:
    """A block ends where its last entry does: the library says only where the next thing begins."""
    if not node.entries:
        return node.span
    first = node.entries[0].key
    start = first.span if first else node.span
    last = node.entries[-1].value.span
    return Span(start.line, start.column, last.end_line, last.end_column)


def _indent(content: list[str]) -> int:
    first = next((line for line in content if line.strip(" ")), "")
    return len(first) - len(first.lstrip(" "))
