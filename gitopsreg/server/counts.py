"""How many requests were answered, by kind of path, class of status, and whether from memory.

One row of cells a worker, in memory that forked workers share: each counts in its own row, any of them reads all, and
who takes a dead worker's place counts on. Adding one costs as much as adding one.
"""

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gitopsreg.protocol import discovery
from gitopsreg.protocol.links import PREFIX as ARTIFACTS

Cells = memoryview  # of unsigned 64-bit numbers

KINDS = (
    "discovery",
    "moduleVersions",
    "moduleDownload",
    "providerVersions",
    "providerDownload",
    "mirror",
    "artifacts",
    "hooks",
    "other",
)
# Those whose answers follow from the snapshot alone.
PROTOCOLS = frozenset(KINDS[:6])
# The first stands for clients that left before there was a status.
CLASSES = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
WAYS = ("rendered", "remembered")

_PER_WAY = len(KINDS) * len(CLASSES)
_PROCESS = len(WAYS) * _PER_WAY  # the cell that holds the worker's process id
_ROW = _PROCESS + 1


def kind_of(path: str) -> str:
    """What a path asks for, whether or not there is such a thing."""
    if path == discovery.PATH:
        return "discovery"
    if path.startswith(discovery.MODULES):
        return "moduleDownload" if path.endswith("/download") else "moduleVersions"
    if path.startswith(discovery.PROVIDERS):
        return "providerDownload" if "/download/" in path else "providerVersions"
    prefixes = {discovery.MIRROR: "mirror", ARTIFACTS: "artifacts", "/hooks/": "hooks"}
    return next((kind for prefix, kind in prefixes.items() if path.startswith(prefix)), "other")


def cell(kind: str, status: int, *, remembered: bool) -> int:
    """Which cell of a row counts such answers."""
    return remembered * _PER_WAY + KINDS.index(kind) * len(CLASSES) + min(status // 100, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """`memory`: resident bytes, what it shares with other processes too; None where the system does not say."""

    process: int
    memory: int | None


class Counts:
    """The cells of `workers` processes; `mine` is the row of the one that calls."""

    mine: Cells

    def __init__(self, workers: int = 1) -> None:
        self._all = memoryview(mmap.mmap(-1, workers * _ROW * 8)).cast("Q")
        self.sit(0)

    def sit(self, number: int) -> None:
        """From now on the process that calls counts in that row."""
        self.mine = self._all[number * _ROW : (number + 1) * _ROW]
        self.mine[_PROCESS] = os.getpid()

    def total(self, way: str) -> int:
        """Answers so far, of all workers."""
        first = WAYS.index(way) * _PER_WAY
        return sum(sum(row[first : first + _PER_WAY]) for row in self._rows())

    def table(self) -> dict[str, dict[str, dict[str, int]]]:
        """Kind, class of status, way: only what was counted."""
        sums = [sum(column) for column in zip(*(row[:_PROCESS] for row in self._rows()), strict=True)]
        found: dict[str, dict[str, dict[str, int]]] = {}
        for at, kind in enumerate(KINDS):
            for status, name in enumerate(CLASSES):
                told = {way: sums[n * _PER_WAY + at * len(CLASSES) + status] for n, way in enumerate(WAYS)}
                if any(told.values()):
                    found.setdefault(kind, {})[name] = told
        return found

    def workers(self) -> list[Worker]:
        processes = [row[_PROCESS] for row in self._rows()]
        return [Worker(process=process, memory=_resident(process)) for process in processes if process]

    def _rows(self) -> Iterator[Cells]:
        return (self._all[start : start + _ROW] for start in range(0, len(self._all), _ROW))


def _resident(process: int) -> int | None:
    """Linux tells; of a process that is gone, or elsewhere, nobody does."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
