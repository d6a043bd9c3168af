"""Ask each package's upstream what it has, side by side, and draft what should become of the package.

One upstream that fails costs its own package only; a package that is not due is kept as it is and costs nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal

from gitopsreg.errors import UpstreamError
from gitopsreg.index.model import Package
from gitopsreg.index.status import PackageStatus, VersionFailure
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.declaration import (
    Catalog,
    CatalogSource,
    InvalidPackage,
    PackageDeclaration,
    ProviderDeclaration,
    UnsupportedSource,
)
from gitopsreg.reconcile.draft import Draft, draft
from gitopsreg.reconcile.events import Reporter
from gitopsreg.upstream.base import Discovery, Upstream

# Raised when the same input would resolve to something else, so that nothing is skipped on old knowledge.
RESOLVER = 1

State = Literal["resolved", "kept", "failed", "suspended", "unsupported", "invalid", "removed"]
UpstreamFactory = Callable[[PackageDeclaration], Upstream]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A draft and how it came about. `waiting` are versions that failed before and are not due again yet."""

    draft: Draft
    state: State
    skip_key: str = ""
    upstream: Upstream | None = None
    error: UpstreamError | None = None
    invalid: InvalidPackage | None = None
    waiting: tuple[VersionFailure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One run's knowledge: what is published, how the last run went, what time it is.

    `everything` ignores schedules; `force` verifies again what is published.
    """

    published: Mapping[PackageAddress, Package]
    known: Mapping[PackageAddress, PackageStatus]
    now: str
    everything: bool
    force: bool = False


def resolve(
    catalog: Catalog,
    visit: Visit,
    upstream_for: UpstreamFactory,
    *,
    parallel: Callable[[Callable[[PackageDeclaration], Resolved], Iterable[PackageDeclaration]], Iterable[Resolved]],
    reporter: Reporter,
) -> list[Resolved]:
    """Every package that is declared, or published and no longer declared, in the order of addresses."""

    def one(declaration: PackageDeclaration) -> Resolved:
        resolved = _declared(declaration, visit, upstream_for)
        reporter.resolved(str(declaration.address))
        return resolved

    reporter.resolving(len(catalog.packages))
    everything = list(parallel(one, catalog.packages))
    everything += [_invalid(item, visit) for item in catalog.invalid]
    declared = {item.draft.address for item in everything}
    everything += [_removed(address, visit) for address in visit.published if address not in declared]
    return sorted(everything, key=lambda item: str(item.draft.address))


def _declared(declaration: PackageDeclaration, visit: Visit, upstream_for: UpstreamFactory) -> Resolved:
    published = visit.published.get(declaration.address)
    kept = Draft(address=declaration.address, published=published, declaration=declaration, keep=True)
    if declaration.suspend:
        return Resolved(draft=kept, state="suspended")
    if isinstance(declaration.source, UnsupportedSource):
        return Resolved(draft=kept, state="unsupported")
    before = visit.known.get(declaration.address)
    if before and not is_due(declaration, before, visit):
        return Resolved(draft=kept, state="kept", skip_key=before.skip_key)
    return _asked(declaration, published, before, visit, upstream_for)


def _asked(
    declaration: PackageDeclaration,
    published: Package | None,
    before: PackageStatus | None,
    visit: Visit,
    upstream_for: UpstreamFactory,
) -> Resolved:
    try:
        upstream = upstream_for(declaration)
        discovery = upstream.discover()
    except UpstreamError as error:
        return Resolved(draft=draft(declaration, published, None), state="failed", error=error)
    except Exception as error:  # noqa: BLE001 - a fault of ours in one package must not stop the others
        internal = UpstreamError(f"internal error: {error!r}", reason="InternalError")
        return Resolved(draft=draft(declaration, published, None), state="failed", error=internal)
    key = skip_key(declaration, discovery)
    waiting = _waiting(before, key, visit)
    return Resolved(
        draft=_without(draft(declaration, published, discovery, force=visit.force), waiting),
        state="resolved",
        skip_key=key,
        upstream=upstream,
        waiting=waiting,
    )


def _waiting(before: PackageStatus | None, key: str, visit: Visit) -> tuple[VersionFailure, ...]:
    """Failures are waited out only while nothing that fed them has changed."""
    if before is None or visit.everything or before.skip_key != key:
        return ()
    return tuple(failure for failure in before.failures if failure.next_retry > visit.now)


def _without(item: Draft, waiting: tuple[VersionFailure, ...]) -> Draft:
    later = {failure.version for failure in waiting}
    return replace(item, wanted=tuple(found for found in item.wanted if found.version.text not in later))


def is_due(declaration: PackageDeclaration, before: PackageStatus, visit: Visit) -> bool:
    """Whether the upstream is asked now. A catalog source is always asked: it costs no network."""
    changed = not before.skip_key.startswith(f"{declaration_key(declaration)}.")
    local = isinstance(declaration.source, CatalogSource)
    return visit.everything or local or changed or before.next_attempt <= visit.now


def skip_key(declaration: PackageDeclaration, discovery: Discovery) -> str:
    """Covers everything that feeds the result: effective spec, trust set, resolver, and what the upstream has."""
    return f"{declaration_key(declaration)}.{discovery.state.hex}"


def declaration_key(declaration: PackageDeclaration) -> str:
    """The share of the skip key that is known before the upstream is asked."""
    digest = sha256(f"{RESOLVER} {declaration.spec_digest}".encode())
    if isinstance(declaration, ProviderDeclaration):
        for key in declaration.keys:
            digest.update(repr(key).encode())
    return digest.hexdigest()


def _invalid(item: InvalidPackage, visit: Visit) -> Resolved:
    """Invalid is not removed: the last good versions go on being served."""
    kept = Draft(address=item.address, published=visit.published.get(item.address), keep=True)
    return Resolved(draft=kept, state="invalid", invalid=item)


def _removed(address: PackageAddress, visit: Visit) -> Resolved:
    return Resolved(draft=Draft(address=address, published=visit.published[address]), state="removed")
