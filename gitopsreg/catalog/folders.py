"""The catalog's files, folder by folder: one that has the same tree as last time is not read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from gitopsreg.catalog.files import DEEPEST, MOST_FILES, CatalogFile, FileMode
from gitopsreg.catalog.layout import is_declaration
from gitopsreg.errors import CheckoutFailed, IntegrityError
from gitopsreg.transport.git import Repository
from gitopsreg.transport.tree import EntryMode, Item, as_text

# The loader refuses far smaller files by their size, with file and line; this only bounds what can be read at all.
_LARGEST_FILE = 1024 * 1024
_MODES: dict[EntryMode, FileMode] = {
    "file": "file",
    "executable": "file",
    "symlink": "symlink",
    "submodule": "submodule",
}


@dataclass(frozen=True, slots=True)
class Folder:
    """Everything below one tree, in Git's order; `size` is what its declarations come to, in bytes. `own` are the files
    right in it, `folders` the others by the name of theirs.
    """

    tree: str
    files: tuple[CatalogFile, ...]
    size: int
    own: tuple[CatalogFile, ...] = ()
    folders: tuple[tuple[str, "Folder"], ...] = ()


class Folders:
    """Remembers what was last read, and nothing older. Used by one thread at a time."""

    def __init__(self, most: int = MOST_FILES) -> None:
        self._most = most
        self._known: dict[str, Folder] = {}
        self._repository: Repository | None = None

    def read(self, repository: Repository, path: str, tree: str) -> Folder:
        """The folder at `path` of the catalog root. Raises CheckoutFailed (`TooLarge`), and as Repository.items does.

        What was read from another repository, or an older copy of this one, is forgotten: files are read there.
        """
        self._open(repository)
        self._known[path] = folder = self._folder(repository, path, tree, 0, self._known.get(path))
        return folder

    def _open(self, repository: Repository) -> None:
        if self._repository is None or self._repository.path != repository.path:
            self._known.clear()
        self._repository = repository

    def _read(self, oid: str) -> bytes:
        """A file's bytes from the repository as it was last opened: files that stay keep no older one open."""
        if self._repository is None:
            raise CheckoutFailed("no repository is open")
        return self._repository.read(oid, limit=_LARGEST_FILE)

    def file(self, repository: Repository, path: str, mode: EntryMode, oid: str) -> CatalogFile:
        """The file at `path` of the catalog root."""
        self._open(repository)
        return CatalogFile(
            path=_readable(path),
            mode=_MODES[mode],
            size=0 if mode == "submodule" else repository.size(oid),
            oid=oid,
            read=partial(self._read, oid),
        )

    def _folder(self, repository: Repository, path: str, tree: str, depth: int, known: Folder | None) -> Folder:
        if known is not None and known.tree == tree:
            return known
        if depth > DEEPEST:
            raise IntegrityError(f"{path!r} is nested too deeply: {DEEPEST} folders at most", reason="UnsafeArchive")
        items = repository.items(tree)
        if not items and depth:
            raise IntegrityError(f"{path!r} is an empty folder, which Git never writes", reason="UnsafeArchive")
        before = dict(known.folders) if known is not None else {}
        return self._together(repository, path, tree, items, depth, before)

    def _together(
        self,
        repository: Repository,
        path: str,
        tree: str,
        items: tuple[Item, ...],
        depth: int,
        before: Mapping[str, Folder],
    ) -> Folder:
        files: list[CatalogFile] = []
        own: list[CatalogFile] = []
        folders: list[tuple[str, Folder]] = []
        size = 0
        for item in items:
            name = as_text(item.name)
            inner = f"{path}/{name}"
            if item.kind == "folder":
                folder = self._folder(repository, inner, item.oid, depth + 1, before.get(_readable(name)))
                folders.append((_readable(name), folder))
                files += folder.files
                size += folder.size
            else:
                own.append(self.file(repository, inner, item.kind, item.oid))
                files.append(own[-1])
                size += own[-1].size if is_declaration(inner) else 0
            if len(files) > self._most:
                raise too_many(self._most)
        return Folder(tree, tuple(files), size, tuple(own), tuple(folders))


def _readable(path: str) -> str:
    """As a directory's are: a name that is no UTF-8 becomes one that no declaration can have."""
    return path.encode(errors="surrogateescape").decode(errors="backslashreplace")


def too_many(most: int) -> CheckoutFailed:
    return CheckoutFailed(f"the catalog has too many files: {most:,} at most", reason="TooLarge")
