"""What is seen of bytes on their way: a bar on a terminal's stderr, else nothing. Never on stdout."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output


@contextmanager
def transfer(title: str, total: int | None = None) -> Iterator[Callable[[str, int], None]]:
    """A function that is told each file and its bytes, of `total` files; the bar is gone when the block ends."""
    if not sys.stderr.isatty():
        yield lambda _name, _size: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=output.console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total, note="")
        done = 0

        def tell(name: str, size: int) -> None:
            nonlocal done
            done += size
            progress.update(task, advance=1, note=printable(f"{output.size(done)}  {name}"))

        yield tell
