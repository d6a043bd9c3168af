"""rich's console, except that it outlives its reader: rich would end the thread that happens to print."""

from rich.console import Console

from gitopsreg.cli.stream import silence


class LastingConsole(Console):
    """Quiet once nobody reads it."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        silence(self.file)
