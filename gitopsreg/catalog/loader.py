"""The door to yaml: bytes in, plain values with positions out, or the problems. Never raises for what the bytes hold.

A strict subset of YAML: one document; no anchors, aliases, merge keys or foreign tags; each key a string, and once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from gitopsreg.catalog.files import DEEPEST, LARGEST_FILE
from gitopsreg.catalog.plain import READER, NotPlainError, read
from gitopsreg.catalog.problem import Problem, Span, pointer_to
from gitopsreg.catalog.scalar import REFUSED, Ambiguous, Scalar, classify
from gitopsreg.errors import quoted

MAX_BYTES = LARGEST_FILE
MAX_DEPTH = DEEPEST
_MAX_PROBLEMS = 100

_CORE = "tag:yaml.org,2002:"
_TAGGED: dict[str, tuple[type, ...]] = {
    _CORE + "int": (int,), _CORE + "float": (float,), _CORE + "bool": (bool,), _CORE + "null": (type(None),),
}  # fmt: skip
# What YAML admits; a byte order mark only at the very start.
_ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
# What libyaml takes for the end of a line.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_EVENTS = {
    yaml.ScalarEvent: "scalar", yaml.MappingStartEvent: "map", yaml.SequenceStartEvent: "list",
    yaml.MappingEndEvent: "end", yaml.SequenceEndEvent: "end",
}  # fmt: skip

Places = dict[str, tuple[Span | None, Span]]


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says. Positions are worked out again from the text, on the rare occasion that somebody asks."""

    value: Any
    text: str

    def places(self) -> Places:
        """JSON pointer → where its key (None for list items) and its value stand."""
        places: Places = {}
        _Composer(self.text, places).document()
        return places

    def lines(self) -> list[str]:
        return lines_of(self.text)


@dataclass(frozen=True, slots=True)
class Parsed:
    """`document` is None when the bytes are no YAML at all; `text` is "" when they are no text."""

    document: Document | None
    problems: tuple[Problem, ...]
    text: str = ""


def parse(data: bytes) -> Parsed:
    """The document in `data`, or why there is none; a document may come with problems."""
    if len(data) > MAX_BYTES:
        return Parsed(None, (_too_large(len(data)),))
    text, problem = _decode(data)
    if problem:
        return Parsed(None, (problem,), text)
    try:
        return Parsed(Document(read(text), text), (), text)
    except NotPlainError:
        return composed(text)


def composed(text: str) -> Parsed:
    """The same of a text, the long way: with all that there is to tell."""
    composer = _Composer(text, None)
    try:
        value = composer.document()
    except _StopError:
        return Parsed(None, tuple(composer.problems), text)
    return Parsed(Document(value, text), tuple(composer.problems), text)


def events(text: str) -> Iterator[tuple[str, Span, str]]:
    """What the text is made of, as far as it is YAML: each `scalar` with its style ("" plain), the start of each `map`
    and `list` ("flow" or ""), and each `end`.
    """
    try:
        for event in yaml.parse(text, Loader=READER):
            if name := _EVENTS.get(type(event)):
                style = "flow" if getattr(event, "flow_style", False) else getattr(event, "style", "")
                yield name, _span(event.start_mark, event.end_mark), style or ""
    except yaml.YAMLError:
        return


def lines_of(text: str) -> list[str]:
    """The lines as positions count them."""
    return _BREAK.split(text)


def _too_large(size: int) -> Problem:
    return Problem(rule="GR007", message=f"the file has {size} bytes, the limit is {MAX_BYTES}")


def _decode(data: bytes) -> tuple[str, Problem | None]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        hint = "save the file as UTF-8"
        return "", Problem(rule="GR002", message="the file is not UTF-8 text", hint=hint, span=_end_of(before))
    if found := _ILLEGAL.search(text):
        message = f"the file holds the control character {quoted(found[0])}"
        return text, Problem(rule="GR002", message=message, hint="remove it", span=_end_of(text[: found.start()]))
    return text, None


def _end_of(text: str) -> Span:
    lines = _BREAK.split(text)
    return Span(len(lines), len(lines[-1]) + 1, len(lines), len(lines[-1]) + 2)


def _span(start: Any, end: Any) -> Span:
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


class _StopError(Exception):
    """Nothing more can be read."""


