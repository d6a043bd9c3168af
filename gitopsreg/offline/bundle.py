"""A bundle: one snapshot with all its bytes in one file, and the list of them that a signature covers.

An uncompressed tar in one order: `bundle.json`, its detached OpenPGP signature, then each content once, named by its
digest. What follows the list can only be what the list says, so one signature vouches for all of it.
"""

import json
from dataclasses import dataclass
from typing import Any

from gitopsreg.errors import BundleRefused, InvalidName
from gitopsreg.index.contents import Place
from gitopsreg.index.model import Blob
from gitopsreg.index.shape import shape_of
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import check_key

FORMAT = 1
LIST, SIGNATURE = "bundle.json", "bundle.json.sig"
MAX_LIST, MAX_SIGNATURE = 1024**3, 64 * 1024
_DOCUMENTS = {"index/roots", "index/shards", "index/packages"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Bytes and where they belong: `backend` "" is the registry's own store."""

    backend: str = ""
    key: str
    sha256: Sha256
    size: int

    @property
    def place(self) -> Place:
        return Place(self.backend, self.key)

    @property
    def blob(self) -> Blob:
        return Blob(self.sha256, self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a bundle carries. `ancestors` are the roots before this one, newest first, as far as they were kept; of what
    `since` names nothing is in here.
    """

    root: Sha256
    revision: str
    time: str
    hostname: str | None = None
    ancestors: tuple[Sha256, ...] = ()
    since: Sha256 | None = None
    members: tuple[Member, ...] = ()

    @property
    def contents(self) -> dict[Blob, list[Place]]:
        """The places of each content, in the order of the file."""
        found: dict[Blob, list[Place]] = {}
        for member in self.members:
            found.setdefault(member.blob, []).append(member.place)
        return found


def content_name(blob: Blob) -> str:
    return f"content/{blob.sha256.hex}"


def encode(bundle: Bundle) -> bytes:
    """The same bundle, the same bytes."""
    plain = {"format": FORMAT, **shape_of(Bundle).dump(bundle)}
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def decode(data: bytes) -> Bundle:
    """Raises BundleRefused for what is no list of a bundle, or names anything but contents of a registry."""
    try:
        plain: Any = json.loads(data)
        number = plain.get("format") if isinstance(plain, dict) else None
        if number == FORMAT:
            bundle: Bundle = shape_of(Bundle).load(plain)
            _check(bundle.members)
            return bundle
    except (ValueError, RecursionError) as error:
        raise BundleRefused(f"not a list of a bundle: {error}") from error
    if type(number) is int and number > FORMAT:
        raise BundleRefused(f'the bundle has format "{number}": upgrade gitopsreg, this release reads {FORMAT}')
    raise BundleRefused(f'not a list of a bundle: it must be an object with "format": {FORMAT}')


def _check(members: tuple[Member, ...]) -> None:
    """Only documents of the index and blobs, each under its own digest: no pointer, no status, no secret."""
    for member in members:
        kind, _, name = check_key(member.key).rpartition("/")
        document = not member.backend and kind in _DOCUMENTS
        if name != member.sha256.hex or not (document or kind == "blobs" or kind.endswith("/blobs")):
            raise InvalidName(f'"{member.key}" is no content of a registry')
        if member.size < 0:
            raise InvalidName(f'"{member.key}" can\'t have {member.size} bytes')
    if len({member.place for member in members}) != len(members):
        raise InvalidName("a content is listed twice")
    if len({member.blob for member in members}) != len({member.sha256 for member in members}):
        raise InvalidName("a content is listed with two sizes")
