"""Several processes that serve one address: forked, looked after, and ended together. Knows no HTTP.

The parent serves nothing and loads nothing, so that it may fork at any time. It talks to each worker by a line of its
own (a pair of sockets), not by signals: a signal may come twice, from us and from whoever stops a whole group. A worker
that loses its parent ends by itself.
"""

import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from gitopsreg.server.seats import DONE, LEAVE, READY, STOP, TAKE, word, words

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
# A worker that lived this long did not fail to start; seconds.
_SETTLED = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 30.0
# Beyond the time that a worker has for its end.
_MERCY = 10.0


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker knows of its place. `first`: it is the first ever on the first place."""

    number: int
    first: bool
    line: socket.socket

    def ready(self) -> None:
        """It answers requests now."""
        with suppress(OSError):
            self.line.send(word(READY))


@dataclass(slots=True)
class _Seat:
    """One worker's place, whoever has it; times are those of the monotonic clock."""

    number: int
    process: int | None = None
    line: socket.socket | None = None
    since: float = 0.0
    silent: bool = False  # it is gone, and will be buried: nothing more is heard from it
    ready: bool = False  # it served once
    serves: bool = False
    covered: "_Seat | None" = None  # who accepts for it
    failures: int = 0
    due: float | None = None  # when somebody is to sit down

    def tell(self, verb: bytes, seat: int = 0) -> None:
        if self.line is not None:
            with suppress(OSError):
                self.line.send(word(verb, seat))


