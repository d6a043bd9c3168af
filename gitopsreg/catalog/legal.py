"""Small checks that documents of many kinds share: what parses, what stays inside, durations that make sense."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.duration import parse_duration
from gitopsreg.catalog.problem import Problem
from gitopsreg.errors import InvalidName, quoted


@dataclass(frozen=True, slots=True)
class Range:
    """The durations that make sense, and how the limits are written."""

    least: timedelta
    most: timedelta
    words: str


INTERVAL = Range(timedelta(seconds=10), timedelta(days=365), "10s to 365d")
TIMEOUT = Range(timedelta(seconds=1), timedelta(days=1), "1s to 1d")
# Stores sign links for seven days at most.
LINK = Range(timedelta(seconds=10), timedelta(days=7), "10s to 7d")


def check_parse(at: Cursor, rule: str, parse: Callable[[str], Any]) -> Iterator[Problem]:
    """What `parse` has to say of the text, if there is one."""
    if not at.text:
        return
    try:
        parse(at.text)
    except InvalidName as error:
        yield Problem(rule=rule, message=str(error), pointer=at.pointer)


def check_inside(path: Cursor) -> Iterator[Problem]:
    """A folder, if one is named, is inside."""
    if path.text and not is_inside(path.text):
        message = f"the path {quoted(path.text)} is not a folder inside"
        hint = 'write folder names joined by "/", without "." and ".."'
        yield Problem(rule="GR407", message=message, hint=hint, pointer=path.pointer)


def is_inside(path: str) -> bool:
    """Whether the path is made of plain segments: it can't reach outside, on any operating system."""
    plain = path.isprintable() and not any(c in path for c in '\\:*?"<>|')
    return plain and all(part not in {"", ".", "..", ".git"} for part in path.split("/"))


def check_durations(at: Cursor) -> Iterator[Problem]:
    """The interval and the time limit, where they are named."""
    yield from check_duration(at / "interval", INTERVAL)
    yield from check_duration(at / "timeout", TIMEOUT)


def check_duration(at: Cursor, right: Range) -> Iterator[Problem]:
    value = duration(at)
    if value is not None and not right.least <= value <= right.most:
        message = f"{at.steps[-1]} {quoted(at.text)} is out of range"
        yield Problem(rule="GR413", message=message, hint=f"write {right.words}", pointer=at.pointer)


def duration(at: Cursor) -> timedelta | None:
    """What the text says, None when it says none."""
    try:
        return parse_duration(at.text)
    except InvalidName:
        return None
