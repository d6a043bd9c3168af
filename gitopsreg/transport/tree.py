"""Git's tree objects, read from their bytes and checked: what no Git would write is refused before anybody sees it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from gitopsreg.errors import IntegrityError

EntryMode = Literal["file", "executable", "symlink", "submodule"]

_OID = 20
_KINDS: dict[bytes, EntryMode | Literal["folder"]] = {
    b"100644": "file",
    b"100664": "file",
    b"100755": "executable",
    b"40000": "folder",
    b"120000": "symlink",
    b"160000": "submodule",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """`path` is relative to the walked tree, `/`-separated; bytes that are no UTF-8 come as surrogate escapes."""

    path: str
    mode: EntryMode
    oid: str


class Item(NamedTuple):
    """One line of one tree object."""

    name: bytes
    kind: EntryMode | Literal["folder"]
    oid: str


def parse_tree(data: bytes) -> dict[bytes, Item]:
    r"""The lines of a tree object (`<octal mode> <name>\0<20 bytes>`) by name, in Git's order.

    Raises IntegrityError (`UnsafeArchive`).
    """
    items, position = [], 0
    while position < len(data):
        space = data.find(b" ", position)
        null = data.find(b"\0", space)
        end = null + 1 + _OID
        if space < 0 or null < 0 or end > len(data):
            raise IntegrityError("a tree object is cut short", reason="UnsafeArchive")
        name = _checked(data[space + 1 : null])
        items.append(Item(name, _kind(data[position:space], name), data[null + 1 : end].hex()))
        position = end
    items.sort(key=lambda item: item.name + b"/" if item.kind == "folder" else item.name)
    found = {item.name: item for item in items}
    if len(found) != len(items):
        raise IntegrityError("a folder holds two entries of the same name", reason="UnsafeArchive")
    return found


def as_text(name: bytes) -> str:
    return name.decode(errors="surrogateescape")


def _checked(name: bytes) -> bytes:
    if name in {b"", b".", b".."} or b"/" in name or name.lower() == b".git":
        raise IntegrityError(f"{as_text(name)!r} is no legal name in a tree", reason="UnsafeArchive")
    return name


def _kind(mode: bytes, name: bytes) -> EntryMode | Literal["folder"]:
    kind = _KINDS.get(mode.lstrip(b"0"))
    if kind is None:
        raise IntegrityError(f"{as_text(name)!r} has the unknown mode {as_text(mode)!r}", reason="UnsafeArchive")
    return kind