class Workers:
    """`work` is done by `count` processes: it serves until told to stop, and returns an exit code.

    The first is started alone. Once it is ready the others follow; when it ends before, what it found wrong is wrong
    for all, and its exit code is the result. Afterwards whoever ends is replaced, the later the more often it fails;
    while a seat has nobody who serves, another worker accepts for it.
    `patience` is how long they may take to end, in seconds; `report` takes sentences that an operator should read;
    `on_stop` is called when all are told to stop.
    """

    def __init__(
        self,
        count: int,
        work: Callable[[Post], int],
        *,
        patience: float,
        report: Callable[[str], None],
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._work = work
        self._on_stop = on_stop
        self._patience = patience
        self._report = report
        self._seats = [_Seat(number) for number in range(count)]
        self._settled = False  # a first worker was ready once
        self._stopping: float | None = None  # since when
        self._code = 0

    def run(self) -> int:
        """Until SIGTERM or SIGINT, and the last worker has ended; a second one ends them at once. The exit code."""
        gc.freeze()  # what the workers share stays shared: a collector would write to it
        with _signals() as wake:
            self._seats[0].due = time.monotonic()
            while self._stopping is None or self._alive():
                self._start_due()
                self._hear(wake)
                self._bury()
                self._cover()
        return self._code

    def _alive(self) -> bool:
        return any(seat.process is not None for seat in self._seats)

    def _start_due(self) -> None:
        now = time.monotonic()
        for seat in self._seats:
            if seat.process is None and seat.due is not None and seat.due <= now and self._stopping is None:
                self._try_to_start(seat)

    def _try_to_start(self, seat: _Seat) -> None:
        """The system may be short of memory or processes for a while: the other workers are not to end for that."""
        try:
            self._start(seat)
        except OSError as error:
            if not self._settled:
                raise
            pause = self._put_off(seat)
            self._report(f"worker {seat.number + 1} can't be started ({error.strerror}); tried again in {pause:g} s")

    def _start(self, seat: _Seat) -> None:
        ours, theirs = socket.socketpair()
        first = seat.number == 0 and not self._settled
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            process = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if process == 0:
            for line in (ours, *(other.line for other in self._seats)):
                if line is not None:
                    line.close()
            _live(self._work, Post(seat.number, first, theirs))
        theirs.close()
        seat.process, seat.line, seat.since, seat.due = process, ours, time.monotonic(), None
        seat.silent = seat.ready = False

    def _hear(self, wake: socket.socket) -> None:
        """Waits for a signal, a worker's word, or the next thing to do."""
        lines = {seat.line: seat for seat in self._seats if seat.line is not None and not seat.silent}
        readable, _, _ = select.select([wake, *lines], [], [], self._wait())
        for line in readable:
            if line is wake:
                self._signalled(wake.recv(64))
            else:
                self._told(lines[line], _heard(line))
        if self._stopping is not None and time.monotonic() - self._stopping > self._patience + _MERCY:
            self._kill()

    def _wait(self) -> float | None:
        now = time.monotonic()
        times = [seat.due for seat in self._seats if seat.due is not None and self._stopping is None]
        if self._stopping is not None:
            times.append(max(now, self._stopping + self._patience + _MERCY) + 0.1)
        return max(0.0, min(times) - now) if times else None

    def _told(self, seat: _Seat, said: bytes) -> None:
        seat.silent = not said
        verbs = [verb for verb, _ in words(said)]
        seat.ready = seat.ready or READY in verbs
        seat.serves = seat.ready and not seat.silent and DONE not in verbs
        if seat.serves and not self._settled:
            self._settled = True
            for other in self._seats[1:]:
                other.due = time.monotonic()

    def _cover(self) -> None:
        """Whoever serves accepts also for those who don't, until they do."""
        serving = [seat for seat in self._seats if seat.serves and self._stopping is None]
        for seat in self._seats:
            before = seat.covered if seat.covered in serving else None
            seat.covered = None if seat.serves or not serving else before or serving[0]
            if before is not seat.covered:
                if before is not None:
                    before.tell(LEAVE, seat.number)
                if seat.covered is not None:
                    seat.covered.tell(TAKE, seat.number)

    def _signalled(self, numbers: bytes) -> None:
        for number in numbers:
            if number != signal.SIGCHLD:
                self._stop()

    def _stop(self) -> None:
        if self._stopping is None:
            self._on_stop()
        self._stopping = self._stopping or time.monotonic()
        for seat in self._seats:
            seat.tell(STOP)
            if seat.process is not None and not seat.ready:
                os.kill(seat.process, signal.SIGTERM)  # it serves nobody yet, and does not listen to us either

    def _kill(self) -> None:
        for seat in self._seats:
            if seat.process is not None:
                self._report(f"worker {seat.number + 1} (process {seat.process}) does not end, and is killed")
                os.kill(seat.process, signal.SIGKILL)

    def _bury(self) -> None:
        for seat in self._seats:
            if seat.process is not None:
                process, status = os.waitpid(seat.process, os.WNOHANG)
                if process:
                    self._ended(seat, os.waitstatus_to_exitcode(status))

    def _ended(self, seat: _Seat, code: int) -> None:
        process, lived = seat.process, time.monotonic() - seat.since
        if seat.line is not None:
            seat.line.close()
        seat.process = seat.line = None
        seat.serves = False
        if self._stopping is not None:
            return
        if not self._settled:
            self._stopping = time.monotonic()
            self._code = code if code >= 0 else 128 - code
            return
        if lived > _SETTLED:
            seat.failures = -1
        pause = self._put_off(seat)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._report(f"worker {seat.number + 1} (process {process}) ended with {how}; a new one starts in {pause:g} s")

    def _put_off(self, seat: _Seat) -> float:
        """The later, the more often it failed; the pause in seconds."""
        seat.failures += 1
        pause = min(_FIRST_PAUSE * 2.0 ** max(0, seat.failures - 1), _LONGEST_PAUSE)
        seat.due = time.monotonic() + pause
        return pause


def _live(work: Callable[[Post], int], post: Post) -> None:
    """A worker's whole life; never returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        # A terminal's Ctrl-C goes to the whole group: the parent tells us.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        code = work(post)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _heard(line: socket.socket) -> bytes:
    """Nothing when whoever had the other end is gone."""
    try:
        return line.recv(64)
    except OSError:
        return b""


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """A socket that gets the number of each signal that comes."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    before = {number: signal.signal(number, _noted) for number in _SIGNALS}
    wakeup = signal.set_wakeup_fd(theirs.fileno())
    try:
        yield ours
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        ours.close()
        theirs.close()


def _noted(_number: int, _frame: object) -> None:
    """Without a handler of ours a signal would not be told of."""
