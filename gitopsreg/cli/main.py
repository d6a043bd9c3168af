"""`gitopsreg`: one verb a file. Nothing heavy is imported before a command runs."""

import sys
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Annotated

import typer

from gitopsreg import __version__
from gitopsreg.cli import failures
from gitopsreg.cli.stream import write
from gitopsreg.errors import GitopsregError

# In the order of the help; each is a module of this package.
VERBS = (
    "up",
    "reconcile",
    "serve",
    "validate",
    "fmt",
    "schema",
    "rule",
    "plan",
    "explain",
    "status",
    "history",
    "rollback",
    "hold",
    "release",
    "collect",
    "scrub",
    "export",
    "client-config",
    "new-catalog",
    "codeowners",
)
# Verbs that have verbs of their own, likewise.
GROUPS = ("add", "import", "index", "bundle", "store")

app = typer.Typer(
    name="gitopsreg",
    help="A Terraform and OpenTofu registry whose whole desired state is a Git repository.",
    epilog="Try it: gitopsreg up --catalog . --path example-catalog --store file:///tmp/gitopsreg",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _learn(arguments: Sequence[str]) -> None:
    """Import the verb that is asked for and no other, or all of them for the help and for misspelt ones."""
    known = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    for name in (arguments[0],) if arguments[0] in (*VERBS, *GROUPS) else (*VERBS, *GROUPS):
        if name in known:
            continue
        if name in GROUPS:
            app.add_typer(import_module(f"gitopsreg.cli.{_file(name)}").app, name=name)
        else:
            verb = import_module(f"gitopsreg.cli.{_file(name)}")
            app.command(verb.NAME, help=verb.HELP, short_help=verb.SHORT, epilog="\b\n" + verb.EXAMPLES)(verb.command)
    order = {name: number for number, name in enumerate(VERBS)}
    app.registered_commands.sort(key=lambda command: order.get(str(command.name), len(VERBS)))


def _file(name: str) -> str:
    """The module of a verb: no file can be called as a word of Python's own."""
    return f"{name}_" if iskeyword(name) else name.replace("-", "_")


def _version(asked: bool) -> None:
    if asked:
        write(f"gitopsreg {__version__}\n")
        raise typer.Exit


@app.callback()
def _gitopsreg(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del version


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """The exit code of one command; whatever went wrong has been told on stderr."""
    if not arguments:
        run(["--help"])
        return failures.MISUSED
    # This flag gives 2 a meaning of its own, "there are changes": what failed must not look like it.
    misused = failures.FOUND if "--detailed-exitcode" in arguments else failures.MISUSED
    try:
        _learn(arguments)
        return app(args=list(arguments), prog_name="gitopsreg", standalone_mode=False) or failures.DONE
    except KeyboardInterrupt:
        return failures.INTERRUPTED
    except typer.TyperException as error:
        _tell_misuse(error)
        return misused
    except GitopsregError as error:
        code, advice = failures.meaning(error)
        failures.tell(str(error), advice)
        return misused if code == failures.MISUSED else code
    except Exception as error:  # noqa: BLE001 - the last door: no traceback reaches a user unasked
        failures.tell_unexpected(error)
        return misused


def _tell_misuse(error: typer.TyperException) -> None:
    """An unknown command, flag or argument."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "gitopsreg"
    message = error.format_message()
    failures.tell(message[:1].lower() + message[1:], f"see '{command} --help'")
