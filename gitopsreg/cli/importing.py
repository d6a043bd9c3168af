"""What the verbs of `gitopsreg import` share: where the catalog is written, and what is told of what was left out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.cli.working import working

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from gitopsreg.catalog.adopt import Adopted
    from gitopsreg.catalog.defaults import Spec

_SHOWN = 50

Out = Annotated[
    str, typer.Option("--out", metavar="CATALOG", help="The folder to write the catalog into.", show_default=False)
]
Merge = Annotated[
    bool, typer.Option("--merge", help="Add to the catalog that is there; no file of it is changed or removed.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would be written.")]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that the catalog does not declare, and why."""

    what: str
    reason: str


@contextmanager
def telling(title: str, total: int | None = None) -> "Iterator[Callable[[str], None]]":
    """A function that is told each thing that is done; the bar is gone when the block ends."""
    with working() as progress:
        progress.working(title, total)
        yield progress.worked


def inherited(folder: Path, *, merge: bool) -> "Spec | None":
    """The defaults of the catalog that is added to; None when a new one is made. Raises ConfigError."""
    from gitopsreg.catalog.adopt import defaults_in, need_empty

    found = defaults_in(folder) if merge else None
    if found is None:
        need_empty(folder)
    return found


def write(folder: Path, files: Mapping[str, str], *, merge: bool, dry: bool) -> "Adopted":
    """Into the catalog that is there, or a new one. Raises ConfigError."""
    from gitopsreg.catalog.adopt import Adopted, merge_catalog, write_catalog

    with telling("Writing the catalog", len(files)) as told:
        if merge:
            return merge_catalog(folder, files, told, dry=dry)
        return Adopted(written=len(files)) if dry else write_catalog(folder, files, told)


def show_left_out(out: "Console", left_out: Sequence[LeftOut], what: str) -> None:
    """A table of what is not declared."""
    if not left_out:
        return
    output.say(out)
    output.say(out, f"Left out ({len(left_out)}):", "yellow")
    output.table(out, (what, "WHY"), ((one.what, one.reason) for one in left_out[:_SHOWN]))
    if len(left_out) > _SHOWN:
        output.say(out, f"… and {len(left_out) - _SHOWN} more: --output json shows them all")


def show_adopted(out: "Console", adopted: "Adopted", folder: Path, *, dry: bool) -> None:
    """How many files; which are there with another content."""
    did = "would be written" if dry else "written"
    there = f", {adopted.same} were there" if adopted.same else ""
    output.say(out, printable(f"{output.count(adopted.written, 'file')} {did} into {folder}{there}"))
    if adopted.differing:
        output.say(out, f"Kept as they are, and different ({len(adopted.differing)}):", "yellow")
        for path in adopted.differing[:_SHOWN]:
            output.say(out, printable(f"  {path}"))
        if len(adopted.differing) > _SHOWN:
            output.say(out, f"  … and {len(adopted.differing) - _SHOWN} more: --output json shows them all")


def as_json(adopted: "Adopted", folder: Path, left_out: Iterable[LeftOut], *, dry: bool) -> dict[str, Any]:
    return {
        "path": str(folder),
        "written": 0 if dry else adopted.written,
        "wouldWrite": adopted.written if dry else 0,
        "same": adopted.same,
        "differing": list(adopted.differing),
        "leftOut": [{"what": one.what, "reason": one.reason} for one in left_out],
    }
