"""`gitopsreg store copy`: what is published, from one store into another."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.cli import care, output
from gitopsreg.cli.failures import DONE, FOUND
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError, quoted
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from gitopsreg.index.copy import Copied

NAME = "copy"
SHORT = "Copy what is published into another store."
HELP = """Copy the served snapshot and the newest few with all their bytes into another store, of any kind.

Every byte is verified on its way. What is there already is not copied again, so a copy that was stopped is simply run
again; when the source is published to meanwhile, the difference follows. At the end the other store serves the same
snapshot, with links that stay good. Nothing in FROM changes. Bytes in other back ends stay there: give the registry on
TO the same --backend. Status and secrets other than the key of links are not copied.

Exit codes: 0 copied, 1 something in FROM is missing or damaged, and TO is left as it was served, 2 wrong use, or TO
holds another registry's index, 3 a store can't be reached.
"""
EXAMPLES = """Examples:
  gitopsreg store copy file:///var/lib/gitopsreg s3://registry/prod
  gitopsreg store copy s3://registry/prod gs://registry-standby --keep 1 --quick --output json"""


@takes("jobs", *PRINTED)
def command(
    settings: Settings,
    source: Annotated[str, typer.Argument(metavar="FROM", help="The store to read.", show_default=False)],
    target: Annotated[str, typer.Argument(metavar="TO", help="The store to fill.", show_default=False)],
    keep: Annotated[
        int, typer.Option("--keep", min=1, max=10_000, metavar="NUMBER", help="So many of the newest snapshots.")
    ] = 10,
    quick: Annotated[
        bool, typer.Option("--quick", help="Believe what has the right size in TO, without reading it.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the index that TO holds, whatever it is.")] = False,
) -> int:
    from gitopsreg.cli.working import working
    from gitopsreg.index.copy import copy
    from gitopsreg.wiring import stores
    from gitopsreg.wiring.reconciling import make_lease

    if stores.same_place(source, target):
        raise ConfigError(f"FROM and TO are the same store, {quoted(target)}: name another one to fill")
    reader, store = stores.reader_at(source), stores.store_at(target)
    with working() as progress, make_lease(store).held(wait=True) as lease:
        copied = copy(reader, store, lease, keep=keep, quick=quick, force=force, jobs=settings.jobs, progress=progress)
    if settings.output == "json":
        output.print_json(_as_json(copied))
    else:
        _show(output.console(), copied)
    return FOUND if copied.faults else DONE


def _as_json(copied: "Copied") -> dict[str, Any]:
    return {
        "snapshot": str(copied.root),
        "snapshots": copied.snapshots,
        "documents": copied.documents,
        "blobs": copied.blobs,
        "size": copied.size,
        "there": copied.there,
        "elsewhere": dict(copied.elsewhere),
        "served": not copied.faults,
        "faults": care.faults_json(copied.faults),
    }


def _show(out: "Console", copied: "Copied") -> None:
    what = f"{output.count(copied.documents, 'document')} and {output.count(copied.blobs, 'blob')}"
    told = f"Copied {what}, {output.size(copied.size)}; {copied.there} were there"
    output.say(out, told, "yellow" if copied.faults else "bold")
    for name, number in copied.elsewhere:
        stay = f'{output.count(number, "blob")} stay in back end "{name}"'
        output.say(out, printable(f"{stay}: give the registry on TO --backend {name}"))
    if not copied.faults:
        output.say(out, f"TO serves snapshot {output.short_digest(str(copied.root))}.")
        return
    output.say(out, "TO is served as before, since this is wrong in FROM:", "yellow")
    care.show_faults(out, copied.faults)
    output.say(out, "  next: mend FROM with 'gitopsreg scrub', or leave history behind with --keep 1; then copy again")
