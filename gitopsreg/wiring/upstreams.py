"""Upstreams of declarations, and the workers that reach them."""

from datetime import timedelta
from threading import Lock

from gitopsreg.catalog.source import CatalogCheckout
from gitopsreg.errors import ConfigError
from gitopsreg.model.declaration import (
    CatalogSource,
    GitSource,
    ModuleDeclaration,
    OpentofuGitSource,
    PackageDeclaration,
    ProviderDeclaration,
)
from gitopsreg.reconcile.forecast import SizeOf
from gitopsreg.settings import Settings
from gitopsreg.transport.git import Repository
from gitopsreg.transport.remotes import Remotes
from gitopsreg.upstream.base import Found, Upstream
from gitopsreg.upstream.catalog_modules import CatalogModules
from gitopsreg.upstream.catalog_providers import CatalogProviders
from gitopsreg.upstream.git_tags import GitTags
from gitopsreg.upstream.measure import size_in
from gitopsreg.upstream.opentofu_git import OpentofuGit
from gitopsreg.upstream.referenced_tags import ReferencedTags

# A person waits at the keyboard for the tags of one repository.
_ASKING_TIMEOUT = timedelta(seconds=30)


def open_remotes(settings: Settings, *, workers: int = 4) -> Remotes:
    """Reaches Git remotes with the settings' credentials; closing it ends its worker processes."""
    return Remotes(
        credentials_file=settings.git_credentials_file,
        ssh_directory=settings.ssh_directory,
        allow_local=settings.allow_local_sources,
        workers=workers,
    )


class Upstreams:
    """Upstreams of declarations; those of many packages at once live as long as this does. Safe for threads."""

    def __init__(self, settings: Settings, remotes: Remotes) -> None:
        folder = settings.cache.absolute()
        self._modules = folder / "modules"
        self._registries = folder / "registries"
        self._allow_local = settings.allow_local_sources
        self._remotes = remotes
        self._lock = Lock()
        self._gatherings: dict[str, OpentofuGit] = {}

    def of(self, declaration: PackageDeclaration, checkout: CatalogCheckout) -> Upstream:
        """Each gets a Repository of its own, since that is for one thread at a time."""
        match declaration, declaration.source:
            case ModuleDeclaration(), CatalogSource():
                return CatalogModules(declaration, Repository(checkout.repository), checkout.commit, checkout.root)
            case ProviderDeclaration(), CatalogSource():
                return CatalogProviders(declaration, Repository(checkout.repository), checkout.commit, checkout.root)
            case _:
                return self.elsewhere(declaration, checkout.commit.time)

    def elsewhere(self, declaration: PackageDeclaration, time: str) -> Upstream:
        """Of a source that is not the catalog itself; `time` (RFC 3339) is when it is first seen, where nothing else
        tells the age of its versions.
        """
        match declaration, declaration.source:
            case ModuleDeclaration(delivery="reference"), GitSource() as source:
                return ReferencedTags(declaration, source, self._remotes, time)
            case ModuleDeclaration(), GitSource() as source:
                return GitTags(declaration, source, self._remotes, self._modules)
            case _, OpentofuGitSource(url=url):
                return self.gathering(url).upstream(declaration)
            case _:
                raise ConfigError(f'no upstream for {declaration.address} with source "{declaration.source}"')

    def gathering(self, url: str) -> OpentofuGit:
        with self._lock:
            if url not in self._gatherings:
                self._gatherings[url] = OpentofuGit(
                    url, self._remotes, self._registries, self._modules, allow_local=self._allow_local
                )
            return self._gatherings[url]


def size_of(checkout: CatalogCheckout) -> SizeOf:
    """What versions weigh that come from the catalog itself; nobody knows of others before they are fetched."""

    def measured(declaration: PackageDeclaration, found: Found) -> int | None:
        if not isinstance(declaration.source, CatalogSource):
            return None
        return size_in(Repository(checkout.repository), found)

    return measured


def tags_of(settings: Settings, url: str) -> dict[str, str]:
    """The tags of a Git repository, without "refs/tags/", with their commits. Raises UpstreamUnavailable."""
    with open_remotes(settings, workers=1) as remotes:
        refs = remotes.refs(url, timeout=_ASKING_TIMEOUT)
    return {ref.removeprefix("refs/tags/"): commit for ref, commit in refs.items() if ref.startswith("refs/tags/")}
