"""`gitopsreg fmt`: write declarations in the one canonical way. Touches nothing else, follows no symlink."""

import difflib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.catalog.secret import mask
from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE, FOUND, tell
from gitopsreg.cli.options import takes
from gitopsreg.cli.rewrite import rewrite
from gitopsreg.errors import ConfigError
from gitopsreg.settings import Settings

NAME = "fmt"
SHORT = "Format a catalog's files."
HELP = """Write declarations in canonical form: keys in the order of the schema, two spaces a level, versions quoted.

Comments stay, and no value changes. PATH is a file or the catalog's folder; several may be given. Without any it is
the folder of the settings, or this one. YAML files that are no declarations are left alone.

Exit codes: 0 done, 1 a file can't be formatted, or with --check or --diff one would change, 2 wrong use.
"""
EXAMPLES = """Examples:
  gitopsreg fmt
  gitopsreg fmt --check example-catalog
  gitopsreg fmt --diff namespaces/platform/modules/vpc/aws.yaml"""

# What every declaration holds.
_OURS = b"gitopsreg.io/"


@dataclass(frozen=True, slots=True)
class _Change:
    path: Path
    before: bytes
    after: bytes


@takes("path", "log_level")
def command(
    settings: Settings,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="Files, or folders.", show_default=False)
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail if something would change.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="The same, and show what would change.")] = False,
) -> int:
    files = [file for path in paths or [settings.path] for file in _files(Path(path))]
    changes: list[_Change] = []
    failed = 0
    for file in files:
        change = _change(file)
        if isinstance(change, _Change):
            changes.append(change)
            _write(change, check=check, diff=diff)
        failed += change is False
    _sum_up(len(changes), len(files) - len(changes) - failed, failed, would=check or diff)
    return FOUND if failed or (changes and (check or diff)) else DONE


def _files(path: Path) -> Iterator[Path]:
    """The path itself, or the declarations in the folder. Raises ConfigError."""
    from gitopsreg.catalog.directory import read_directory
    from gitopsreg.catalog.layout import is_declaration

    if path.is_symlink() and not path.is_dir():
        tell(f'"{path}" is a symlink: left alone')
    elif path.is_file():
        yield path
    elif path.is_dir():
        names = (file.path for file in read_directory(path).files if file.mode == "file" and is_declaration(file.path))
        yield from (path / name for name in names)
    else:
        raise ConfigError(f'"{path}" is no file and no folder: name declarations, or the catalog\'s folder')


def _change(path: Path) -> _Change | bool:
    """What would change, True for nothing, False for a file that can't be formatted."""
    from gitopsreg.catalog.format import CannotFormat, formatted
    from gitopsreg.catalog.loader import MAX_BYTES

    try:
        with path.open("rb") as file:
            before = file.read(MAX_BYTES + 1)
        if _OURS not in before:
            return True
        after = formatted(before)
    except (CannotFormat, OSError) as error:
        tell(f"{path}: {error.strerror if isinstance(error, OSError) else error}")
        return False
    return before == after or _Change(path, before, after)


def _write(change: _Change, *, check: bool, diff: bool) -> None:
    """Raises ConfigError."""
    if diff:
        sys.stdout.writelines(f"{line}\n" for line in _diff(change))
        return
    if not check:
        try:
            rewrite(change.path, change.after)
        except OSError as error:
            raise ConfigError(f'"{change.path}" can\'t be written: {error.strerror or error}') from error
    sys.stdout.write(f"{'would format' if check else 'formatted'} {printable(str(change.path))}\n")


def _diff(change: _Change) -> Iterator[str]:
    name = str(change.path)
    before, after = _lines(change.before), _lines(change.after)
    yield from map(printable, difflib.unified_diff(before, after, name, name, lineterm=""))


def _lines(data: bytes) -> Sequence[str]:
    return [mask(line) for line in data.decode("utf-8", "backslashreplace").splitlines()]


def _sum_up(changed: int, unchanged: int, failed: int, *, would: bool) -> None:
    parts = [f"{output.count(changed, 'file')} {'would be ' if would else ''}formatted"] if changed else []
    parts += [f"{output.count(unchanged, 'file')} left as {'it is' if unchanged == 1 else 'they are'}"]
    parts += [f"{output.count(failed, 'file')} can't be formatted"] if failed else []
    sys.stderr.write(", ".join(parts) + "\n")
