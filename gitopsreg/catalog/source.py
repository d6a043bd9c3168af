"""Where the catalog comes from: the newest commit of a Git ref, read from the object database, never checked out.

A repository on this machine is opened where it is, and nothing is written to it. One that is elsewhere is copied, the
wanted commit only, and only when the ref moved. The URL is the operator's word, so it may be local or at any address.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from gitopsreg.catalog.commit import CatalogCheckout, checkout_of, inside
from gitopsreg.catalog.folders import Folders
from gitopsreg.errors import CheckoutFailed, InvalidName, UpstreamError, UpstreamUnavailable
from gitopsreg.transport.git import Repository
from gitopsreg.transport.location import Location
from gitopsreg.transport.mirror import Mirror
from gitopsreg.transport.remotes import Remotes

__all__ = ["CatalogCheckout", "GitCatalog"]


@dataclass(frozen=True, slots=True)
class _Target:
    """What the ref stands for right now; `ref` is the full name it goes by, "HEAD" when that is detached."""

    ref: str
    commit: str


class GitCatalog:
    """`url` is a Git URL or the folder of a repository (its top, not a folder inside it); `ref` "HEAD", a full ref, or
    the short name of a branch or tag; `path` the catalog root inside the repository, "." for its top.
    """

    def __init__(
        self,
        url: str,
        ref: str,
        path: str,
        remotes: Remotes,
        cache: Path,
        timeout: timedelta = timedelta(minutes=2),
    ) -> None:
        """Raises CheckoutFailed when the URL or the path can't be one."""
        self.url = url
        self.ref = ref
        self.path = inside(path)
        self._remotes = remotes
        self._timeout = timeout
        try:
            location = Location.parse(url)
        except InvalidName as error:
            raise CheckoutFailed(str(error)) from error
        self._folder = Path(location.path) if location.is_local else None
        self._mirror = Mirror(url, cache, remotes, trusted=True)
        self._folders = Folders()

    def poll(self) -> str:
        """The newest commit, cheaply: nothing is fetched. Raises CheckoutFailed."""
        with self._explained():
            return self._target().commit

    def read(self) -> CatalogCheckout:
        """The newest commit's files. Raises CheckoutFailed."""
        with self._explained():
            if self._folder is not None:
                return self._checkout(_open(self._folder), self._target())
            target = self._target()
            try:
                return self._checkout(self._copy(target), target)
            except UpstreamUnavailable as error:
                if error.reason != "NotFound":
                    raise
                self._mirror.discard()
                return self._checkout(self._copy(target), target)

    def at(self, revision: str) -> CatalogCheckout | None:
        """A revision that was read before, without the network; None when it is not here (any more)."""
        name, _, commit = revision.partition("@sha1:")
        try:
            repository = self._mirror.here() if self._folder is None else Repository(self._folder)
            return self._checkout(repository, _Target(name, repository.resolve(commit)))
        except (UpstreamError, CheckoutFailed):
            return None

    def _target(self) -> _Target:
        if self._folder is not None:
            return self._local_target(_open(self._folder))
        found = self._remotes.advertised(self.url, timeout=self._timeout, trusted=True)
        if not found.refs:
            raise CheckoutFailed(f'the catalog "{self.url}" is empty: push a first commit', reason="NotFound")
        for ref in self._candidates():
            if ref in found.refs:
                name = (found.head or ref) if ref == "HEAD" else ref
                return _Target(name if name in found.refs else ref, found.refs[ref])
        raise self._no_ref()

    def _local_target(self, repository: Repository) -> _Target:
        for ref in self._candidates():
            try:
                commit = repository.resolve(ref)
            except UpstreamUnavailable:
                continue
            return _Target((repository.head_branch() or ref) if ref == "HEAD" else ref, commit)
        raise self._no_ref()

    def _candidates(self) -> tuple[str, ...]:
        if self.ref == "HEAD" or self.ref.startswith("refs/"):
            return (self.ref,)
        return f"refs/heads/{self.ref}", f"refs/tags/{self.ref}"

    def _no_ref(self) -> CheckoutFailed:
        right = 'make a first commit, or set --ref to one it has, like "refs/heads/main"'
        return CheckoutFailed(f'the catalog "{self.url}" has no ref "{self.ref}": {right}', reason="NotFound")

    def _copy(self, target: _Target) -> Repository:
        return self._mirror.fetch({target.ref: target.commit}, timeout=self._timeout)

    def _checkout(self, repository: Repository, target: _Target) -> CatalogCheckout:
        # Between asking and fetching the ref may have moved on: what counts is what came.
        kept = target.commit if self._folder is not None else repository.resolve(f"refs/kept/{target.commit}")
        commit = repository.commit(kept)
        return checkout_of(repository, commit, self.path, name=_short(target.ref), folders=self._folders)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except UpstreamError as error:
            raise CheckoutFailed(f"the catalog can't be read: {error}", reason=error.reason) from error


def _open(folder: Path) -> Repository:
    try:
        return Repository(folder)
    except UpstreamUnavailable as error:
        if error.reason != "NotFound":
            raise
        raise CheckoutFailed(_why_not(folder), reason="NotFound") from error


def _why_not(folder: Path) -> str:
    absolute = folder.absolute()
    if not absolute.is_dir():
        return f'the catalog "{folder}" does not exist: give the folder of a Git repository, or a URL'
    if top := next((parent for parent in absolute.parents if (parent / ".git").exists()), None):
        return (
            f'the catalog "{folder}" is a folder inside a Git repository: '
            f'give the repository and the folder apart, --catalog "{top}" --path "{absolute.relative_to(top)}"'
        )
    return (
        f'the catalog "{folder}" is no Git repository: make it one with '
        '"git init && git add --all && git commit -m catalog" there'
    )


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
