"""Any revision of a catalog in a local clone, as Git names it: `origin/main`, a tag, `HEAD~1`, a commit.

Reads the object database of that clone and nothing else: no network, no working tree, nothing written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitopsreg.catalog.commit import CatalogCheckout, checkout_of
from gitopsreg.catalog.files import CatalogFiles
from gitopsreg.errors import CheckoutFailed, UpstreamError, UpstreamUnavailable, quoted
from gitopsreg.transport.git import Commit, Repository


def files_at(repository: Path, revision: str, path: str = ".") -> CatalogFiles:
    """The catalog's files as they were at a revision; `path` is the catalog root inside the repository.

    A catalog root that the revision does not have yet is an empty catalog. Raises CheckoutFailed.
    """
    return checkout_at(repository, revision, path).files


def checkout_at(repository: Path, revision: str, path: str = ".") -> CatalogCheckout:
    """The same, with the commit and the repository that hold it. Raises CheckoutFailed."""
    with _explained():
        opened = _open(repository)
        return checkout_of(opened, _commit(opened, revision), path, name=revision, may_lack=True)


def fork_point(repository: Path, base: str, head: str = "HEAD") -> str:
    """Where `head` left `base` (40 hex digits): what a pull request is compared with, as in `git diff base...head`.

    The commit of `base` itself where the clone is too shallow to know. Raises CheckoutFailed.
    """
    with _explained():
        opened = _open(repository)
        left, right = _commit(opened, base).oid, _commit(opened, head).oid
        return opened.merge_base(left, right) or left


def enclosing(folder: Path) -> tuple[Path, str]:
    """The clone that a folder lies in, and the folder's path inside it ("." at its top). Raises CheckoutFailed."""
    absolute = folder.resolve()
    for top in (absolute, *absolute.parents):
        if (top / ".git").exists():
            return top, absolute.relative_to(top).as_posix()
    raise CheckoutFailed(f"{quoted(str(folder))} is in no Git repository: run this inside a clone", reason="NotFound")


def _commit(repository: Repository, revision: str) -> Commit:
    try:
        return repository.commit(repository.parse(revision))
    except UpstreamUnavailable as error:
        raise CheckoutFailed(
            f"this clone has no revision {quoted(revision)}: fetch it first, with git fetch origin, or in CI with a "
            "deeper checkout (fetch-depth: 0, GIT_DEPTH: 0)",
            reason="NotFound",
        ) from error


def _open(folder: Path) -> Repository:
    try:
        return Repository(folder)
    except UpstreamUnavailable as error:
        if error.reason != "NotFound":
            raise
        raise CheckoutFailed(f"{quoted(str(folder))} is no Git repository: name the top of a clone") from error


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except UpstreamError as error:
        raise CheckoutFailed(f"the clone can't be read: {error}", reason=error.reason) from error
