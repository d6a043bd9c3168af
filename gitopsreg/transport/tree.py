"""Git's tree objects, read from their bytes and checked: what no Git would write is refused before anybody sees it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gitopsreg.errors import IntegrityError

EntryMode = Literal["file", "executable", "symlink", "submodule"]

_OID = 20
# A folder counts each time it is entered: twenty small trees that name each other hold billions of files.
_MOST_VISITED = 200_000
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


def files(items: Mapping[bytes, Item], most: int) -> tuple[TreeEntry, ...]:
    """The files right in a folder; what lies deeper, links and submodules are left out.

    Raises IntegrityError (`TooLarge`) when there are more than `most`.
    """
    found = tuple(
        TreeEntry(path=as_text(item.name), mode=item.kind, oid=item.oid)
        for item in items.values()
        if item.kind in {"file", "executable"}
    )
    if len(found) > most:
        raise IntegrityError(f"the folder holds {len(found):,} files: {most:,} at most", reason="TooLarge")
    return found


def walk(read: Callable[[str], Mapping[bytes, Item]], tree: str, depth: int) -> Iterator[TreeEntry]:
    """Every entry that is no folder, sorted by the bytes of its path; `read` gives the lines of a tree.

    Raises IntegrityError: `UnsafeArchive` for folders nested deeper than `depth` and for what Git would not write,
    `TooLarge` where there is no end to it.
    """
    visited = 0
    stack = [iter([(b"", Item(b"", "folder", tree))])]
    while stack:
        for path, item in stack[-1]:
            visited += 1
            if visited > _MOST_VISITED:
                limit = f"{_MOST_VISITED:,} at most"
                raise IntegrityError(f"there are too many files and folders: {limit}", reason="TooLarge")
            if item.kind != "folder":
                yield TreeEntry(path=as_text(path), mode=item.kind, oid=item.oid)
                continue
            stack.append(_children(path, read(item.oid)))
            # The root is one of them.
            if len(stack) > depth + 2:
                raise IntegrityError(
                    f"{as_text(path)!r} is nested too deeply: {depth} folders at most", reason="UnsafeArchive"
                )
            break
        else:
            stack.pop()


def _children(path: bytes, items: Mapping[bytes, Item]) -> Iterator[tuple[bytes, Item]]:
    if path and not items:
        raise IntegrityError(f"{as_text(path)!r} is an empty folder, which Git never writes", reason="UnsafeArchive")
    prefix = path + b"/" if path else b""
    return ((prefix + item.name, item) for item in items.values())


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
