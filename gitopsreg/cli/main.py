"""`gitopsreg`: one verb a file. Nothing heavy is imported before a command runs."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from gitopsreg import __version__
from gitopsreg.cli import client_config, failures, history, plan, reconcile, serve, status, up, validate
from gitopsreg.cli.stream import write
from gitopsreg.errors import GitopsregError

app = typer.Typer(
    name="gitopsreg",
    help="A Terraform and OpenTofu registry whose whole desired state is a Git repository.",
    epilog="Try it: gitopsreg up --catalog . --path example-catalog --store file:///tmp/gitopsreg",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

for verb in (up, reconcile, serve, validate, plan, status, history, client_config):
    app.command(verb.NAME, help=verb.HELP, short_help=verb.SHORT, epilog="\b\n" + verb.EXAMPLES)(verb.command)


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
