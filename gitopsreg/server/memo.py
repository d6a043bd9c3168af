"""Answers that were given before, as the bytes that went over the wire. It renders nothing and decides nothing: what
routes answered is remembered for the question that they answered, while the same snapshot is served.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE


class Question(NamedTuple):
    """All of a request that an answer may depend on. `target` is path and query as sent; None: no such header."""

    method: bytes
    target: bytes
    scheme: str
    host: bytes | None
    condition: bytes | None
    authorization: bytes | None


class Remembered(NamedTuple):
    """An answer, for as long as it holds (seconds since 1970). `line` and `head` are its status line
    and its headers but Date and Connection, as they go over the wire.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    until: float
    line: bytes
    head: bytes

    @classmethod
    def of(cls, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, until: float) -> "Remembered":
        """Names of headers are in lower case; Date and Connection may not be among them."""
        kept = tuple(headers)
        head = b"".join(b"%b: %b\r\n" % pair for pair in kept)
        return cls(status, kept, body, until, STATUS_LINE[status], head)


# With any of these a request is more than a question.
_BUSY = frozenset((b"content-length", b"transfer-encoding", b"expect", b"upgrade", b"range", b"if-range", b"if-match"))


def question(method: bytes, target: bytes, scheme: str, headers: list[tuple[bytes, bytes]]) -> Question | None:
    """What is asked, or None for what is more than a plain question; names of headers are in lower case."""
    if method not in {b"GET", b"HEAD"}:
        return None
    host = condition = authorization = None
    for name, value in headers:
        if name == b"host":
            if host is not None:
                return None
            host = value
        elif name == b"if-none-match":
            if condition is not None:
                return None
            condition = value
        elif name == b"authorization":
            if authorization is not None:
                return None
            authorization = value
        elif name in _BUSY:
            return None
    return Question(method, target, scheme, host, condition, authorization)


@dataclass(slots=True)
class Memo:
    """Remembers up to `capacity` answers and `budget` bytes of one `epoch`: any object that stands for what is served.

    When it is full it forgets all: answers are quick to make again, and nothing has to be counted on a hit. Used by
    the event loop's thread only.
    """

    epoch: Callable[[], object]
    clock: Callable[[], float] = time.time
    capacity: int = 50_000
    budget: int = 256 * 1024 * 1024
    hits: int = 0
    _of: object = None
    _answers: dict[Question, Remembered] = field(default_factory=dict)
    _raw: dict[tuple[object, bytes], Remembered] = field(default_factory=dict)
    _held: int = 0

    def find(self, asked: Question) -> Remembered | None:
        """What was answered to the same question, if that still holds."""
        if self.epoch() is not self._of:
            return None
        found = self._answers.get(asked)
        return found if found is not None and self.clock() < found.until else None

    def find_raw(self, where: object, request: bytes) -> Remembered | None:
        """What was answered to the very same bytes on a connection of the same kind."""
        found = self._raw.get((where, request))
        if found is None or self.epoch() is not self._of or self.clock() >= found.until:
            return None
        return found

    def keep(self, asked: Question, answer: Remembered, epoch: object) -> None:
        """Remember what was rendered while `epoch` was served."""
        if epoch is None or epoch is not self.epoch():
            return
        size = _size(answer) + len(asked.target)
        if epoch is not self._of or len(self._answers) >= self.capacity or self._held + size > self.budget:
            self._forget(epoch)
        if size <= self.budget // 16:
            self._answers[asked] = answer
            self._held += size

    def keep_raw(self, where: object, request: bytes, answer: Remembered) -> None:
        """Remember the bytes that asked for an answer that is remembered already."""
        if len(self._raw) >= self.capacity:
            self._raw.clear()
        self._raw[where, request] = answer

    def _forget(self, epoch: object) -> None:
        self._answers.clear()
        self._raw.clear()
        self._held = 0
        self._of = epoch


def _size(answer: Remembered) -> int:
    return len(answer.head) + len(answer.body)
