"""Upstreams of declarations, and the workers that reach them."""

from datetime import timedelta
from pathlib import Path

from gitopsreg.catalog.source import CatalogCheckout
from gitopsreg.errors import ConfigError
from gitopsreg.model.declaration import (
    CatalogSource,
    GitSource,
    ModuleDeclaration,
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


def upstream_for(declaration: PackageDeclaration, checkout: CatalogCheckout, remotes: Remotes, cache: Path) -> Upstream:
    """The upstream of one declaration; each gets a Repository of its own, since that is for one thread at a time."""
    match declaration, declaration.source:
        case ModuleDeclaration(), GitSource() as source:
            return GitTags(declaration, source, remotes, cache)
        case ModuleDeclaration(), CatalogSource():
            return CatalogModules(declaration, Repository(checkout.repository), checkout.commit, checkout.root)
        case ProviderDeclaration(), CatalogSource():
            return CatalogProviders(declaration, Repository(checkout.repository), checkout.commit, checkout.root)
        case _:
            raise ConfigError(f'no upstream for {declaration.address} with source "{declaration.source}"')


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
