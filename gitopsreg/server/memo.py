"""Answers that were given before, as the bytes that went over the wire. It renders nothing and decides nothing: what
routes answered is remembered for the question that they answered, while the same snapshot is served.
"""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gitopsreg.server.access_log import Access
from gitopsreg.server.packing import takes_packed
from gitopsreg.server.shelf import Shelf

_MIB = 1024 * 1024
# What an entry takes besides its bytes: objects, and its place in a dictionary.
_OVERHEAD = 1000
# What is remembered (see `remembering`) follows from no query. One that every parser of URLs takes is no part of a
# question.
_QUERY = re.compile(rb"\?[0-9A-Za-z%&=+._~-]*")

Headers = Sequence[tuple[bytes, bytes]]


class Question(NamedTuple):
    """All of a request that an answer may depend on. `target` is the path as sent, with a query only if that is an odd
    one; None: no such header.

    `packed`: whether the client takes gzip, which is all that counts of its many ways to say so.
    """

    method: bytes
    target: bytes
    scheme: str
    host: bytes | None
    condition: bytes | None
    authorization: bytes | None
    packed: bool


@dataclass(slots=True)
class Remembered:
    """An answer, for as long as it holds (seconds since 1970). `line` and `head` are its status line
    and its headers but Date and Connection, as they go over the wire. `cell` is where its use is counted.

    `ready` is all of it as it goes over the wire while the server's own headers are `dated`: that is for a second.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    until: float
    line: bytes
    head: bytes
    cell: int
    dated: Headers | None = None
    ready: bytes = b""

    @classmethod
    def of(
        cls, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, *, until: float, cell: int
    ) -> "Remembered":
        """Names of headers are in lower case; Date and Connection may not be among them."""
        kept = tuple(headers)
        head = b"".join(b"%b: %b\r\n" % pair for pair in kept)
        return cls(status, kept, body, until, STATUS_LINE[status], head, cell)

    def date(self, own: Headers) -> None:
        """From now on it is ready with these headers of the server."""
        self.dated, self.ready = own, self.wire(own)

    def wire(self, own: Headers, close: bytes = b"") -> bytes:
        """`close` is one more header, with its line's end."""
        first = b"".join([b"%b: %b\r\n" % pair for pair in own])
        return b"".join((self.line, first, self.head, close, b"\r\n", self.body))


@dataclass(frozen=True, slots=True)
class Repeated:
    """The `answer` to a request that comes again byte by byte while the epoch is `of`, with what the access log says of
    it, if there is one.
    """

    answer: Remembered
    access: Access | None
    of: object


# With any of these a request is more than a question.
_BUSY = frozenset((b"content-length", b"transfer-encoding", b"expect", b"upgrade", b"range", b"if-range", b"if-match"))
# What a question is made of; said twice, it is none.
_TELLING = frozenset((b"host", b"if-none-match", b"authorization", b"accept-encoding"))


def question(method: bytes, target: bytes, scheme: str, headers: list[tuple[bytes, bytes]]) -> Question | None:
    """What is asked, or None for what is more than a plain question; names of headers are in lower case."""
    if method not in {b"GET", b"HEAD"}:
        return None
    told: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _BUSY or name in told:
            return None
        if name in _TELLING:
            told[name] = value
    find = told.get
    accept = find(b"accept-encoding")
    return Question(
        method,
        _path(target),
        scheme,
        find(b"host"),
        find(b"if-none-match"),
        find(b"authorization"),
        accept is not None and takes_packed(accept),
    )


def _path(target: bytes) -> bytes:
    at = target.find(b"?")
    return target[:at] if at >= 0 and _QUERY.fullmatch(target, at) else target


class Memo:
    """Remembers answers of one `epoch`: any object that stands for what is served. For the event loop's thread alone.

    They lie apart, each kind in a bounded place of its own: those to questions without a token, those to questions with
    one, and those that say that there is nothing. So whoever asks for names that don't exist, or with a new token each
    time, pushes out only what others like them asked. The raw bytes of requests lead to answers that lie there.
    """

    def __init__(self, epoch: Callable[[], object], clock: Callable[[], float] = time.time) -> None:
        self.epoch = epoch
        self._clock = clock
        self._of: object = None
        self._open: Shelf[Question, Remembered] = Shelf(50_000, 32 * _MIB, _weight)
        self._tokened: Shelf[Question, Remembered] = Shelf(50_000, 32 * _MIB, _weight)
        self._missing: Shelf[Question, Remembered] = Shelf(5_000, 8 * _MIB, _weight)
        self._raw: dict[object, Shelf[bytes, Repeated]] = {}

    def find(self, asked: Question) -> Remembered | None:
        """What was answered to the same question, if that still holds."""
        if self.epoch() is not self._of:
            return None
        found = self._place(asked).find(asked) or self._missing.find(asked)
        return found if found is not None and self._clock() < found.until else None

    def raw(self, scheme: object) -> Shelf[bytes, Repeated]:
        """What was answered to the very same bytes on connections of one kind; whoever looks there asks `holds`."""
        if scheme not in self._raw:
            self._raw[scheme] = Shelf(20_000, 16 * _MIB, _raw_weight)
        return self._raw[scheme]

    def holds(self, repeated: Repeated) -> bool:
        """Whether it is still the answer."""
        until = repeated.answer.until
        return repeated.of is self.epoch() and (until == inf or self._clock() < until)

    def keep(self, asked: Question, answer: Remembered, epoch: object) -> None:
        """Remember what was rendered while `epoch` was served."""
        if epoch is None or epoch is not self.epoch():
            return
        if epoch is not self._of:
            self._forget(epoch)
        place = self._missing if answer.status >= 400 else self._place(asked)
        place.keep(asked, answer)

    @property
    def of(self) -> object:
        """The epoch of all that is remembered."""
        return self._of

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes that each place holds, worked out anew."""
        return {
            "open": self._open.weight,
            "tokened": self._tokened.weight,
            "missing": self._missing.weight,
            "raw": sum(shelf.weight for shelf in self._raw.values()),
        }

    def _place(self, asked: Question) -> Shelf[Question, Remembered]:
        return self._open if asked.authorization is None else self._tokened

    def _forget(self, epoch: object) -> None:
        for place in (self._open, self._tokened, self._missing):
            place.clear()
        for raw in self._raw.values():
            raw.clear()
        self._of = epoch


def _weight(asked: Question, answer: Remembered) -> int:
    """Headers twice: as they go over the wire, and one by one."""
    told = (asked.target, asked.host or b"", asked.condition or b"", asked.authorization or b"")
    return _OVERHEAD + sum(map(len, told)) + 2 * len(answer.head) + len(answer.body)


def _raw_weight(request: bytes, repeated: Repeated) -> int:
    """Answers lie elsewhere, but hang on while they are named here: each is counted, and once more as it is sent."""
    answer = repeated.answer
    return _OVERHEAD + 2 * len(request) + 2 * (len(answer.head) + len(answer.body))
