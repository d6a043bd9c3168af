"""One command run to its end: how long it took and how much memory it held."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LOOK = 0.02  # seconds between two looks at its memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """`peak` is the most memory (MB) that it and the processes that it had started held at a time, each of them at its
    own worst moment so far.

    Not what the system itself adds up for a parent: that counts what the parent held when it started the child.
    """

    seconds: float
    cpu: float
    peak: float
    out: str


def run(command: list[str], variables: Mapping[str, str] | None = None, *, accept: tuple[int, ...] = (0,)) -> Ran:
    """Raises RuntimeError, with what it said, when it ends otherwise than in `accept`."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=errors, env={**os.environ, **(variables or {})})
        memory = _Memory(process.pid)
        memory.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        memory.ended.set()
        memory.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        if process.returncode not in accept:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {errors.read()[-2000:]}")
        cpu = usage.ru_utime + usage.ru_stime
        return Ran(seconds=seconds, cpu=cpu, peak=memory.peak, out=out.read())


def peak(process: int | str = "self") -> float:
    """The most memory that a process ever held, in MB; 0 where there is none."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1_000_000
    return 0.0


class _Memory(threading.Thread):
    """Looks at a process and its children until it has ended."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.ended = threading.Event()
        self.peak = 0.0

    def run(self) -> None:
        while not self.ended.wait(_LOOK):
            held = sum(peak(process) for process in (self.process, *children(self.process)))
            self.peak = max(self.peak, held)


def children(process: int) -> tuple[int, ...]:
    with suppress(OSError):
        threads = Path(f"/proc/{process}/task").iterdir()
        return tuple(int(child) for thread in threads for child in (thread / "children").read_text().split())
    return ()
