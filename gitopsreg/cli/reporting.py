"""Where a report goes and in which format: `--output FORMAT[=FILE]`, several at once. Reads what CI services say."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitopsreg.catalog.reports.formats import ALIASES, FORMATS, OF_SERVICES, renderer
from gitopsreg.cli import output, stream
from gitopsreg.cli.failures import tell
from gitopsreg.cli.rewrite import save
from gitopsreg.errors import ConfigError, quoted

if TYPE_CHECKING:
    from rich.console import Console

    from gitopsreg.catalog.report import Finding, Line, Report

# What GitHub takes of one step; a file that other commands have begun counts too.
_STEP_SUMMARY = 1024 * 1024
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


@dataclass(frozen=True, slots=True)
class Outlet:
    """One report to write; `file` None is stdout."""

    format: str
    file: Path | None = None


def parse_outlets(written: Sequence[str], formats: Sequence[str] = FORMATS) -> tuple[Outlet, ...]:
    """Raises ConfigError with what would be right."""
    outlets = tuple(_outlet(text, formats) for text in written)
    if sum(outlet.file is None for outlet in outlets) > 1:
        raise ConfigError("only one report can go to stdout: write the others as FORMAT=FILE")
    files = [outlet.file for outlet in outlets if outlet.file is not None]
    if len(files) > len(set(files)):
        raise ConfigError("two reports can't go to one file: give each a file of its own")
    return outlets


def _outlet(text: str, formats: Sequence[str]) -> Outlet:
    name, found, file = text.partition("=")
    name = ALIASES.get(name, name)
    if name not in formats:
        raise ConfigError(f"--output {quoted(text)}: write one of {', '.join(formats)}, or FORMAT=FILE")
    if found and not file:
        raise ConfigError(f"--output {quoted(text)}: write the file's name behind the =")
    return Outlet(name, None if file in {"", "-"} else Path(file).expanduser())


def default_outlet(preferred: str, environment: Mapping[str, str]) -> Outlet:
    """Without --output: what the settings say, or what the CI service that we run in can show."""
    if preferred == "json":
        return Outlet("json")
    return Outlet("github" if environment.get("GITHUB_ACTIONS") == "true" else "human")


def write(report: "Report", outlets: Iterable[Outlet], folder: Path, root: str) -> None:
    """Every report to its place. `root` is how the paths of the report begin. Raises ConfigError."""
    served: Report | None = None
    for outlet in outlets:
        if outlet.format in OF_SERVICES:
            served = served or _from_the_top(report, folder, root)
        _write_one(served if served and outlet.format in OF_SERVICES else report, outlet)


def _write_one(report: "Report", outlet: Outlet) -> None:
    if outlet.file is None and outlet.format == "human":
        from gitopsreg.catalog.report import human_lines

        show(human_lines(report.findings, files=report.files, seconds=report.seconds))
        return
    text = renderer(outlet.format)(report)
    if outlet.file is None:
        stream.write(text)
    else:
        save(outlet.file, text, "the report")
    if outlet.format == "github":
        _summarize(report, os.environ.get("GITHUB_STEP_SUMMARY", ""))


def _summarize(report: "Report", name: str) -> None:
    """The page of the run, for whoever has no time for the log. What is there already stays."""
    if not name:
        return
    from gitopsreg.catalog.reports.markdown import render

    path = Path(name)
    try:
        room = _STEP_SUMMARY - (path.stat().st_size if path.exists() else 0)
        text = render(report, limit=room - 1)
        if len(text.encode()) < room:
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        tell(f'the summary of the step, "{name}", can\'t be written: {error.strerror or error}')


def _from_the_top(report: "Report", folder: Path, root: str) -> "Report":
    """The report with paths as a forge knows them: from the top of the repository."""
    top = top_of(folder)
    prefix = folder.resolve().relative_to(top).as_posix() + "/" if folder.resolve() != top else ""

    def path(old: str) -> str:
        return prefix + old.removeprefix(root)

    def told(findings: "Iterable[Finding]") -> "tuple[Finding, ...]":
        return tuple(replace(finding, path=path(finding.path)) for finding in findings)

    return replace(
        report,
        findings=told(report.findings),
        suppressed=told(report.suppressed),
        paths=tuple(map(path, report.paths)),
    )


def top_of(folder: Path) -> Path:
    """The top of the repository that the folder lies in, or else this folder, or else the folder itself. No Git."""
    absolute, here = folder.resolve(), Path.cwd()
    tops = (top for top in (absolute, *absolute.parents) if (top / ".git").exists())
    return next(tops, here if absolute.is_relative_to(here) else absolute)


def show(lines: "Iterable[Line]", out: "Console | None" = None) -> None:
    """In colours on a terminal; elsewhere as it stands, without the library that colours."""
    if out is None and not output.colours(sys.stdout):
        stream.write("".join("".join(text for _, text in line).rstrip() + "\n" for line in lines))
        return
    from rich.text import Text

    out = out or output.console()
    for line in lines:
        out.print(Text.assemble(*((text, _STYLES[style]) for style, text in line)), soft_wrap=True)
