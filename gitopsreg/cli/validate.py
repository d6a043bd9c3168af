"""`gitopsreg validate`: check the files of a catalog. Offline, quick, and without the libraries of the other verbs."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE, FOUND, UNAVAILABLE
from gitopsreg.cli.options import takes
from gitopsreg.errors import ConfigError
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.catalog.report import Report

NAME = "validate"
SHORT = "Check a catalog's files."
HELP = """Check a catalog's files and print every problem with file, line and column.

DIR is the catalog's folder; without it the folder of the settings, or this one. Needs no network and no store.

The report is for people, or as annotations inside GitHub Actions. --output may be given several times: human, json,
jsonl, sarif, github, junit, gitlab-codequality, azure and markdown, each with =FILE to write it there.

Exit codes: 0 clean, 1 findings, 2 wrong use, wrong settings or an internal error; only with --online: 3 something
could not be checked, try again later.
"""
EXAMPLES = """Examples:
  gitopsreg validate
  gitopsreg validate example-catalog --strict
  gitopsreg validate --fix
  gitopsreg validate --base origin/main --output human --output sarif=gitopsreg.sarif
  gitopsreg validate --output json | jq '.findings[].message'"""

_ONLINE = ("allow_local_sources", "git_credentials_file", "ssh_directory", "cache", "jobs")
_OUTPUT = (
    "A report: human (or text), json, jsonl, sarif, github, junit, gitlab-codequality, azure or markdown; several may "
    "be written, at most one of them to stdout. [env: GITOPSREG_OUTPUT, file: output, default: text]"
)


@takes("path", *_ONLINE, "log_level")
def command(
    settings: Settings,
    directory: Annotated[
        str | None, typer.Argument(metavar="DIR", help="The catalog's folder.", show_default=False)
    ] = None,
    reports: Annotated[
        list[str] | None, typer.Option("--output", metavar="FORMAT[=FILE]", help=_OUTPUT, show_default=False)
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            metavar="REVISION",
            help="Check the change since this revision too, like origin/main, and mark what it brings.",
            show_default=False,
        ),
    ] = None,
    online: Annotated[
        bool, typer.Option("--online/--offline", help="Ask the upstreams too, or nobody: the default.")
    ] = False,
    fix: Annotated[bool, typer.Option("--fix", help="First mend what needs no decision, in the files.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Check anew what did not change, too.")] = False,
) -> int:
    from gitopsreg.cli import reporting

    outlets = reporting.parse_outlets(reports or ()) or (reporting.default_outlet(settings.output, os.environ),)
    folder = Path(directory or settings.path)
    if not folder.is_dir():
        raise ConfigError(f'"{folder}" is no directory: name the catalog\'s folder, like "example-catalog"')
    if fix:
        from gitopsreg.cli.fixing import fix_directory

        fix_directory(folder)
    report, root = _report(settings, folder, base, online=online, anew=no_cache)
    reporting.write(report, outlets, folder, root)
    _tell_more(report)
    return exit_code(report, strict=strict)


def _report(settings: Settings, folder: Path, base: str | None, *, online: bool, anew: bool) -> "tuple[Report, str]":
    from gitopsreg.cli import checking
    from gitopsreg.cli.cache import Cache

    kept = None if anew else settings.cache
    if base is None and not online:
        return checking.check_offline(folder, None if anew else Cache(settings.cache / "validate"), kept)
    return checking.check_more(folder, base=base, online=settings if online else None, kept=kept)


def exit_code(report: "Report", *, strict: bool) -> int:
    """What was found counts more than what could not be checked: trying again would not mend it."""
    failing = {"error", "warning"} if strict else {"error"}
    if any(finding.severity in failing for finding in report.findings):
        return FOUND
    return UNAVAILABLE if report.unchecked else DONE


def _tell_more(report: "Report") -> None:
    """What is no finding: to stderr, where it disturbs no report."""
    lines = [f"not checked: {text}" for text in report.unchecked]
    new = sum(finding.new is True for finding in report.findings)
    if any(finding.new is not None for finding in report.findings):
        lines.append(f"{output.count(new, 'finding')} of {len(report.findings)} came with the change")
    if report.suppressed:
        lines.append(f"{output.count(len(report.suppressed), 'finding')} ignored by comments")
    fixable = sum(finding.fix is not None for finding in report.findings)
    if fixable:
        lines.append(f"{output.count(fixable, 'finding')} can be mended with --fix")
    sys.stderr.writelines(f"{line}\n" for line in lines)
