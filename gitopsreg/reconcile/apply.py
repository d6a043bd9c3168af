"""The package that a draft makes of the published one and the new records. Pure; a version's content never changes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from gitopsreg.index.model import (
    Delivery,
    Listing,
    ModulePackage,
    ModuleVersion,
    Package,
    ProviderPackage,
    ProviderVersion,
    PublishedVersion,
)
from gitopsreg.model.address import ModuleAddress
from gitopsreg.model.declaration import GitSource, PackageDeclaration
from gitopsreg.model.version import Version
from gitopsreg.reconcile.draft import Draft
from gitopsreg.reconcile.select import block_of, newest

Record = TypeVar("Record", bound=PublishedVersion)


def apply(draft: Draft, records: Sequence[ModuleVersion | ProviderVersion], *, time: str) -> Package | None:
    """The package once the draft is carried out; None where there is nothing to publish.

    `time` is now: packages that are archived now carry it, and not the commit's, which may be old when it is merged.
    """
    if draft.keep:
        return draft.published
    if draft.declaration is None:
        return _archived(draft.published, time)
    ledger: tuple[ModuleVersion | ProviderVersion, ...] = draft.published.versions if draft.published else ()
    # A record of a version that is in the ledger brings back its discarded bytes: the content is the same.
    latest = {record.version: record for record in (*(_vouched(record, draft) for record in ledger), *records)}
    versions = sorted(latest.values(), key=lambda record: record.version)
    return _package(draft, draft.declaration, versions) if versions else None


def _vouched(record: ModuleVersion | ProviderVersion, draft: Draft) -> ModuleVersion | ProviderVersion:
    keys = draft.keys.get(record.version) if draft.keys else None
    return replace(record, keys=keys) if keys is not None and isinstance(record, ProviderVersion) else record


def _archived(published: Package | None, time: str) -> Package | None:
    if published is None or published.archived is not None:
        return published
    if isinstance(published, ModulePackage):
        return replace(published, archived=time, versions=tuple(_shelved(v) for v in published.versions))
    return replace(published, archived=time, versions=tuple(_shelved(v) for v in published.versions))


def _shelved(record: Record) -> Record:
    return record if record.listing == "blocked" else replace(record, listing="archived")


def listable(draft: Draft, declaration: PackageDeclaration, versions: Iterable[Version]) -> frozenset[Version]:
    """Which of the versions that are there the rules admit, the newest `keep_latest` of them."""
    return frozenset(newest(declaration.versions, (v for v in versions if v.text in draft.admitted)))


def _package(
    draft: Draft, declaration: PackageDeclaration, versions: Sequence[ModuleVersion | ProviderVersion]
) -> Package:
    kept = listable(draft, declaration, (record.version for record in versions))
    source = declaration.source.url if isinstance(declaration.source, GitSource) else ""
    if isinstance(declaration.address, ModuleAddress):
        return ModulePackage(
            address=declaration.address,
            versions=tuple(_follow(kept, declaration, v) for v in versions if isinstance(v, ModuleVersion)),
            source=source,
            description=declaration.description,
            deprecation=declaration.deprecation,
            delivery=_delivery(declaration),
        )
    return ProviderPackage(
        address=declaration.address,
        versions=tuple(_follow(kept, declaration, v) for v in versions if isinstance(v, ProviderVersion)),
        source=source,
        description=declaration.description,
        deprecation=declaration.deprecation,
        delivery=_delivery(declaration),
        warnings=_warnings(draft),
    )


def _warnings(draft: Draft) -> tuple[str, ...]:
    """The upstream's last words, also while it is out of reach."""
    if draft.warnings is not None:
        return draft.warnings
    return draft.published.warnings if isinstance(draft.published, ProviderPackage) else ()


def _delivery(declaration: PackageDeclaration) -> Delivery | None:
    storage = declaration.storage
    return Delivery(serve=storage.serve, ttl=int(storage.link_lifetime.total_seconds())) if storage else None


def _follow(kept: frozenset[Version], declaration: PackageDeclaration, record: Record) -> Record:
    """The record with what the catalog says of it today."""
    rules = declaration.versions
    block = block_of(rules, record.version)
    yank = next((yank for yank in rules.yanked if yank.version == record.version), None)
    listing: Listing = "archived"
    if block:
        listing = "blocked"
    elif record.version in kept and record.discarded is None:
        listing = yank.visibility if yank else "listed"
    words = yank.reason if yank else None, block.reason if block else None
    if (record.listing, record.yanked, record.blocked) == (listing, *words):
        return record
    return replace(record, listing=listing, yanked=words[0], blocked=words[1])
