"""What can be said of a signing key once its block is read: GR610 to GR613. Signs and verifies nothing itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.problem import Problem
from gitopsreg.errors import IntegrityError, quoted
from gitopsreg.upstream.signature import Key, read_key

_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """One provider that names the key: the ids of the keys that signed its newest releases, and how many of these the
    key may vouch for. Not `complete` when some of them could not be looked at.
    """

    namespace: str
    name: str
    signers: frozenset[str]
    releases: int
    complete: bool


def check_key(root: Cursor, now: datetime) -> Iterator[Problem]:
    """The key by itself."""
    spec = root / "spec"
    block, fingerprint = spec / "publicKey", spec / "fingerprint"
    try:
        key = read_key(str(block.value))
    except IntegrityError as error:
        yield Problem(rule="GR613", message=str(error), pointer=block.pointer, on_key=True)
        return
    declared = "".join(fingerprint.text.split()).upper()
    if declared != key.fingerprint:
        message = f"the key below has the fingerprint {quoted(key.fingerprint)}"
        hint = "find out which of the two is right before changing either"
        yield Problem(rule="GR611", message=message, hint=hint, pointer=fingerprint.pointer)
    yield from _state(key, spec, now)


def _state(key: Key, spec: Cursor, now: datetime) -> Iterator[Problem]:
    status, block = (spec / "status").text or "active", spec / "publicKey"
    if key.revoked and status != "revoked":
        hint = "set status: revoked, and declare a new key beside it"
        yield Problem(rule="GR613", message="its owner revoked the key", hint=hint, pointer=block.pointer, on_key=True)
    elif key.outdated:
        message = "the key is bound by SHA-1 self-signatures, which no longer count"
        hint = "renew them: gpg --cert-digest-algo SHA512 --quick-set-expire …"
        yield Problem(rule="GR613", message=message, hint=hint, pointer=block.pointer, on_key=True)
    elif key.expired_at and status == "active" and key.expired_at <= now + _SOON:
        verb = "expired" if key.expired_at <= now else "expires"
        message = f"the key {verb} on {key.expired_at:%Y-%m-%d}"
        hint = "extend it and declare it as exported then, or set status: retired and declare a new key"
        yield Problem(rule="GR612", message=message, hint=hint, pointer=block.pointer, on_key=True)


def check_use(root: Cursor, uses: Sequence[KeyUse]) -> Iterator[Problem]:
    """The key beside the releases of the providers that name it."""
    releases = sum(use.releases for use in uses)
    status = (root / "spec" / "status").text or "active"
    if status != "active" or not releases or not all(use.complete for use in uses):
        return
    try:
        key_id = read_key(str((root / "spec" / "publicKey").value)).key_id
    except IntegrityError:
        return
    if not any(key_id in use.signers for use in uses):
        which = f"none of the newest {releases} releases" if releases > 1 else "not even the one release"
        message = f"the key {quoted(key_id)} signed {which} that it may vouch for"
        hint = "declare the key that signs, or set status: retired"
        yield Problem(rule="GR610", message=message, hint=hint, pointer=(root / "spec" / "fingerprint").pointer)
