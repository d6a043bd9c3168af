"""A Git repository laid out like opentofu/registry: one look at its refs tells of all packages in it."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Lock

from gitopsreg.errors import IntegrityError, InvalidName, UpstreamError, UpstreamUnavailable, quoted
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.declaration import ModuleDeclaration, OpentofuGitSource, PackageDeclaration
from gitopsreg.model.digest import Sha256
from gitopsreg.transport.git import Repository
from gitopsreg.transport.location import Location
from gitopsreg.transport.mirror import Mirror
from gitopsreg.transport.remotes import Remotes
from gitopsreg.upstream.base import Skipped, Upstream
from gitopsreg.upstream.opentofu_git_keys import KeyFiles
from gitopsreg.upstream.opentofu_git_layout import Entry, File, Folder, Layout, Surveyor, moved
from gitopsreg.upstream.opentofu_git_listing import Listing, Source, with_skipped
from gitopsreg.upstream.opentofu_git_modules import FORGE, module_url, read_module
from gitopsreg.upstream.opentofu_git_package import (
    ReferencedPackage,
    as_declared,
    declared_keys,
    unnamed_keys,
)
from gitopsreg.upstream.opentofu_git_providers import read_provider
from gitopsreg.upstream.opentofu_git_seen import Seen
from gitopsreg.upstream.opentofu_git_store import StoredModule, StoredProvider

# The first fetch brings tens of megabytes.
_TIMEOUT = timedelta(minutes=5)
# Raised when the same files would be read as something else.
_READER = 1


class OpentofuGit:
    """A Gathering (see upstream.base), safe for threads.

    `cache` is for copies of registries, `modules` for those of modules' repositories. `allow_local` lets packages name
    URLs that are not https, and a registry that is a folder here is read where it is; `forge` is where the repositories
    of modules are.
    """

    def __init__(
        self,
        url: str,
        remotes: Remotes,
        cache: Path,
        modules: Path,
        *,
        allow_local: bool = False,
        forge: str = FORGE,
        timeout: timedelta = _TIMEOUT,
    ) -> None:
        self._url = url
        self._remotes = remotes
        self._mirror = Mirror(url, cache, remotes)
        self._modules = modules
        self._allow_local = allow_local
        self._forge = forge
        self._timeout = timeout
        self._keys = KeyFiles()
        self._surveyor = Surveyor()
        self._looking = Lock()
        self._seen: Seen | None = None
        # A state that was looked at before, by commit: what of it is the same object now has not changed.
        self._earlier: tuple[str, Mapping[str, Folder]] | None = None

    @property
    def url(self) -> str:
        return self._url

    def look(self) -> str:
        with self._looking:
            return self._look().commit.oid

    def state(self, declaration: PackageDeclaration) -> Sha256:
        """Raises UpstreamUnavailable when nothing was seen yet and nobody answers now."""
        seen = self._now()
        try:
            entry = _entry(seen.layout, declaration)
        except UpstreamError:  # whoever reads the package is told; until then each commit is another state
            return Sha256.of(seen.commit.oid.encode())
        return _state(seen.layout, entry)

    def has(self, declaration: PackageDeclaration) -> bool:
        return _entry(self._now().layout, declaration) is not None

    def moved(self, since: str) -> Collection[str] | None:
        earlier = self._earlier
        if earlier is None or earlier[0] != since:
            return None
        try:
            return moved(earlier[1], self._now().layout.folders)
        except UpstreamError:  # whoever reads a package there is told
            return None

    def prepare(self, declarations: Sequence[PackageDeclaration]) -> None:
        seen = self._now()
        layout = seen.layout
        entries = [entry for one in declarations if (entry := _entry(layout, one)) is not None]
        files = (file for entry in entries for file in (entry.file, *self._unknown_keys(layout, entry)))
        seen.prepare(dict.fromkeys(file.oid for file in files))

    def _unknown_keys(self, layout: Layout, entry: Entry) -> Iterator[File]:
        return (file for file in layout.keys(entry) if not self._keys.knows(file))

    def upstream(self, declaration: PackageDeclaration) -> Upstream:
        """Raises UpstreamUnavailable (`NotFound`) for a package that is not there."""
        seen = self._now()
        entry = _entry(seen.layout, declaration)
        if entry is None:
            name = quoted(_written(declaration) or declaration.address.path)
            message = f'"{self._url}" has no {declaration.address.kind} {name}'
            raise UpstreamUnavailable(message, reason="NotFound")
        listed = ReferencedPackage(partial(self._listing, declaration, seen, entry), _state(seen.layout, entry))
        return listed if declaration.delivery == "reference" else self._stored(listed, declaration, entry)

    def _stored(self, listed: ReferencedPackage, declaration: PackageDeclaration, entry: Entry) -> Upstream:
        if isinstance(declaration, ModuleDeclaration):
            url = module_url(entry, self._forge)
            return StoredModule(listed, declaration, url, self._remotes, self._modules)
        return StoredProvider(listed, declaration, allow_local=self._allow_local)

    def addresses(self) -> Mapping[PackageAddress, str]:
        entries = self._now().layout.entries
        return {address: entry.written for address, entry in entries.items()}

    def skipped(self) -> tuple[Skipped, ...]:
        return tuple(self._now().layout.skipped)

    def _now(self) -> Seen:
        """What was seen last; a look of its own where there was none."""
        if (seen := self._seen) is None:
            with self._looking:
                seen = self._seen
                return self._look() if seen is None else seen
        return seen

    def _look(self) -> Seen:
        repository, commit = self._in_place() or self._copied()
        if self._seen is None or (self._seen.commit.oid, self._seen.path) != (commit, repository.path):
            if self._seen is not None and self._seen.is_drawn:
                self._earlier = self._seen.commit.oid, self._seen.layout.folders
            self._seen = Seen(repository, repository.commit(commit), self._surveyor)
        return self._seen

    def _in_place(self) -> tuple[Repository, str] | None:
        """A folder of this machine needs no copy; whether it may be one at all is for the remotes to say."""
        try:
            location = Location.parse(self._url)
        except InvalidName:
            return None
        if not location.is_local or not self._allow_local:
            return None
        folder = Path(location.path)
        # Of a folder that nobody here may look into the Repository tells.
        repository = Repository(folder / ".git" if os.path.isdir(folder / ".git") else folder)  # noqa: PTH112
        return repository, repository.resolve("HEAD")

    def _copied(self) -> tuple[Repository, str]:
        ref, newest = self._newest()
        try:
            return self._fetched(ref, newest)
        except UpstreamUnavailable as error:
            if error.reason != "NotFound":
                raise
            self._mirror.discard()
            return self._fetched(ref, newest)

    def _newest(self) -> tuple[str, str]:
        """The default branch and its commit."""
        found = self._remotes.advertised(self._url, timeout=self._timeout)
        commit = found.refs.get("HEAD")
        if commit is None:
            raise UpstreamUnavailable(f'"{self._url}" is empty, or its HEAD names no branch', reason="NotFound")
        return (found.head if found.head in found.refs else None) or "HEAD", commit

    def _fetched(self, ref: str, commit: str) -> tuple[Repository, str]:
        """Between asking and fetching the branch may have moved on: what counts is what came."""
        repository = self._mirror.fetch({ref: commit}, timeout=self._timeout)
        return repository, repository.resolve(f"refs/kept/{commit}")

    def _listing(self, declaration: PackageDeclaration, seen: Seen, entry: Entry) -> Listing:
        data = _content(seen, entry.file)
        source = Source(self._url, seen.commit.oid, seen.commit.time)
        if isinstance(declaration, ModuleDeclaration):
            return read_module(data, entry, source, forge=self._forge)
        keys, unusable = self._keys.read(seen.layout.keys(entry), seen.blob)
        keys_of = declared_keys(declaration, keys)
        listing = read_provider(data, entry, source, keys_of, allow_http=self._allow_local)
        untold = (*unusable, *unnamed_keys(declaration, keys))
        return as_declared(with_skipped(listing, untold), declaration)


def _content(seen: Seen, file: File) -> bytes:
    """Raises as `Seen.blob` does, with the file's name: nobody knows blobs by their ids."""
    try:
        return seen.blob(file.oid)
    except IntegrityError as error:
        raise IntegrityError(f"{quoted(file.path)}: {error}", reason=error.reason) from error


def _written(declaration: PackageDeclaration) -> str:
    source = declaration.source
    return source.address if isinstance(source, OpentofuGitSource) else ""


def _entry(layout: Layout, declaration: PackageDeclaration) -> Entry | None:
    return layout.entry(declaration.address, _written(declaration))


def _state(layout: Layout, entry: Entry | None) -> Sha256:
    """Of a package that is not there too, so that it is asked for again when it comes."""
    if entry is None:
        return Sha256.of(b"nothing")
    names = [f"{file.path} {file.oid}" for file in (entry.file, *layout.keys(entry))]
    return Sha256.of("\n".join((str(_READER), *names)).encode(errors="surrogateescape"))
