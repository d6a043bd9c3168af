"""Plain documents taken apart: the way to every value, and copies with one value changed."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

Steps = tuple[Any, ...]


def places(value: Any, steps: Steps = ()) -> Iterator[Steps]:
    """The way to every value of a document."""
    yield steps
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*steps, key))


def changed(document: Any, steps: Steps, change: Callable[[Any], Any]) -> Any:
    """A copy with one value changed."""
    made = copy.deepcopy(document)
    if not steps:
        return change(made)
    made[steps[0]] = changed(document[steps[0]], steps[1:], change)
    return made
