"""The access log as a file: a line of JSON a request, written many at a time. Used by the event loop's thread.

A file that was moved away is made anew, so that whoever rotates logs has nothing to signal. Several processes may write
one file: what is written at once stays together.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from gitopsreg.errors import ConfigError
from gitopsreg.server.access_log import Access

_MOST = 512  # lines that wait
_LONGEST_WAIT = 0.5  # seconds
_KEPT = 2048  # lines that are made once,
_SHORT = 1000  # if they have fewer bytes
_STDOUT = 1


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
        self._failed = False
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
        """Write what waits. What can't be written is lost, and told once until something can be again."""
        lines, self._waiting = self._waiting, []
        if not lines:
            return
        try:
            self._follow()
            _write(self._file, b"".join([_start(int(when)) + self._rest(access) for when, access in lines]))
            self._failed = False
        except OSError as error:
            if not self._failed:
                self._report(
                    f'the access log "{self._path or "-"}" can\'t be written, lines are lost: {error.strerror}'
                )
            self._failed = True

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
        """After the last request."""
        self.flush()
        if self._path is not None:
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


def _write(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]


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
