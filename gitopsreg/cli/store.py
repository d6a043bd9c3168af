"""`gitopsreg store`: the verbs for a store as a whole. Each lives in a file of its own."""

import typer

from gitopsreg.cli import store_copy, store_verify

NAME = "store"
SHORT = "Verify a store, or copy it into another one."
HELP = """Look after a store as a whole: is all there, and right? Move the registry into another store."""

app = typer.Typer(name=NAME, help=HELP, short_help=SHORT, rich_markup_mode=None)

for verb in (store_verify, store_copy):
    app.command(verb.NAME, help=verb.HELP, short_help=verb.SHORT, epilog="\b\n" + verb.EXAMPLES)(verb.command)
