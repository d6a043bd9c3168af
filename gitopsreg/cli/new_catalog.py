"""`gitopsreg new-catalog`: a complete repository to start from. Overwrites nothing, commits nothing."""

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from gitopsreg import __version__
from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError, quoted
from gitopsreg.settings import Settings

NAME = "new-catalog"
SHORT = "Make a catalog repository to start from."
HELP = """Make a catalog repository to start from.

It holds registry.yaml, a namespace, an example module, a README, pre-commit hooks, CODEOWNERS, and CI that checks and
plans each pull request.

DIR must be empty, or hold nothing but .git. Owners and admins are written as for 'gitopsreg add namespace'.

Exit codes: 0 made, 2 wrong use, or DIR is not empty.
"""
EXAMPLES = """Examples:
  gitopsreg new-catalog registry --git
  gitopsreg new-catalog registry --namespace network --owner @acme/network --admin @acme/registry-admins
  gitopsreg new-catalog registry --style gitlab --owner gitlab-group:acme/network --admin gitlab-user:jane.doe"""

_BRANCH = "main"
_REVISION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,199}")


@takes(*PRINTED)
def command(
    settings: Settings,
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Where to make it.")],
    *,
    namespace: Annotated[str, typer.Option("--namespace", metavar="NAME", help="The first namespace.")] = "platform",
    owner: Annotated[
        list[str] | None, typer.Option("--owner", metavar="OWNER", help="Who owns it; may be repeated.")
    ] = None,
    admin: Annotated[
        list[str] | None,
        typer.Option("--admin", metavar="OWNER", help="Who answers for the registry; may be repeated."),
    ] = None,
    style: Annotated[
        str, typer.Option("--style", metavar="STYLE", help="github or gitlab: where it will live.")
    ] = "github",
    git: Annotated[bool, typer.Option("--git", help="Make it a Git repository too.")] = False,
    tools: Annotated[
        str, typer.Option("--tools", metavar="URL", help="The repository of gitopsreg, if you have a copy of it.")
    ] = "",
    revision: Annotated[
        str, typer.Option("--tools-revision", metavar="REV", help="The tag or commit of it that hooks and CI use.")
    ] = f"v{__version__}",
) -> int:
    from gitopsreg.catalog.new_catalog import TOOLS, Choices, new_catalog
    from gitopsreg.catalog.owners import parse_owner
    from gitopsreg.catalog.urls import url_problem
    from gitopsreg.cli.codeowners import forge_of
    from gitopsreg.model.address import namespace_name

    folder = Path(directory)
    _check_empty(folder)
    if problem := url_problem(tools or TOOLS, "", git=True):
        raise ConfigError(f"--tools: {problem.message}; {problem.hint}")
    if not _REVISION.fullmatch(revision):
        raise ConfigError(f"--tools-revision {quoted(revision)}: write a tag or a commit, like v1.2.0")
    group = "github-team" if style == "github" else "gitlab-group"
    made = new_catalog(
        Choices(
            namespace=namespace_name(namespace),
            owners=tuple(parse_owner(text) for text in owner or (f"{group}:acme/{namespace}",)),
            admins=tuple(parse_owner(text) for text in admin or (f"{group}:acme/registry-admins",)),
            style=forge_of(style),
            revision=revision,
            tools=tools or TOOLS,
        )
    )
    _write(folder, made)
    if git and not (folder / ".git").exists():
        from gitopsreg.transport import git as repositories

        repositories.start(folder, _BRANCH)
    return _told(settings, folder, made, namespace, named=bool(owner and admin))


def _check_empty(folder: Path) -> None:
    try:
        there = sorted(path.name for path in folder.iterdir() if path.name != ".git")
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{quoted(str(folder))} can't be used: {error.strerror}") from error
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise ConfigError(f"{quoted(str(folder))} is not empty, it holds {quoted(there[0])}{more}: name a new folder")


def _write(folder: Path, made: dict[str, str]) -> None:
    from gitopsreg.catalog.addition import write_new

    try:
        for path, text in made.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            write_new(place, text)
    except OSError as error:
        raise ConfigError(f"{quoted(str(folder))} can't be written: {error.strerror or error}") from error


def _told(settings: Settings, folder: Path, made: dict[str, str], namespace: str, *, named: bool) -> int:
    if settings.output == "json":
        output.print_json({"path": str(folder), "files": list(made)})
        return DONE
    lines = [f"made {folder}", *(f"  {path}" for path in made)]
    if not named:
        names = f"registry.yaml and namespaces/{namespace}/namespace.yaml"
        lines.append(f"  next: name your own admins and owners in {names}, then gitopsreg codeowners --write")
    lines.append(f"  next: gitopsreg add module GIT-URL --namespace {namespace}; README.md has the rest")
    sys.stdout.writelines(printable(line) + "\n" for line in lines)
    return DONE
