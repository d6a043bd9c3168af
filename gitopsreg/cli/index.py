"""`gitopsreg index`: the verbs for what is published. Each lives in a file of its own."""

import typer

from gitopsreg.cli import index_export

NAME = "index"
SHORT = "Handle the index of what is published."
HELP = """Handle the index: the list of everything that is published, without the bytes."""

app = typer.Typer(name=NAME, help=HELP, short_help=SHORT, rich_markup_mode=None)


@app.callback()
def _index() -> None:
    """A group, also while it has one verb only."""


for verb in (index_export,):
    app.command(verb.NAME, help=verb.HELP, short_help=verb.SHORT, epilog="\b\n" + verb.EXAMPLES)(verb.command)
