"""What the verbs of `gitopsreg add` share: which catalog, what is told of a refusal, and of a file that was written."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE, FOUND, tell
from gitopsreg.errors import IntegrityError
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.catalog.addition import CatalogFolder, Trial
    from gitopsreg.catalog.report import Finding

In = Annotated[
    str | None,
    typer.Option(
        "--in", metavar="DIR", help="The catalog's folder, if not the settings' or this one.", show_default=False
    ),
]
Namespace = Annotated[str, typer.Option("--namespace", metavar="NAME", help="The namespace it belongs to.")]
Description = Annotated[str, typer.Option("--description", metavar="TEXT", help="One sentence for lists and search.")]


def open_catalog(settings: Settings, directory: str | None) -> "CatalogFolder":
    """Raises ConfigError when there is no catalog."""
    from gitopsreg.catalog.addition import CatalogFolder

    return CatalogFolder(Path(directory or settings.path))


def refuse(findings: "Iterable[Finding]", path: str) -> int:
    """Nothing is written; why not."""
    for finding in findings:
        tell(str(finding), finding.hint)
    tell(f"{path} was not written", "mend what is said above, then run this again")
    return FOUND


def refuse_bytes(error: IntegrityError) -> int:
    """Nothing is written, because of what a key or a release is."""
    tell(str(error), "nothing was written; have that mended, then run this again")
    return FOUND


def finish(settings: Settings, trial: "Trial", *, told: Iterable[str], then: str, document: dict[str, Any]) -> int:
    """Write the file, and tell where it is, what is worth knowing of it and what to do next."""
    if trial.errors:
        return refuse(trial.errors, trial.path)
    trial.write()
    if settings.output == "json":
        output.print_json({"path": str(trial.place)} | document)
        return DONE
    lines = [f"wrote {trial.place}", *(f"  {line}" for line in told)]
    lines += [f"  warning: {finding}" for finding in trial.findings]
    lines += [f"  next: {then}"]
    sys.stdout.writelines(printable(line) + "\n" for line in lines)
    return DONE
