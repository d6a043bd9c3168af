"""The access log as a file: a line of JSON a request, many at a time, by a thread that may wait for the disk or for
whoever reads a pipe: requests don't. Told by the event loop's thread.

A file that was moved away is made anew, so that whoever rotates logs has nothing to signal. Several processes may write
one file: what is written at once stays together.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from queue import Full, Queue
from threading import Thread

from gitopsreg.errors import ConfigError
from gitopsreg.server.access_log import Access

_MOST = 512  # lines that wait
_LONGEST_WAIT = 0.5  # seconds
_KEPT = 2048  # lines that are made once,
_SHORT = 1000  # if they have fewer bytes
_STDOUT = 1
_MOST_BATCHES = 64  # of lines that the thread has not written yet
_PATIENCE = 2.0  # seconds for the last of them


class AccessFile:
    """`path` None is standard output. Raises ConfigError for a file that can't be written."""

    def __init__(
        self,
        path: Path | None,
        *,
        report: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._report = report
        self._clock = clock
        self._waiting: list[tuple[float, Access]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._failed = self._torn = False
        self._batches: Queue[bytes | None] = Queue(_MOST_BATCHES)
        self._writer: Thread | None = None
        self._made: dict[int, tuple[Access, bytes]] = {}
        try:
            self._file = _open(path) if path else _STDOUT
        except OSError as error:
            raise ConfigError(f'the access log "{path}" can\'t be written: {error.strerror}') from error

    def tell(self, access: Access) -> None:
        """It is in the file soon, and after `close`."""
        self._waiting.append((self._clock(), access))
        if len(self._waiting) >= _MOST:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LONGEST_WAIT, self._ring)

    def flush(self) -> None:
        """Hand over what waits; where the thread does not keep up it is lost."""
        lines, self._waiting = self._waiting, []
        if not lines:
            return
        if self._writer is None:  # not sooner: a thread does not survive a fork
            self._writer = Thread(target=self._write_all, name="access-log", daemon=True)
            self._writer.start()
        try:
            self._batches.put_nowait(b"".join([_start(int(when)) + self._rest(access) for when, access in lines]))
        except Full:
            self._lost("nobody takes them fast enough")

    def _write_all(self) -> None:
        while (batch := self._batches.get()) is not None:
            try:
                self._follow()
                self._write(b"\n" + batch if self._torn else batch)
                self._failed = False
            except OSError as error:
                self._lost(error.strerror or type(error).__name__)

    def _write(self, batch: bytes) -> None:
        """What ends in the middle of a line spoils no other."""
        left = memoryview(batch)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        finally:
            self._torn = bool(left) and (self._torn or len(left) < len(batch))

    def _lost(self, why: str) -> None:
        """Told once, until something can be written again."""
        if not self._failed:
            self._failed = True
            self._report(f'the access log "{self._path or "-"}" can\'t be written, lines are lost: {why}')

    def _rest(self, access: Access) -> bytes:
        """Of answers from memory the same record comes again and again: its line is made once."""
        if access.seconds:
            return _line(access)
        made = self._made.get(id(access))
        if made is not None and made[0] is access:
            return made[1]
        line = _line(access)
        if len(self._made) >= _KEPT:
            self._made.clear()
        if len(line) < _SHORT:
            self._made[id(access)] = (access, line)
        return line

    def _ring(self) -> None:
        self._timer = None
        self.flush()

    def close(self) -> None:
        """After the last request. Whoever does not take the last lines in time does not get them."""
        self.flush()
        if self._writer is not None:
            with suppress(Full):
                self._batches.put(None, timeout=_PATIENCE)
            self._writer.join(_PATIENCE)
        if self._path is not None and (self._writer is None or not self._writer.is_alive()):
            os.close(self._file)

    def _follow(self) -> None:
        """Write to what has the name now."""
        if self._path is not None and not _is_at(self._path, self._file):
            newer = _open(self._path)
            os.close(self._file)
            self._file = newer


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


@lru_cache(maxsize=4)
def _start(second: int) -> bytes:
    return time.strftime('{"time":"%Y-%m-%dT%H:%M:%SZ",', time.gmtime(second)).encode()


def _line(access: Access) -> bytes:
    told = {
        "client": access.client,
        "method": access.method,
        "path": access.path,
        "status": access.status,
        "bytes": access.sent,
        "seconds": round(access.seconds, 6),
        "userAgent": access.user_agent,
    }
    return json.dumps(told, separators=(",", ":"))[1:].encode() + b"\n"
