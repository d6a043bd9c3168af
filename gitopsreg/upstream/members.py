"""What goes into a module's archive: the files of a Git tree, links replaced by what they point to.

Everything a stranger can put into a tree is judged here. Names that differ only in case are let through: a clone of the
repository has them too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath

from gitopsreg.errors import IntegrityError
from gitopsreg.transport.git import Repository
from gitopsreg.transport.tree import TreeEntry

MOST_MEMBERS = 50_000
_DEEPEST = 32
_MOST_HOPS = 40
_LONGEST_LINK = 1024
# What a module may cost at most, about ten seconds: entries looked at, and lines of tree objects read for them.
_MOST_STEPS = 200_000
_MOST_LINES = 5_000_000
_LONGEST_NAME = 1024
_MISCHIEVOUS = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")


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
    for member in _Walk(repository, repository.parsed).below(_Place("", (tree,)), "", ()):
        found.append(member)
        if len(found) > MOST_MEMBERS:
            raise IntegrityError(f"the module has too many files: {MOST_MEMBERS:,} at most", reason="TooLarge")
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a path from the top of the tree leads: `trees` are the folders on the way, the top first. `file` is what
    lies there when it is no folder.
    """

    path: str
    trees: tuple[str, ...]
    file: TreeEntry | None = None

    def up(self) -> "_Place":
        return _Place(dirname(self.path), self.trees[:-1])

    def folder(self, name: str, tree: str) -> "_Place":
        return _Place(join(self.path, name), (*self.trees, tree))


@dataclass(slots=True)
class _Walk:
    """One way through a tree, with an end to its patience. Each link is followed once, however many lead to it: `known`
    has where it leads, and through how many others.
    """

    repository: Repository
    before: int
    steps: int = 0
    known: dict[str, tuple[_Place, int]] = field(default_factory=dict)

    def below(self, top: _Place, shown: str, through: tuple[str, ...]) -> Iterator[Member]:
        """The files of a folder, which the archive has at `shown`. `through` are the folders whose links led here: what
        ends a loop.
        """
        for entry in self.repository.walk(top.trees[-1], depth=_DEEPEST):
            self._step()
            name = join(shown, entry.path)
            match entry.mode:
                case "submodule":
                    raise _unsafe(f"{name!r} is a submodule: its content is not in this repository")
                case "symlink":
                    yield from self._behind(top, entry, name, through)
                case _:
                    yield _member(name, entry)

    def _behind(self, top: _Place, link: TreeEntry, name: str, through: tuple[str, ...]) -> Iterator[Member]:
        _safe(name)
        target, _ = self._follow(self._folder_of(top, link.path), link, 0)
        if target.file is None:
            path = join(top.path, link.path)
            inside_itself = not target.path or f"{path}/".startswith(f"{target.path}/")
            if inside_itself or target.path in through or len(through) > _DEEPEST:
                raise _unsafe(f"the link {name!r} leads into itself: its folder would never end")
            yield from self.below(target, name, (*through, target.path))
        elif target.file.mode == "submodule":
            raise _unsafe(
                f"the link {name!r} points to {target.path!r}, a submodule: its content is not in this repository"
            )
        else:
            yield _member(name, target.file)

    def _folder_of(self, at: _Place, path: str) -> _Place:
        for part in path.split("/")[:-1]:
            at = at.folder(part, self.repository.subtree(at.trees[-1], part) or "")
        return at

    def _follow(self, at: _Place, link: TreeEntry, nested: int) -> tuple[_Place, int]:
        """What a link in the folder `at` stands for in the end, and through how many others that leads."""
        path = join(at.path, link.path.rpartition("/")[2])
        if path not in self.known:
            if nested > _MOST_HOPS:
                raise _too_many_hops(path)
            said, hops = self._target(path, link), 0
            for part in said.split("/"):
                self._step()
                at, more = self._next(at, part, f"the link {path!r} points to {said!r}", nested)
                hops += more
                if hops > _MOST_HOPS:
                    raise _too_many_hops(path)
            self.known[path] = at, hops
        return self.known[path]

    def _next(self, at: _Place, part: str, said: str, nested: int) -> tuple[_Place, int]:
        """One part of a link's target further; `said` begins what is to say against it."""
        if part == ".." and not at.path:
            raise LinkLeaves(f"{said}, outside of what is packed")
        if at.file is None and part in {"", ".", ".."}:
            return (at.up() if part == ".." else at), 0
        entry = None if at.file else self.repository.entry(at.trees[-1], part)
        if entry is not None and entry.mode == "symlink":
            place, hops = self._follow(at, entry, nested + 1)
            return place, hops + 1
        if entry is not None:
            return _Place(join(at.path, part), at.trees, entry), 0
        tree = None if at.file else self.repository.subtree(at.trees[-1], part)
        if tree is None or len(at.path) > _LONGEST_NAME:
            raise _unsafe(f"{said}, which does not exist")
        return at.folder(part, tree), 0

    def _target(self, path: str, link: TreeEntry) -> str:
        target = self.repository.read(link.oid, limit=_LONGEST_LINK).decode(errors="surrogateescape")
        if not target or "\0" in target:
            raise _unsafe(f"the link {path!r} points to {target!r}, which is no path")
        if target.startswith("/"):
            raise _unsafe(f"the link {path!r} points to {target!r}: write a path relative to the link")
        return target

    def _step(self) -> None:
        self.steps += 1
        if self.steps > _MOST_STEPS or self.repository.parsed - self.before > _MOST_LINES:
            raise IntegrityError("the module takes too long to read: too many links and folders", reason="TooLarge")


def _member(name: str, entry: TreeEntry) -> Member:
    return Member(_safe(name), entry.mode == "executable", entry.oid)


def _safe(name: str) -> bytes:
    """The name as bytes; `..`, empty parts and slashes inside parts never come out of a tree object."""
    try:
        raw = name.encode()
    except UnicodeEncodeError:
        raise _unsafe(f"the name {name!r} is not UTF-8") from None
    if _MISCHIEVOUS.search(name):
        raise _unsafe(f"the name {name!r} holds a backslash or a control character")
    if len(raw) > _LONGEST_NAME or normpath(name) != name:
        raise _unsafe(f"the name {name[:100]!r} is too long: {_LONGEST_NAME} bytes at most")
    return raw


def _unsafe(message: str) -> IntegrityError:
    return IntegrityError(message, reason="UnsafeArchive")


def _too_many_hops(path: str) -> IntegrityError:
    return _unsafe(f"the link {path!r} leads through more than {_MOST_HOPS} others, or in a circle")
