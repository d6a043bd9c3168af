"""`gitopsreg bundle import`: the snapshot of a bundle into a store, when somebody trusted has signed it."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.cli.stream import write
from gitopsreg.errors import ConfigError
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.offline.unpack import Imported

NAME = "import"
SHORT = "Publish the snapshot of a bundle."
HELP = """Verify a bundle, store what it carries, and publish its snapshot. 'gitopsreg serve' of that store serves it.

The list in the bundle must be signed by one of the --trust keys, and each content must be what the list says. Nothing
that is served changes before all of it is stored. A store only moves forward: from nothing, or from an older snapshot
of the same registry. An import that was interrupted goes on where it was.

Exit codes: 0 done (also when the store has it already), 1 the bundle is refused, 2 wrong use, 3 the store can't be
reached.
"""
EXAMPLES = """Examples:
  gitopsreg bundle import registry.tar --trust releases.asc --store file:///var/lib/gitopsreg
  gitopsreg bundle import registry.tar --trust releases.asc --config gitopsreg.yaml --output json"""


@takes("store", "backends", *PRINTED, needs=("store",))
def command(
    settings: Settings,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bundle.", show_default=False)],
    trust: Annotated[
        list[Path] | None,
        typer.Option("--trust", metavar="FILE", help="An armored OpenPGP public key; may be given again."),
    ] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Believe the bundle whoever made it. Anybody could have.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what the store serves, whatever that is.")] = False,
) -> int:
    from gitopsreg.cli.holding import leased
    from gitopsreg.cli.transfer import transfer
    from gitopsreg.offline.trust import trusting
    from gitopsreg.offline.unpack import unpack
    from gitopsreg.wiring import stores

    if unsigned == bool(trust):
        raise ConfigError("say whom to believe: --trust FILE with a public key, or --unsigned to believe anybody")
    verify = trusting([path.expanduser() for path in trust]) if trust else None
    if verify is None:
        write("warning: nobody vouches for this bundle: its signature is not verified\n", sys.stderr)
    try:
        opened = file.expanduser().open("rb")
    except OSError as error:
        raise ConfigError(f'the bundle "{file}" can\'t be read: {error.strerror}') from error
    targets = stores.open_backends(settings)
    # Nobody collects meanwhile what was found to be there.
    with opened, leased(targets[""]) as lease, transfer("Importing") as progress:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        done = unpack(opened, targets, verify, now=now, lease=lease, force=force, progress=progress)
    if settings.output == "json":
        output.print_json(_as_json(done))
    else:
        output.say(output.console(), _sentence(done))
    return DONE


def _as_json(done: "Imported") -> dict[str, object]:
    bundle = done.bundle
    facts = {"snapshot": str(bundle.root), "revision": bundle.revision, "changed": done.changed}
    return facts | {"stored": done.stored, "size": done.size, "skipped": done.skipped}


def _sentence(done: "Imported") -> str:
    name = output.short_digest(str(done.bundle.root))
    if not done.changed:
        return f"The store serves {name} already."
    stored = f"{output.count(done.stored, 'content')} stored ({output.size(done.size)})"
    return f"Published {name}: {stored}, {done.skipped} were there."
