"""`gitopsreg codeowners`: the forge's CODEOWNERS file from the owners that the catalog declares. Asks no forge."""

import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE, FOUND, tell
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.cli.rewrite import rewrite
from gitopsreg.errors import ConfigError, quoted
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.catalog.load import Loaded
    from gitopsreg.catalog.owners import Style
    from gitopsreg.catalog.report import Finding

NAME = "codeowners"
SHORT = "Make CODEOWNERS from the owners that the catalog declares."
HELP = """Make CODEOWNERS from the owners that the catalog declares.

The owners of a namespace review what changes in it; the registry's admins (spec.admins in registry.yaml) review what
concerns everybody, among it who owns what. Without --write and --check the file is printed. It belongs at
.github/CODEOWNERS in the top folder of the repository, or with --style gitlab at .gitlab/CODEOWNERS.

Exit codes: 0 done and up to date, 1 it differs (--check) or an owner is wrong, 2 wrong use.
"""
EXAMPLES = """Examples:
  gitopsreg codeowners
  gitopsreg codeowners --write
  gitopsreg codeowners --check example-catalog --style gitlab"""

OWNER_RULE = "GR430"
_MOST_BYTES = 4_000_000


@takes("path", *PRINTED)
def command(
    settings: Settings,
    directory: Annotated[
        str | None, typer.Argument(metavar="DIR", help="The catalog's folder.", show_default=False)
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the file, if it differs.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Show how the file differs, and exit with 1 if so.")] = False,
    style: Annotated[str, typer.Option("--style", metavar="STYLE", help="github or gitlab.")] = "github",
) -> int:
    from gitopsreg.catalog.codeowners import PLACES, codeowners
    from gitopsreg.catalog.directory import read_directory
    from gitopsreg.catalog.load import load

    if write and check:
        raise ConfigError("--write and --check exclude each other: give one of them")
    forge = forge_of(style)
    catalog = Path(directory or settings.path)
    loaded = load(read_directory(catalog))
    if loaded.errors:
        return _refuse(loaded)
    top = repository_of(catalog)
    prefix = "".join(f"{part}/" for part in catalog.resolve().relative_to(top).parts)
    place = top / PLACES[forge]
    text = codeowners(loaded.catalog, style=forge, prefix=prefix)
    wrong = [finding for finding in loaded.findings if finding.rule == OWNER_RULE]
    for finding in wrong:
        tell(str(finding), finding.hint)
    return _result(settings, place, text, wrong, write=write, check=check)


def forge_of(style: str) -> "Style":
    """Raises ConfigError."""
    from gitopsreg.catalog.codeowners import PLACES

    for forge in PLACES:
        if forge == style:
            return forge
    raise ConfigError(f'--style {quoted(style)}: write "github" or "gitlab"')


def repository_of(folder: Path) -> Path:
    """The top folder of the repository that the folder is in; the folder itself when it is in none."""
    real = folder.resolve()
    return next((one for one in (real, *real.parents) if (one / ".git").exists()), real)


def _refuse(loaded: "Loaded") -> int:
    """What is not understood declares no owners, and its lines must not be lost for that."""
    for finding in loaded.errors:
        tell(str(finding), finding.hint)
    tell("CODEOWNERS is made of a valid catalog only", "mend the catalog; 'gitopsreg validate' shows every finding")
    return FOUND


def _result(settings: Settings, place: Path, text: str, wrong: "list[Finding]", *, write: bool, check: bool) -> int:
    before = _read(place)
    if write and before != text:
        _write(place, text, before)
    if settings.output == "json":
        output.print_json(_document(place, text, before, wrong, write=write))
    elif check and before != text:
        sys.stdout.writelines(printable(line) + "\n" for line in _diff(place, before or "", text))
    elif write and before != text:
        sys.stdout.write(printable(f"wrote {place}") + "\n")
    elif not (write or check):
        sys.stdout.write(text)
    if check and before != text:
        tell(f"{place} is not what the catalog says", "gitopsreg codeowners --write")
    return FOUND if wrong or (check and before != text) else DONE


def _document(place: Path, text: str, before: str | None, wrong: "list[Finding]", *, write: bool) -> dict[str, Any]:
    return {
        "path": str(place),
        "upToDate": write or before == text,
        "text": text,
        "findings": [str(finding) for finding in wrong],
    }


def _read(place: Path) -> str | None:
    """What is there now, None for nothing. Raises ConfigError."""
    if place.is_symlink() or place.parent.is_symlink():
        raise ConfigError(f"{quoted(str(place))} is a symlink: forges read an ordinary file only")
    try:
        with place.open("rb") as file:
            return file.read(_MOST_BYTES).decode(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{quoted(str(place))} can't be read: {error.strerror}") from error


def _write(place: Path, text: str, before: str | None) -> None:
    from gitopsreg.catalog.codeowners import HEADER

    if before and not before.startswith(HEADER):
        raise ConfigError(
            f"{quoted(str(place))} was written by hand: declare its owners in the catalog, then remove it and run "
            "this again"
        )
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        rewrite(place, text.encode())
    except OSError as error:
        raise ConfigError(f"{quoted(str(place))} can't be written: {error.strerror or error}") from error


def _diff(place: Path, before: str, after: str) -> list[str]:
    name = str(place)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, f"{name} (the catalog)", lineterm="")
    return list(lines)
