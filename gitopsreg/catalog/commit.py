"""One commit of the catalog, read from the object database: its files below the catalog root, never checked out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from gitopsreg.catalog.files import DECLARED, MAX_TOTAL, CatalogFile, CatalogFiles, FileMode
from gitopsreg.catalog.layout import is_declaration
from gitopsreg.errors import CheckoutFailed
from gitopsreg.transport.git import Commit, Repository
from gitopsreg.transport.tree import EntryMode, TreeEntry

_MOST_FILES = 50_000
_DEEPEST = 32
# The loader refuses far smaller files by their size, with file and line; this only bounds what can be read at all.
_LARGEST_FILE = 1024 * 1024
# What Git calls the tree that holds nothing, in every repository.
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_MODES: Mapping[EntryMode, FileMode] = {
    "file": "file",
    "executable": "file",
    "symlink": "symlink",
    "submodule": "submodule",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogCheckout:
    """One commit of the catalog: its files, and the repository at `repository` that holds it. `root` is the tree of the
    catalog root.
    """

    files: CatalogFiles
    repository: Path
    commit: Commit
    root: str


def checkout_of(
    repository: Repository, commit: Commit, path: str, *, name: str, may_lack: bool = False
) -> CatalogCheckout:
    """The commit's catalog below `path`, called `name@sha1:…`.

    Without that folder it is an empty catalog (`may_lack`), else CheckoutFailed. Raises UpstreamError when the
    repository lacks what it should have.
    """
    path = inside(path)
    root = repository.subtree(commit.tree, path)
    if root is None and not may_lack:
        raise CheckoutFailed(
            f'the catalog has no folder "{path}" at {name}: '
            'set --path to the folder that holds registry.yaml, "." for the top',
            reason="NotFound",
        )
    return CatalogCheckout(
        files=CatalogFiles(
            revision=f"{name}@sha1:{commit.oid}",
            time=commit.time,
            root=f"{path}/" if path else "",
            files=tuple(_files(repository, root)) if root else (),
            has_folder=lambda folder: root is not None and repository.subtree(root, folder) is not None,
        ),
        repository=repository.path,
        commit=commit,
        root=root or _EMPTY_TREE,
    )


def inside(path: str) -> str:
    """The path of a folder in a repository, normalised, "" for the top. Raises CheckoutFailed when it leads outside."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if path.startswith("/") or ".." in parts:
        raise CheckoutFailed(f'"{path}" is no folder inside the repository: write one like "catalog", "." for the top')
    return str(PurePosixPath(*parts)) if parts else ""


def _files(repository: Repository, root: str) -> Iterator[CatalogFile]:
    """Everything below DECLARED; what lies beside it may be of any size and is never looked at."""
    count = total = 0
    for name in DECLARED:
        for entry in _entries(repository, root, name):
            file = _file(repository, entry)
            count += 1
            total += file.size if is_declaration(file.path) else 0
            if count > _MOST_FILES:
                raise CheckoutFailed(f"the catalog has too many files: {_MOST_FILES:,} at most", reason="TooLarge")
            if total > MAX_TOTAL:
                limit = f"{MAX_TOTAL // 1024**2} MiB of declarations at most"
                raise CheckoutFailed(f"the catalog is too large: {limit}", reason="TooLarge")
            yield file


def _file(repository: Repository, entry: TreeEntry) -> CatalogFile:
    mode = _MODES[entry.mode]
    return CatalogFile(
        # As a directory's are: a name that is no UTF-8 becomes one that no declaration can have.
        path=entry.path.encode(errors="surrogateescape").decode(errors="backslashreplace"),
        mode=mode,
        size=0 if mode == "submodule" else repository.size(entry.oid),
        oid=entry.oid,
        read=partial(repository.read, entry.oid, limit=_LARGEST_FILE),
    )


def _entries(repository: Repository, root: str, name: str) -> Iterator[TreeEntry]:
    folder = repository.subtree(root, name)
    if folder is None:
        entry = repository.entry(root, name)
        if entry is not None:
            yield entry
        return
    for entry in repository.walk(folder, depth=_DEEPEST):
        yield TreeEntry(path=f"{name}/{entry.path}", mode=entry.mode, oid=entry.oid)
