"""What is seen while a store is looked after: a bar on a terminal's stderr, else nothing. Never on stdout."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.index.progress import Progress, Unwatched

if TYPE_CHECKING:
    from rich.progress import Progress as Columns


@contextmanager
def working() -> Iterator[Progress]:
    """The bar is gone when the block ends."""
    if not sys.stderr.isatty():
        yield Unwatched()
        return
    from rich import progress

    columns = (
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=30),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[note]}", markup=False),
        progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=output.console(stderr=True), transient=True) as shown:
        yield _Bar(shown)


class _Bar:
    def __init__(self, shown: "Columns") -> None:
        self._shown = shown
        self._task = shown.add_task("", total=None, note="")
        self._bytes = 0

    def working(self, on: str, total: int | None) -> None:
        self._shown.reset(self._task, description=on, total=total, note="")
        self._bytes = 0

    def worked(self, note: str, size: int = 0) -> None:
        self._bytes += size
        amount = f"{output.size(self._bytes)}  " if self._bytes else ""
        self._shown.update(self._task, advance=1, note=printable(f"{amount}{note}"))
