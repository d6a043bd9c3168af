"""Calls whose caller can stop waiting.

Python can't end a thread that hangs in a disk or a socket. So calls run in daemon threads, which are used again; one
that hangs is left behind, and so many may be left behind and no more.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from threading import Lock, RLock, Thread
from typing import Any, Generic, TypeVar

from gitopsreg.errors import StorageError, quoted

_Result = TypeVar("_Result")

_REST = 30.0  # seconds that an idle thread waits for the next call


class Call(Generic[_Result]):
    """One call under way. `since` is when the store's silence began; infinity while it waits for its caller's bytes."""

    __slots__ = ("done", "error", "finished", "function", "given_up", "key", "result", "since", "verb")

    def __init__(self, verb: str, key: str, function: "Callable[[Call[_Result]], _Result]") -> None:
        self.verb, self.key = verb, key
        self.function = function
        self.since = time.monotonic()
        self.done = Lock()
        self.done.acquire()
        self.finished = self.given_up = False
        self.result: _Result | None = None
        self.error: BaseException | None = None

    def __str__(self) -> str:
        return f"{self.verb} {quoted(self.key)}"

    def sourced(self, data: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces for the store: while the next one is made, the silence is not the store's."""
        while True:
            self.since = math.inf
            try:
                piece = next(data, None)
            finally:
                self.since = time.monotonic()
            if self.given_up:
                raise StorageError(f"nobody waits any longer: {self}")
            if piece is None:
                return
            yield piece


class Calls:
    """Runs calls that may be silent for `seconds`; of those left behind at most `most` are out at a time."""

    def __init__(self, seconds: float, *, most: int = 64) -> None:
        self._seconds = seconds
        self._most = most
        self._idle: list[SimpleQueue[Call[Any]]] = []
        self._abandoned = 0
        self._leaves: deque[Call[Any]] = deque()
        self._leaving = 0
        # Reentrant: the collector of garbage may end a forgotten iterator, and so call `leave`, at any allocation.
        self._lock = RLock()

    @property
    def abandoned(self) -> int:
        """Calls that nobody waits for and that have not returned."""
        return self._abandoned

    def run(self, verb: str, key: str, function: Callable[[Call[_Result]], _Result]) -> _Result:
        """What the function returns, or raises. Raises StorageError when it was silent for too long; it may still
        succeed later. `verb` and `key` are for messages.
        """
        call = Call(verb, key, function)
        if self._abandoned >= self._most:
            raise StorageError(f"{self._abandoned} calls to the store hang, so this one was not begun: {call}")
        self._begin(call)
        if not self._wait(call):
            raise StorageError(f"the store did not answer within {self._seconds:g} s: {call}")
        error, call.error = call.error, None
        if error is None:
            return call.result  # type: ignore[return-value]  # without an error there is one
        try:
            raise error
        finally:
            del error  # else it and this frame keep each other alive, and what it holds open

    def leave(self, verb: str, key: str, function: Callable[[], object]) -> None:
        """Begin it and don't wait: for letting go of what was opened. What it raises is lost.

        Many may leave at once, and none of that keeps other calls from being begun; nor may the caller's thread, which
        may be one that must not wait, be the one that lets go.
        """

        def let_go(_: Call[None]) -> None:
            try:
                function()
            finally:
                self._next_leave()

        with self._lock:
            self._leaves.append(Call(verb, key, let_go))
            if self._leaving >= self._most:
                return
            self._leaving += 1
        self._next_leave()

    def _next_leave(self) -> None:
        """In the order they came, `most` at a time: the rest waits, where it harms nobody."""
        with self._lock:
            call = self._leaves.popleft() if self._leaves else None
            self._leaving -= call is None
        if call is not None:
            self._begin(call)

    def _begin(self, call: Call[Any]) -> None:
        with self._lock:
            inbox = self._idle.pop() if self._idle else None
        if inbox is None:
            inbox = SimpleQueue()
            Thread(target=self._work, args=(inbox,), name="store-call", daemon=True).start()
        inbox.put(call)

    def _wait(self, call: Call[Any]) -> bool:
        """Whether it finished; else it is given up."""
        left = self._seconds
        try:
            while not call.done.acquire(timeout=left):
                silent = max(0.0, time.monotonic() - call.since)
                left = self._seconds - silent
                if left <= 0:
                    return not self._give_up(call)
        except BaseException:  # whoever waits was interrupted
            self._give_up(call)
            raise
        return True

    def _give_up(self, call: Call[Any]) -> bool:
        """False when it has just finished."""
        with self._lock:
            if not call.finished:
                call.given_up = True
                self._abandoned += 1
        return call.given_up

    def _work(self, inbox: "SimpleQueue[Call[Any]]") -> None:
        while (call := self._next(inbox)) is not None:
            try:
                call.result = call.function(call)
            except BaseException as error:  # noqa: BLE001 - the caller's to judge
                call.error = error
            self._end(call, inbox)
            del call  # while resting nothing is held

    def _next(self, inbox: "SimpleQueue[Call[Any]]") -> Call[Any] | None:
        while True:
            try:
                return inbox.get(timeout=_REST)
            except Empty:
                with self._lock:
                    if inbox in self._idle:  # else a call is on its way
                        self._idle.remove(inbox)
                        return None

    def _end(self, call: Call[Any], inbox: "SimpleQueue[Call[Any]]") -> None:
        with self._lock:
            call.finished = True
            self._abandoned -= call.given_up
            self._idle.append(inbox)
        call.done.release()
