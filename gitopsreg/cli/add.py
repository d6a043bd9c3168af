"""`gitopsreg add`: the verbs that write one correct file into a catalog. Each lives in a file of its own."""

import typer

from gitopsreg.cli import add_key, add_module, add_namespace, add_provider

NAME = "add"
SHORT = "Write a new declaration into a catalog."
HELP = """Write a new declaration into a catalog: one file, at its path, checked before it is written.

Nothing that is there is ever replaced, and nothing is written when the catalog would not be valid with it.
"""

app = typer.Typer(
    name=NAME, help=HELP, short_help=SHORT, rich_markup_mode=None, context_settings={"max_content_width": 110}
)
for verb in (add_module, add_provider, add_key, add_namespace):
    app.command(verb.NAME, help=verb.HELP, short_help=verb.SHORT, epilog="\b\n" + verb.EXAMPLES)(verb.command)
