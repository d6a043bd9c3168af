"""Ask each package's upstream what it has, side by side, and draft what should become of the package.

One upstream that fails costs its own package only; a package that is not due is kept as it is and costs nothing.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
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
from gitopsreg.reconcile.backoff import is_transient
from gitopsreg.reconcile.draft import Draft, draft
from gitopsreg.reconcile.events import Reporter
from gitopsreg.reconcile.gather import gather
from gitopsreg.upstream.base import Discovery, Upstream

# Raised when the same input would resolve to something else, so that nothing is skipped on old knowledge.
RESOLVER = 1

State = Literal["resolved", "kept", "late", "failed", "suspended", "unsupported", "invalid", "removed"]
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

    `everything` ignores schedules; `force` verifies again what is published. `answers` came too late for the last run;
    `busy` packages have an answer or content still on its way, so they are left alone.
    """

    published: Mapping[PackageAddress, Package]
    known: Mapping[PackageAddress, PackageStatus]
    now: str
    everything: bool
    force: bool = False
    answers: Mapping[PackageAddress, "Resolved"] = field(default_factory=dict)
    busy: frozenset[PackageAddress] = frozenset()


@dataclass(frozen=True, slots=True)
class Resolution:
    """Every package that is declared, or published and no longer declared, in the order of addresses.

    Upstreams that did not answer in time have their package kept as it is (state "late"); their answers are in `late`.
    """

    resolved: tuple[Resolved, ...]
    late: tuple[tuple[PackageAddress, Future[Resolved]], ...] = ()


def resolve(
    catalog: Catalog,
    visit: Visit,
    upstream_for: UpstreamFactory,
    *,
    jobs: int,
    patience: float | None,
    reporter: Reporter,
) -> Resolution:
    """Ask every upstream that is due, waiting `patience` seconds for all of them (None: as long as they take)."""

    def one(declaration: PackageDeclaration) -> Resolved:
        resolved = _declared(declaration, visit, upstream_for)
        reporter.resolved(str(declaration.address))
        return resolved

    reporter.resolving(len(catalog.packages))
    answers = gather(one, catalog.packages, jobs=jobs, patience=patience)
    everything = [resolved for _, resolved in answers.done]
    everything += [_late(declaration, visit) for declaration, _ in answers.late]
    everything += [_invalid(item, visit) for item in catalog.invalid]
    declared = {item.draft.address for item in everything}
    everything += [_removed(address, visit) for address in visit.published if address not in declared]
    everything.sort(key=lambda item: str(item.draft.address))
    late = tuple((declaration.address, future) for declaration, future in answers.late)
    return Resolution(tuple(everything), late)


def _declared(declaration: PackageDeclaration, visit: Visit, upstream_for: UpstreamFactory) -> Resolved:
    published = visit.published.get(declaration.address)
    kept = Draft(address=declaration.address, published=published, declaration=declaration, keep=True)
    if declaration.suspend:
        return Resolved(draft=kept, state="suspended")
    if isinstance(declaration.source, UnsupportedSource):
        return Resolved(draft=kept, state="unsupported")
    if declaration.address in visit.busy:
        return _late(declaration, visit)
    answer = visit.answers.get(declaration.address)
    if answer and answer.draft.published == published and answer.draft.declaration == declaration:
        return answer
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
        item = draft(declaration, published, discovery, force=visit.force)
    except UpstreamError as error:
        return _failed(declaration, published, error)
    except Exception as error:  # noqa: BLE001 - a fault of ours in one package must not stop the others
        return _failed(declaration, published, UpstreamError(f"internal error: {error!r}", reason="InternalError"))
    key = skip_key(declaration, discovery)
    waiting = _waiting(before, key, visit)
    return Resolved(draft=_without(item, waiting), state="resolved", skip_key=key, upstream=upstream, waiting=waiting)


def _failed(declaration: PackageDeclaration, published: Package | None, error: UpstreamError) -> Resolved:
    """What the catalog says of published versions still holds, if that much can be worked out."""
    try:
        item = draft(declaration, published, None)
    except Exception:  # noqa: BLE001 - as above
        item = Draft(address=declaration.address, published=published, declaration=declaration, keep=True)
    return Resolved(draft=item, state="failed", skip_key=f"{declaration_key(declaration)}.", error=error)


def _waiting(before: PackageStatus | None, key: str, visit: Visit) -> tuple[VersionFailure, ...]:
    """Failures are waited out only while nothing that fed them has changed.

    To be asked to reconcile now cuts waits for the network short; what was refused would be refused again.
    """
    if before is None or visit.force or before.skip_key != key or _clock_went_back(before, visit):
        return ()
    later = (failure for failure in before.failures if failure.next_retry > visit.now)
    return tuple(failure for failure in later if not (visit.everything and is_transient(failure.reason)))


def _clock_went_back(before: PackageStatus, visit: Visit) -> bool:
    """Then schedules made by the wrong clock may lie years ahead: they count for nothing."""
    return before.last_attempt > visit.now


def _without(item: Draft, waiting: tuple[VersionFailure, ...]) -> Draft:
    later = {failure.version for failure in waiting}
    return replace(item, wanted=tuple(found for found in item.wanted if found.version.text not in later))


def is_due(declaration: PackageDeclaration, before: PackageStatus, visit: Visit) -> bool:
    """Whether the upstream is asked now. A catalog source is always asked: it costs no network."""
    changed = not before.skip_key.startswith(f"{declaration_key(declaration)}.")
    local = isinstance(declaration.source, CatalogSource)
    due = before.next_attempt <= visit.now or _clock_went_back(before, visit)
    return visit.everything or local or changed or due


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


def _late(declaration: PackageDeclaration, visit: Visit) -> Resolved:
    published = visit.published.get(declaration.address)
    kept = Draft(address=declaration.address, published=published, declaration=declaration, keep=True)
    return Resolved(draft=kept, state="late")


def _invalid(item: InvalidPackage, visit: Visit) -> Resolved:
    """Invalid is not removed: the last good versions go on being served."""
    kept = Draft(address=item.address, published=visit.published.get(item.address), keep=True)
    return Resolved(draft=kept, state="invalid", invalid=item)


def _removed(address: PackageAddress, visit: Visit) -> Resolved:
    return Resolved(draft=Draft(address=address, published=visit.published[address]), state="removed")
