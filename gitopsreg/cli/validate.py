"""`gitopsreg validate`: check the files of a catalog. Offline, quick, and without the libraries of the other verbs."""

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE, FOUND
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.cli.stream import write
from gitopsreg.errors import ConfigError
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.catalog.report import Line

NAME = "validate"
SHORT = "Check a catalog's files."
HELP = """Check a catalog's files and print every problem with file, line and column.

DIR is the catalog's folder; without it the folder of the settings, or this one. Needs no network and no store.

Exit codes: 0 clean, 1 findings, 2 wrong use, wrong settings or an internal error.
"""
EXAMPLES = """Examples:
  gitopsreg validate
  gitopsreg validate example-catalog --strict
  gitopsreg validate --output json | jq '.findings[].message'"""


_STYLES = {
    "place": "bold",
    "error": "bold red",
    "warning": "bold yellow",
    "plain": "",
    "gutter": "blue",
    "caret": "red",
    "hint": "cyan",
    "summary": "bold",
}


@takes("path", *PRINTED)
def command(
    settings: Settings,
    directory: Annotated[
        str | None, typer.Argument(metavar="DIR", help="The catalog's folder.", show_default=False)
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too.")] = False,
) -> int:
    from gitopsreg.catalog import report
    from gitopsreg.catalog.directory import read_directory
    from gitopsreg.catalog.load import load

    started = time.monotonic()
    folder = Path(directory or settings.path)
    if not folder.is_dir():
        raise ConfigError(f'"{folder}" is no directory: name the catalog\'s folder, like "example-catalog"')
    loaded = load(read_directory(folder))
    seconds = time.monotonic() - started
    if settings.output == "json":
        output.print_json(report.as_json(loaded.findings, files=loaded.files, seconds=seconds))
    else:
        show(report.human_lines(loaded.findings, files=loaded.files, seconds=seconds))
    failing = {"error", "warning"} if strict else {"error"}
    return FOUND if any(finding.severity in failing for finding in loaded.findings) else DONE


def show(lines: "Iterable[Line]") -> None:
    """In colours on a terminal; elsewhere as it stands, without the library that colours."""
    if not output.colours(sys.stdout):
        write("".join("".join(text for _, text in line).rstrip() + "\n" for line in lines))
        return
    from rich.text import Text

    out = output.console()
    for line in lines:
        out.print(Text.assemble(*((text, _STYLES[style]) for style, text in line)), soft_wrap=True)
