"""`gitopsreg export`: the whole registry as plain files, for a web server that runs nothing of ours."""

from pathlib import Path
from typing import Annotated

import typer

from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import StorageError
from gitopsreg.settings import Settings

NAME = "export"
SHORT = "Write the registry as plain files."
HELP = """Write everything that is served into a folder of plain files, for any web server.

DIR/www is what clients are to find at --public-url: discovery, versions, downloads, archives, and a network mirror
that is also a filesystem_mirror. DIR/nginx holds the rules for nginx: modules need one header, which no plain file can
give; providers and the mirror need no rule anywhere.

A second export into the same folder writes what changed and removes what is gone. A web server may read it meanwhile.

Exit codes: 0 done, 2 wrong use, 3 the store can't be read, or nothing has been published yet.
"""
EXAMPLES = """Examples:
  gitopsreg export --static /srv/registry --public-url https://registry.example.com --store file:///var/lib/gitopsreg
  gitopsreg export --static /srv/registry --config gitopsreg.yaml && nginx -s reload"""


@takes("store", "backends", "public_url", *PRINTED, needs=("store", "public_url"))
def command(
    settings: Settings,
    static: Annotated[Path, typer.Option("--static", metavar="DIR", help="Where to.", show_default=False)],
) -> int:
    from gitopsreg.cli.transfer import transfer
    from gitopsreg.index import repository
    from gitopsreg.offline.site import Site
    from gitopsreg.offline.static import export
    from gitopsreg.wiring import stores

    readers = stores.open_backend_readers(settings)
    head = repository.read_head(readers[""])
    if head is None:
        raise StorageError("nothing has been published into this store yet: there is nothing to export")
    folder = static.expanduser().absolute()
    site = Site(repository.load(readers[""], head.root), settings.public_url)
    with transfer("Exporting", sum(1 for _ in site.copies())) as progress:
        done = export(site, readers, folder, progress=progress)
    if settings.output == "json":
        output.print_json({"snapshot": str(head.root), "folder": str(folder), **output.plain(done)})
        return DONE
    out = output.console()
    output.say(
        out,
        f"Exported {output.count(done.files, 'file')}: {done.written} written ({output.size(done.size)}), "
        f"{done.removed} removed.",
    )
    output.say(out, f"Serve {folder / 'www'} at {settings.public_url}; the rules for nginx are in {folder / 'nginx'}.")
    return DONE
