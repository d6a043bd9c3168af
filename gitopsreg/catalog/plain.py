"""Plain YAML to values, quickly: what nearly every declaration is. The other door to yaml, for its events.

Whatever is written in a rare way, or must be told to somebody, it leaves to catalog.loader; it never says what is
wrong.
"""

from collections.abc import Callable
from typing import Any

import yaml

from gitopsreg.catalog.files import DEEPEST
from gitopsreg.catalog.scalar import classify

READER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_Next = Callable[[], Any]


class NotPlainError(Exception):
    """There may be something to tell."""


def read(text: str) -> Any:
    """The value of the text's one document. Raises NotPlainError."""
    try:
        following: _Next = READER(text).get_event
        following()
        if type(following()) is not yaml.DocumentStartEvent:
            raise NotPlainError
        value = _node(following(), following, DEEPEST)
        following()
        if type(following()) is not yaml.StreamEndEvent:
            raise NotPlainError
    except yaml.YAMLError as error:
        raise NotPlainError from error
    return value


def _node(event: Any, following: _Next, room: int) -> Any:
    kind = type(event)
    if kind is yaml.AliasEvent or event.anchor is not None or event.tag is not None:
        raise NotPlainError
    if kind is yaml.ScalarEvent:
        return classify(event.value) if event.implicit[0] else event.value
    if room == 0:
        raise NotPlainError
    return _mapping(following, room - 1) if kind is yaml.MappingStartEvent else _sequence(following, room - 1)


def _sequence(following: _Next, room: int) -> list[Any]:
    values = []
    while type(event := following()) is not yaml.SequenceEndEvent:
        values.append(_node(event, following, room))
    return values


def _mapping(following: _Next, room: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    while type(event := following()) is not yaml.MappingEndEvent:
        key = _node(event, following, 0)
        if not isinstance(key, str) or key in values or (key == "<<" and event.implicit[0]):
            raise NotPlainError
        values[key] = _node(following(), following, room)
    return values
