"""`gitopsreg import`: the verbs that turn what other registries hold into a catalog. Each has a file of its own."""

import typer

from gitopsreg.cli import import_modules, import_opentofu_registry

NAME = "import"
SHORT = "Write a catalog of what another registry holds."
HELP = """Write a catalog of what another registry holds: the way to move here, or to mirror it.

Nothing is published by this: look at what was written, commit it, and let 'gitopsreg plan' tell what it would do.
"""

app = typer.Typer(
    name=NAME, help=HELP, short_help=SHORT, rich_markup_mode=None, context_settings={"max_content_width": 110}
)
for verb in (import_opentofu_registry, import_modules):
    app.command(verb.NAME, help=verb.HELP, short_help=verb.SHORT, epilog="\b\n" + verb.EXAMPLES)(verb.command)
