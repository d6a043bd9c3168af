"""What a benchmark hands on: Markdown tables for people as they fill, and the same as JSON for benchmarks/plot.py.

Every script takes `--json FILE`, which is written at the end, and `--quick`, which measures less.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Cell = str | int | float | None


def arguments(about: str | None) -> argparse.ArgumentParser:
    """The parser that all scripts share; add your own options to it."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--quick", action="store_true", help="measure less: minutes become seconds")
    return parser


class Result:
    """The figures of one script, by table; `name` is the script's."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._tables: dict[str, list[dict[str, Cell]]] = {}
        self._last = ""
        print(f"{name}, {_machine()}\n", flush=True)

    def row(self, table: str, figures: Mapping[str, Cell]) -> None:
        """Prints it, below the head of its table when the row before was another's."""
        rows = self._tables.setdefault(table, [])
        if table != self._last:
            self._last = table
            print(f"\n{table}\n\n| {' | '.join(figures)} |\n|{'---|' * len(figures)}")
        rows.append(dict(figures))
        print(f"| {' | '.join(shown(cell) for cell in figures.values())} |", flush=True)

    def keep(self, table: str, rows: Iterable[Mapping[str, Cell]]) -> None:
        """For pictures, and not printed: too many to read."""
        self._tables.setdefault(table, []).extend(dict(row) for row in rows)

    def save(self, path: Path | None) -> None:
        print(f"\nLoad at the end: {os.getloadavg()[0]:.1f}", flush=True)
        if path is not None:
            document: dict[str, Any] = {"name": self.name, "machine": _machine(), "tables": self._tables}
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document, indent=1) + "\n")


def shown(cell: Cell) -> str:
    """Three digits are all that a measured number is worth."""
    if cell is None:
        return ""
    if not isinstance(cell, float):
        return f"{cell:,}" if isinstance(cell, int) else cell
    return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.3g}"


def compared(*works: Callable[[], object], times: int = 5) -> list[tuple[float, float]]:
    """(seconds on the wall, seconds of CPU in this process and its children) of each, each the median.

    One after the other in each round: what disturbs one disturbs all. CPU time tells what a busy machine hides.
    """
    wall: list[list[float]] = [[] for _ in works]
    cpu: list[list[float]] = [[] for _ in works]
    for _ in range(times):
        for number, work in enumerate(works):
            began, used = time.perf_counter(), _cpu()
            work()
            wall[number].append(time.perf_counter() - began)
            cpu[number].append(_cpu() - used)
    return [(statistics.median(one), statistics.median(other)) for one, other in zip(wall, cpu, strict=True)]


def _cpu() -> float:
    used = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def shell(command: str, folder: Path) -> Callable[[], object]:
    """A yardstick: `command` in a folder, its output thrown away."""

    def run() -> None:
        subprocess.run(command, shell=True, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S602

    return run


def _machine() -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    load = os.getloadavg()[0]
    return f"{now}, {os.cpu_count()} cores ({platform.machine()}), load {load:.1f}, Python {sys.version.split()[0]}"
