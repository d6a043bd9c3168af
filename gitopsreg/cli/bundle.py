"""`gitopsreg bundle`: the verbs for what crosses an air gap. Each lives in a file of its own."""

import typer

from gitopsreg.cli import bundle_export, bundle_import

NAME = "bundle"
SHORT = "Carry the registry across an air gap."
HELP = (
    """Carry a snapshot of the registry with all its bytes, in one signed file, to a store that nothing else reaches."""
)

app = typer.Typer(name=NAME, help=HELP, short_help=SHORT, rich_markup_mode=None)

for verb in (bundle_export, bundle_import):
    app.command(verb.NAME, help=verb.HELP, short_help=verb.SHORT, epilog="\b\n" + verb.EXAMPLES)(verb.command)
