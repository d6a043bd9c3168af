"""What is seen of a run while it works: a bar on a terminal's stderr, else nothing. Never on stdout."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.cli.holding import tell_waiting
from gitopsreg.reconcile.events import Silent
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID


class Bar(Silent):
    """One line that moves until `stop`; what comes later is not shown. Told from several threads."""

    def __init__(self, out: "Console") -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._progress: Progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            console=out,
            transient=True,
        )
        self._task: TaskID | None = None
        self._bytes = 0
        self._progress.start()
        self._next("Reading the catalog", None)

    def stop(self) -> None:
        self._progress.stop()

    def waiting(self, message: str) -> None:
        self._next(f"Waiting: {printable(message)}", None)

    def started(self, revision: str) -> None:
        self._next(f"Checking {printable(output.short_revision(revision))}", None)

    def resolving(self, total: int) -> None:
        self._next("Asking upstreams", total)

    def resolved(self, address: str) -> None:
        self._advance(address)

    def fetching(self, total_versions: int) -> None:
        self._next("Storing versions", total_versions)

    def stored(self, address: str, version: str, size: int) -> None:
        self._bytes += size
        self._advance(f"{output.size(self._bytes)}  {address} {version}")

    def failed(self, address: str, version: str, reason: str, message: str) -> None:
        del message  # told at the end
        self._advance(f"{address} {version}: {reason}")

    def _next(self, description: str, total: int | None) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(description, total=total, note="")

    def _advance(self, note: str) -> None:
        if self._task is not None:
            self._progress.update(self._task, advance=1, note=printable(note))


class Nothing(Silent):
    """Where nobody watches; a log of what is waited for may be read later."""

    def waiting(self, message: str) -> None:
        tell_waiting(message)

    def stop(self) -> None:
        pass


@contextmanager
def reporter_for(settings: Settings) -> Iterator[Bar | Nothing]:
    """A bar where a person watches a terminal, else nothing; it is gone when the block ends."""
    watched = sys.stderr.isatty() and settings.log_format == "text"
    reporter = Bar(output.console(stderr=True)) if watched else Nothing()
    try:
        yield reporter
    finally:
        reporter.stop()
