"""`gitopsreg bundle export`: one snapshot with all its bytes as one signed file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError, StorageError
from gitopsreg.settings import Settings

NAME = "export"
SHORT = "Write a snapshot into one signed file."
HELP = """Write a snapshot with all its bytes into one file, signed with an OpenPGP key, for 'gitopsreg bundle import'.

The file is an uncompressed tar: a list of its contents with their digests, the list's signature, and the contents.
With --since it leaves out what an older snapshot names, which the other side must have.

Exit codes: 0 done, 2 wrong use, 3 the store can't be read, or nothing has been published yet.
"""
EXAMPLES = """Examples:
  gpg --armor --export-secret-keys releases@example.com > secret.asc
  gitopsreg bundle export registry.tar --sign-key secret.asc --store file:///var/lib/gitopsreg
  gitopsreg bundle export monday.tar --since sha256:5e1c… --sign-key secret.asc --config gitopsreg.yaml"""


@takes("store", "backends", *PRINTED, needs=("store",))
def command(
    settings: Settings,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to.", show_default=False)],
    snapshot: Annotated[
        str | None,
        typer.Option(
            "--snapshot",
            metavar="SNAPSHOT",
            help="An older one, see 'gitopsreg history'.",
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="SNAPSHOT", help="Leave out what this one names.")
    ] = None,
    sign_key: Annotated[
        Path | None, typer.Option("--sign-key", metavar="FILE", help="An armored OpenPGP secret key.")
    ] = None,
    passphrase_env: Annotated[
        str | None, typer.Option("--passphrase-env", metavar="NAME", help="The variable that holds its passphrase.")
    ] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Without a signature: whoever imports it can't tell who made it.")
    ] = False,
) -> int:
    from gitopsreg.cli.transfer import transfer
    from gitopsreg.index import repository
    from gitopsreg.offline import pack
    from gitopsreg.reconcile.rollback import find
    from gitopsreg.wiring import stores

    sign = _sign(sign_key, passphrase_env, unsigned=unsigned)
    readers = stores.open_backend_readers(settings)
    head = repository.read_head(readers[""])
    if head is None:
        raise StorageError("nothing has been published into this store yet: there is nothing to export")
    root = find(readers[""], head, snapshot) if snapshot else head.root
    bundle = pack.pack(readers, root, since=find(readers[""], head, since) if since else None)
    target = file.expanduser().absolute()
    with transfer("Writing", len(bundle.contents)) as progress:
        size = pack.write(bundle, readers, target, sign, progress=progress)
    if settings.output == "json":
        facts = {"snapshot": str(root), "since": str(bundle.since) if bundle.since else None, "file": str(target)}
        output.print_json(facts | {"signed": sign is not None, "contents": len(bundle.contents), "size": size})
        return DONE
    contents = output.count(len(bundle.contents), "content")
    output.say(
        output.console(), f"Wrote {contents} of {output.short_digest(str(root))} into {target} ({output.size(size)})."
    )
    return DONE


def _sign(key: Path | None, passphrase_env: str | None, *, unsigned: bool) -> Callable[[bytes], bytes] | None:
    """Raises ConfigError."""
    if unsigned == (key is not None):
        raise ConfigError("say how the bundle is signed: --sign-key FILE, or --unsigned if nobody vouches for it")
    if key is None:
        return None
    from gitopsreg.offline.secret_key import SecretKey

    if passphrase_env is not None and not os.environ.get(passphrase_env):
        raise ConfigError(f'the variable "{passphrase_env}" is not set: it must hold the passphrase of --sign-key')
    try:
        armor = key.expanduser().read_bytes()
    except OSError as error:
        raise ConfigError(f'the secret key "{key}" can\'t be read: {error.strerror}') from error
    passphrase = os.environ[passphrase_env] if passphrase_env else None
    return SecretKey(armor, name=str(key), passphrase=passphrase).sign
