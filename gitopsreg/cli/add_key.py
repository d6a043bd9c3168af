"""`gitopsreg add key`: a public key that providers are signed with. Takes no private key, asks no key server."""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitopsreg.cli.adding import In, Namespace, finish, open_catalog, refuse_bytes
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError, IntegrityError, InvalidName, quoted
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.upstream.signature import Key

NAME = "key"
SHORT = "Declare a public key that providers are signed with."
HELP = """Declare a public key that providers are signed with.

FILE is what 'gpg --armor --export KEY' printed; - reads it from standard input. Fingerprint and dates are read from it.

Exit codes: 0 written, 1 refused because the key can't be used or the catalog would not be valid, 2 wrong use, or
something is there already.
"""
EXAMPLES = """Examples:
  gitopsreg add key release.asc --namespace platform
  gpg --armor --export release@example.com | gitopsreg add key - --namespace platform --name release-2026 \\
    --provider internal --versions '>= 2.0.0'"""

_MOST_BYTES = 128 * 1024


@takes(*PRINTED)
def command(
    settings: Settings,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The armored public key, or - for standard input.")],
    namespace: Namespace,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The key's name, if not the file's.")] = "",
    provider: Annotated[
        list[str] | None,
        typer.Option("--provider", metavar="TYPE", help="Vouches for this provider only; may be repeated."),
    ] = None,
    versions: Annotated[
        str, typer.Option("--versions", metavar="TEXT", help="Vouches for these versions only, like '>= 2.0.0'.")
    ] = "",
    directory: In = None,
) -> int:
    from gitopsreg.catalog import compose

    catalog = open_catalog(settings, directory)
    catalog.need_namespace(namespace)
    named = key_name(name, file)
    try:
        key = _read(file)
        status, note = standing(key, now=datetime.now(UTC))
    except IntegrityError as error:
        return refuse_bytes(error)
    new = compose.NewKey(
        namespace=namespace,
        name=named,
        fingerprint=key.fingerprint,
        armor=key.armor,
        status=status,
        note=note,
        providers=tuple(dict.fromkeys(provider or ())),
        versions=versions,
    )
    trial = catalog.try_file(f"namespaces/{namespace}/keys/{named}.yaml", compose.key(new))
    return finish(
        settings,
        trial,
        told=[f"fingerprint {_spaced(key.fingerprint)}", *([f"warning: {note}"] if note else [])],
        then="compare the fingerprint with the publisher by another way, then name the key in a provider: "
        f"gitopsreg add provider FOLDER --namespace {namespace} --key {named}",
        document={"namespace": namespace, "name": named, "fingerprint": key.fingerprint, "status": status},
    )


def key_name(given: str, file: str) -> str:
    """As given, else what the file is called. Raises ConfigError."""
    from gitopsreg.model.address import namespace_name

    if file == "-" and not given:
        raise ConfigError("a key from standard input needs a name: write --name, like --name release-2026")
    name = given or re.sub(r"[^0-9a-z]+", "-", Path(file).stem.lower()).strip("-")[:63].rstrip("-")
    try:
        return namespace_name(name)
    except InvalidName as error:
        raise ConfigError(str(error).replace("namespace", "key name", 1)) from error


def standing(key: "Key", *, now: datetime) -> tuple[str, str]:
    """(status, a note) for a key that can still vouch for something. Raises IntegrityError for one that can't."""
    if key.revoked:
        raise IntegrityError("the key was revoked by its owner, so it vouches for nothing", reason="KeyRevoked")
    if key.outdated:
        raise IntegrityError(
            "the key is bound by SHA-1 self-signatures, which no longer count: ask its owner to renew them "
            "(gpg --cert-digest-algo SHA512 --quick-set-expire …) and to export it again",
            reason="KeyNotTrusted",
        )
    if key.expired_at and key.expired_at <= now:
        return "retired", f"It expired on {key.expired_at:%Y-%m-%d}: what it signed before stays good."
    if key.expired_at:
        return "active", f"It expires on {key.expired_at:%Y-%m-%d}."
    return "active", ""


def _read(file: str) -> "Key":
    """Raises ConfigError, IntegrityError."""
    from gitopsreg.upstream.signature import read_key

    data = _bytes(file)
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{quoted(file)} has more than {_MOST_BYTES} bytes: export one key, without its photos")
    try:
        text = data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{quoted(file)} is no text: export the key with 'gpg --armor --export' and give that file"
        ) from error
    return read_key(text)


def _bytes(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(_MOST_BYTES + 1)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{quoted(file)} can't be read: {error.strerror}") from error


def _spaced(fingerprint: str) -> str:
    """In groups of four, as gpg shows it: people compare it so."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))
