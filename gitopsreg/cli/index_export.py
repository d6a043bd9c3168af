"""`gitopsreg index export`: the published snapshot as one file, to plan against where the store is out of reach."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import takes
from gitopsreg.cli.rewrite import rewrite
from gitopsreg.errors import ConfigError
from gitopsreg.settings import Settings

NAME = "export"
SHORT = "Write the index into one file."
HELP = """Write the index of what is published into one file: names, versions and digests, no content and no secret.

'gitopsreg plan --base REV --index FILE' plans against it, in CI for example, where nobody should reach the store. The
same snapshot gives the same bytes; each document in the file is verified by its digest when it is read.

Exit codes: 0 done, 2 wrong use, 3 the store can't be read, or nothing has been published yet.
"""
EXAMPLES = """Examples:
  gitopsreg index export index.json --store file:///var/lib/gitopsreg
  gitopsreg index export - --config gitopsreg.yaml | gzip > index.json.gz"""


@takes("store", "log_level", needs=("store",))
def command(
    settings: Settings,
    file: Annotated[str, typer.Argument(metavar="FILE", help='Where to; "-" is stdout.', show_default=False)],
) -> int:
    from gitopsreg.index.export import export
    from gitopsreg.wiring import stores

    data = export(stores.open_reader(settings))
    if file == "-":
        sys.stdout.buffer.write(data)
        return DONE
    try:
        rewrite(Path(file).expanduser(), data)
    except OSError as error:
        raise ConfigError(f'the index "{file}" can\'t be written: {error.strerror or error}') from error
    return DONE
