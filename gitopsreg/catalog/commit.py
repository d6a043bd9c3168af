"""One commit of the catalog, read from the object database: its files below the catalog root, never checked out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gitopsreg.catalog.files import DECLARED, MAX_TOTAL, MOST_FILES, CatalogFile, CatalogFiles, Grouped
from gitopsreg.catalog.folders import Folder, Folders, too_many
from gitopsreg.catalog.layout import is_declaration
from gitopsreg.errors import CheckoutFailed
from gitopsreg.transport.git import Commit, Repository

# What Git calls the tree that holds nothing, in every repository.
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


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
    repository: Repository,
    commit: Commit,
    path: str,
    *,
    name: str,
    may_lack: bool = False,
    folders: Folders | None = None,
) -> CatalogCheckout:
    """The commit's catalog below `path`, called `name@sha1:…`; `folders` know what was read before.

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
            files=_files(repository, root, folders or Folders()) if root else (),
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


def _files(repository: Repository, root: str, folders: Folders) -> Grouped:
    """Everything below DECLARED; what lies beside it may be of any size and is never looked at."""
    count = total = 0
    parts: dict[str, tuple[CatalogFile, ...]] = {}
    for name in DECLARED:
        folder = _below(repository, root, name, folders)
        count += len(folder.files)
        total += folder.size
        if count > MOST_FILES:
            raise too_many(MOST_FILES)
        if total > MAX_TOTAL:
            limit = f"{MAX_TOTAL // 1024**2} MiB of declarations at most"
            raise CheckoutFailed(f"the catalog is too large: {limit}", reason="TooLarge")
        for part, files in _parts(name, folder):
            parts[part] = parts[part] + files if part in parts else files
    return Grouped.of(parts)


def _parts(name: str, folder: Folder) -> Iterator[tuple[str, tuple[CatalogFile, ...]]]:
    """As catalog.files.parts_of has them; an unchanged folder's files are the same object."""
    if name != "namespaces" or not folder.folders:
        yield "", folder.files
        return
    yield "", folder.own
    yield from ((inner.lower(), found.files) for inner, found in folder.folders)


def _below(repository: Repository, root: str, name: str, folders: Folders) -> Folder:
    tree = repository.subtree(root, name)
    if tree is not None:
        return folders.read(repository, name, tree)
    entry = repository.entry(root, name)
    if entry is None:
        return Folder("", (), 0)
    file = folders.file(repository, entry.path, entry.mode, entry.oid)
    return Folder("", (file,), file.size if is_declaration(file.path) else 0)