class _Composer:
    """Events to values. `steps` is the way to where we are: only a problem turns it into a pointer."""

    def __init__(self, text: str, places: Places | None) -> None:
        self.text = text
        self.events: Iterator[Any] = yaml.parse(text, Loader=READER)
        self.places = places
        self.problems: list[Problem] = []
        self.steps: list[str | int] = []
        self.key: Span | None = None

    def document(self) -> Any:
        """The one document. Raises _StopError when there is none."""
        self._next()
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            self._refuse("GR011", "the file is empty", "remove the file, or declare something in it", None)
            raise _StopError
        value = self._node(self._next())
        self._next()
        if isinstance(event := self._next(), yaml.DocumentStartEvent):
            hint = "put each document into a file of its own"
            self._refuse("GR005", "the file holds several documents", hint, event)
        return value

    def _next(self) -> Any:
        try:
            return next(self.events)
        except yaml.YAMLError as error:
            self._refuse_syntax(error)
            raise _StopError from error

    def _node(self, event: Any) -> Any:
        if event.anchor is not None:
            self._refuse_anchor(event)
        if self.places is not None:
            self.places.setdefault(pointer_to(*self.steps), (self.key, _span(event.start_mark, event.end_mark)))
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.AliasEvent):
            return REFUSED
        if len(self.steps) >= MAX_DEPTH:
            self._refuse("GR008", f"nested deeper than {MAX_DEPTH}", "", event)
            raise _StopError
        is_list = isinstance(event, yaml.SequenceStartEvent)
        value = self._sequence() if is_list else self._mapping()
        if event.tag in {None, "!", _CORE + ("seq" if is_list else "map")}:
            return value
        self._refuse_tag(event)
        return REFUSED

    def _sequence(self) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            self.key = None
            self.steps.append(len(values))
            values.append(self._node(event))
            self.steps.pop()
        return values

    def _mapping(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event, values)
            self.steps.append("?" if key is None else key)
            self.key = _span(event.start_mark, event.end_mark)
            value = self._node(self._next())
            self.steps.pop()
            # Of a repeated key the first value stays: the problem says that the second is wrong.
            if key is not None:
                values.setdefault(key, value)
        return values

    def _key(self, event: Any, seen: dict[str, Any]) -> str | None:
        """The key, or None for one that is refused."""
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse("GR009", "a key must be a string", "", event)
            self.steps.append("?")
            self._node(event)
            self.steps.pop()
            return None
        if event.anchor is not None:
            self._refuse_anchor(event)
        key = self._scalar(event)
        if key == "<<" and event.implicit[0]:
            self._refuse("GR010", "merge keys are not read", "write the fields out", event)
            return None
        if not isinstance(key, str):
            if key is not REFUSED:
                self._refuse_key(key, event)
            return None
        if key in seen:
            self._refuse("GR004", f"{quoted(key)} stands twice", "keep one of the two", event, key)
        return key

    def _refuse_key(self, key: Scalar, event: Any) -> None:
        raw = quoted(event.value)
        hint = f"write {raw}" if event.value else "write the key"
        self._refuse("GR009", f"a key must be a string, got {_reads(key, event.value)}", hint, event)

    def _scalar(self, event: Any) -> Scalar:
        raw: str = event.value
        if event.tag is None:
            return classify(raw) if event.implicit[0] else raw
        if event.tag in {"!", _CORE + "str"}:
            return raw
        value = classify(raw)
        if event.tag in _TAGGED and isinstance(value, _TAGGED[event.tag]):
            return value
        self._refuse_tag(event)
        return REFUSED

    def _refuse_tag(self, event: Any) -> None:
        tag = event.tag.replace(_CORE, "!!", 1)
        self._refuse("GR006", f"the tag {quoted(tag)} is not read here", "remove the tag", event)

    def _refuse_anchor(self, event: Any) -> None:
        mark = "*" if isinstance(event, yaml.AliasEvent) else "&"
        what = "alias" if mark == "*" else "anchor"
        self._refuse("GR003", f"the {what} {quoted(mark + event.anchor)} is not read", "write the value out", event)

    def _refuse_syntax(self, error: Exception) -> None:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        words = getattr(error, "problem", None) or getattr(error, "reason", None) or "it can't be read"
        span = Span(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2) if mark else None
        hint = "indent with spaces, not with tabs" if span and _stands_at_tab(self.text, span) else ""
        self.problems.append(Problem(rule="GR001", message=f"not YAML: {words}", hint=hint, span=span))

    def _refuse(self, rule: str, message: str, hint: str, event: Any, *inside: str) -> None:
        if len(self.problems) >= _MAX_PROBLEMS:
            raise _StopError
        span = _span(event.start_mark, event.end_mark) if event else None
        pointer = pointer_to(*self.steps, *inside)
        self.problems.append(Problem(rule=rule, message=message, hint=hint, pointer=pointer, span=span))


def _stands_at_tab(text: str, span: Span) -> bool:
    lines = _BREAK.split(text)
    return span.line <= len(lines) and lines[span.line - 1][span.column - 1 : span.column] == "\t"


def _reads(value: object, raw: str) -> str:
    if isinstance(value, Ambiguous):
        return f"{raw}, which is {value.reads}"
    if value is None:
        return "nothing"
    return f"the {'boolean' if isinstance(value, bool) else 'number'} {raw}"
