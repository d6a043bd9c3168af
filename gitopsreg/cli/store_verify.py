"""`gitopsreg store verify`: is all there that is published, and is it right? Reads the store only."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitopsreg.cli import care, output
from gitopsreg.cli.failures import DONE, FOUND
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from gitopsreg.index.verify import Verified

NAME = "verify"
SHORT = "Read everything that is published."
HELP = """Read the index and all bytes of the served snapshot and of the newest few, and compare their digests.

Documents of the index are always read; with --quick only the sizes of everything else are looked at.

Exit codes: 0 all is well, 1 something is missing or damaged, 2 wrong use, 3 the store can't be reached, or nothing has
been published yet.
"""
EXAMPLES = """Examples:
  gitopsreg store verify --store file:///var/lib/gitopsreg
  gitopsreg store verify --config gitopsreg.yaml --quick --output json"""


@takes("store", "backends", "jobs", *PRINTED, needs=("store",))
def command(
    settings: Settings,
    keep: Annotated[
        int, typer.Option("--keep", min=1, max=10_000, metavar="NUMBER", help="So many of the newest snapshots.")
    ] = 10,
    quick: Annotated[bool, typer.Option("--quick", help="Look at sizes only.")] = False,
) -> int:
    from gitopsreg.cli.working import working
    from gitopsreg.index.verify import verify
    from gitopsreg.wiring import stores

    readers = stores.open_backend_readers(settings)
    with working() as progress:
        verified = verify(readers, keep=keep, quick=quick, jobs=settings.jobs, progress=progress)
    if settings.output == "json":
        output.print_json(
            {
                "snapshots": verified.snapshots,
                "documents": verified.documents,
                "blobs": verified.blobs,
                "size": verified.size,
                "quick": quick,
                "faults": care.faults_json(verified.faults),
            }
        )
    else:
        _show(output.console(), verified)
    return FOUND if verified.faults else DONE


def _show(out: "Console", verified: "Verified") -> None:
    parts = (
        output.count(verified.snapshots, "snapshot"),
        output.count(verified.documents, "document"),
        f"{output.count(verified.blobs, 'blob')} of {output.size(verified.size)}",
    )
    told = f"{output.count(len(verified.faults), 'fault')}" if verified.faults else "all is well"
    output.say(out, f"Verified {', '.join(parts)}: {told}", "yellow" if verified.faults else "bold")
    care.show_faults(out, verified.faults)
    if verified.faults:
        output.say(out, "  next: 'gitopsreg scrub --catalog … --store …' fetches again what upstreams still have")
