"""What goes into a module's archive: the files of a Git tree, links replaced by what they point to.

Everything a stranger can put into a tree is judged here. Names that differ only in case are let through: a clone of the
repository has them too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import dirname, join, normpath

from gitopsreg.errors import IntegrityError
from gitopsreg.transport.git import Repository
from gitopsreg.transport.tree import TreeEntry

MOST_MEMBERS = 50_000
_DEEPEST = 32
_MOST_HOPS = 40
_LONGEST_LINK = 4096
_LONGEST_NAME = 1024


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """A file of the archive; `name` is safe to unpack anywhere."""

    name: bytes
    executable: bool
    oid: str


class LinkLeaves(IntegrityError):
    """A link points out of the tree that is packed; a larger tree may hold its target."""

    default_reason = "UnsafeArchive"


def members(repository: Repository, tree: str) -> tuple[Member, ...]:
    """All files of a tree, sorted by the bytes of their names.

    Raises IntegrityError (`UnsafeArchive`, `TooLarge`), of it LinkLeaves for a link to outside.
    """
    found: list[Member] = []
    for member in _Walk(repository, tree).below("", "", ()):
        found.append(member)
        if len(found) > MOST_MEMBERS:
            raise IntegrityError(f"the module has too many files: {MOST_MEMBERS:,} at most", reason="TooLarge")
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class _Walk:
    """Paths here are relative to `tree`: `real` is where something lies, `shown` where the archive has it."""

    repository: Repository
    tree: str

    def below(self, real: str, shown: str, through: tuple[str, ...]) -> Iterator[Member]:
        """The files of the folder `real`. `through` are the folders whose links led here: what ends a loop."""
        folder = self.repository.subtree(self.tree, real)
        if folder is None:
            return
        for entry in self.repository.walk(folder, depth=_DEEPEST):
            path, name = join(real, entry.path), join(shown, entry.path)
            match entry.mode:
                case "submodule":
                    raise _unsafe(f"{name!r} is a submodule: its content is not in this repository")
                case "symlink":
                    yield from self._behind(path, name, through)
                case _:
                    yield self._member(name, entry)

    def _behind(self, path: str, name: str, through: tuple[str, ...]) -> Iterator[Member]:
        target = self._follow(path)
        entry = self.repository.entry(self.tree, target) if target else None
        if entry is None:
            if not target or f"{path}/".startswith(f"{target}/") or target in through or len(through) > _DEEPEST:
                raise _unsafe(f"the link {name!r} leads into itself: its folder would never end")
            yield from self.below(target, name, (*through, target))
        elif entry.mode == "submodule":
            raise _unsafe(f"the link {name!r} points to {target!r}, a submodule: its content is not in this repository")
        else:
            yield self._member(name, entry)

    def _follow(self, path: str) -> str:
        """The path of the file or folder that a link stands for in the end, links on the way resolved."""
        said = self._target(path)
        walked, ahead, hops = dirname(path), said.split("/")[::-1], 0
        while ahead:
            part = ahead.pop()
            if part == ".." and not walked:
                raise LinkLeaves(f"the link {path!r} points to {said!r}, outside of what is packed")
            if part in {"", ".", ".."}:
                walked = dirname(walked) if part == ".." else walked
                continue
            entry = self.repository.entry(self.tree, join(walked, part))
            if entry is not None and entry.mode == "symlink":
                hops += 1
                if hops > _MOST_HOPS:
                    raise _unsafe(f"the link {path!r} leads through more than {_MOST_HOPS} others, or in a circle")
                ahead += self._target(entry.path).split("/")[::-1]
                continue
            walked = join(walked, part)
            if entry is None and self.repository.subtree(self.tree, walked) is None:
                raise _unsafe(f"the link {path!r} points to {said!r}, which does not exist")
        return walked

    def _target(self, path: str) -> str:
        entry = self.repository.entry(self.tree, path)
        raw = self.repository.read(entry.oid, limit=_LONGEST_LINK) if entry else b""
        target = raw.decode(errors="surrogateescape")
        if not target or "\0" in target:
            raise _unsafe(f"the link {path!r} points to {target!r}, which is no path")
        if target.startswith("/"):
            raise _unsafe(f"the link {path!r} points to {target!r}: write a path relative to the link")
        return target

    def _member(self, name: str, entry: TreeEntry) -> Member:
        return Member(_safe(name), entry.mode == "executable", entry.oid)


def _safe(name: str) -> bytes:
    """The name as bytes; `..`, empty parts and slashes inside parts never come out of a tree object."""
    try:
        raw = name.encode()
    except UnicodeEncodeError:
        raise _unsafe(f"the name {name!r} is not UTF-8") from None
    if "\\" in name or any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for letter in name):
        raise _unsafe(f"the name {name!r} holds a backslash or a control character")
    if len(raw) > _LONGEST_NAME or normpath(name) != name:
        raise _unsafe(f"the name {name[:100]!r} is too long: {_LONGEST_NAME} bytes at most")
    return raw


def _unsafe(message: str) -> IntegrityError:
    return IntegrityError(message, reason="UnsafeArchive")
