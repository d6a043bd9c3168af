"""How results look: aligned tables, colours only where they are welcome, JSON for programs. Results go to stdout."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from gitopsreg.catalog.report import printable
from gitopsreg.cli.stream import write

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SCHEMA_VERSION = 1
# In all our tables the name is the first column, or the second after a sign.
_NAMES = 1


def console(*, stderr: bool = False) -> "Console":
    """A terminal gets colours unless NO_COLOR; anything else gets plain lines, never cut or wrapped."""
    from gitopsreg.cli.console import LastingConsole

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 10_000
    return LastingConsole(
        stderr=stderr, highlight=False, markup=False, emoji=False, width=width, no_color=no_color() or None
    )


def no_color() -> bool:
    return bool(os.environ.get("NO_COLOR"))


def colours(stream: Any) -> bool:
    """Whether text written straight to this stream may be coloured."""
    return bool(stream.isatty()) and not no_color() and os.environ.get("TERM") != "dumb"


def table(out: "Console", header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Aligned columns without lines around them. Cells may be anything: control characters are made visible."""
    from rich.text import Text

    styled_table(out, header, [[Text(printable(cell), style=_style(cell)) for cell in row] for row in rows])


def styled_table(out: "Console", header: Sequence[str], rows: "Iterable[Sequence[Text]]") -> None:
    """The same of cells that have their colours; text of others in them must have gone through `printable`."""
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, title in enumerate(header):
        # Names stay whole: they are what people copy.
        grid.add_column(title, overflow="fold", no_wrap=number <= _NAMES)
    for row in rows:
        grid.add_row(*row)
    if out.is_terminal:
        out.print(grid)
        return
    with out.capture() as lines:
        out.print(grid)
    write("".join(f"{line.rstrip()}\n" for line in lines.get().splitlines()), out.file)


def _style(cell: str) -> str:
    return {"yes": "green", "no": "red", "+": "green", "-": "red", "~": "yellow", "?": "yellow"}.get(cell, "")


def say(out: "Console", text: str = "", style: str = "") -> None:
    """One line; text of others must have gone through `printable`."""
    out.print(text, style=style or None, soft_wrap=True, markup=False, emoji=False, highlight=False)


def plainly(show: "Callable[[Console], None]") -> str:
    """What would be shown, as plain text: for files."""
    from rich.console import Console

    file = io.StringIO()
    show(Console(file=file, highlight=False, markup=False, emoji=False, width=10_000, no_color=True))
    return file.getvalue()


def print_json(document: dict[str, Any]) -> None:
    """One document, for programs; `schemaVersion` first."""
    text = json.dumps({"schemaVersion": SCHEMA_VERSION} | document, indent=2, ensure_ascii=False)
    write(text + "\n")


def print_json_line(document: dict[str, Any]) -> None:
    """One event of many, on one line."""
    text = json.dumps({"schemaVersion": SCHEMA_VERSION} | document, ensure_ascii=False)
    write(text + "\n")


def plain(value: Any) -> Any:
    """A frozen value as JSON has it: names in camelCase, addresses, versions and digests as texts."""
    if isinstance(value, _texts()):
        return str(value)
    if is_dataclass(value):
        return {camel(item.name): plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


@cache
def _texts() -> tuple[type, ...]:
    """What has a text of its own stays a text. Not every command needs these, and reading versions takes a library."""
    from gitopsreg.model.address import ModuleAddress, Platform, ProviderAddress
    from gitopsreg.model.digest import Sha256
    from gitopsreg.model.version import Version

    return ModuleAddress, ProviderAddress, Platform, Sha256, Version, PurePath


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def size(count: int) -> str:
    """Bytes for people: `34.2 KiB`."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def short_revision(revision: str) -> str:
    """`main@sha1:9b3f2de…` as `main@9b3f2de`."""
    name, found, digest = revision.rpartition("@")
    return f"{name}{found}{digest.rpartition(':')[2][:10]}"


def short_digest(digest: str) -> str:
    return digest.rpartition(":")[2][:12]
