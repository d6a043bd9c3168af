"""Ask each package's upstream what it has, side by side, and draft what should become of the package.

One upstream that fails costs its own package only; a package that is not due is kept as it is and costs nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal

from gitopsreg.errors import UpstreamError
from gitopsreg.index.model import Package
from gitopsreg.index.status import PackageStatus, VersionFailure
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.catalog import Catalog, InvalidPackage, differing
from gitopsreg.model.declaration import OpentofuGitSource, PackageDeclaration, UnsupportedSource
from gitopsreg.reconcile.backoff import is_transient
from gitopsreg.reconcile.draft import Draft, draft
from gitopsreg.reconcile.due import Schedule, declaration_key, skip_key
from gitopsreg.reconcile.events import Reporter
from gitopsreg.reconcile.gather import gather
from gitopsreg.upstream.base import Upstream

_BATCH = 4_000

State = Literal["resolved", "late", "failed", "suspended", "unsupported", "invalid", "removed"]
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
    """One run's knowledge: what is published, and who is due.

    `answers` came too late for the last run; `busy` packages have an answer or content still on its way, so they are
    left alone.
    """

    published: Mapping[PackageAddress, Package]
    schedule: Schedule
    answers: Mapping[PackageAddress, "Resolved"] = field(default_factory=dict)
    busy: frozenset[PackageAddress] = frozenset()

    def may_be_due(self, catalog: Catalog) -> Iterable[PackageDeclaration]:
        """As Schedule.may_be_due, with those that something is on its way of."""
        found = {item.address: item for item in self.schedule.may_be_due(catalog)}
        for address in (*self.answers, *self.busy):
            item = catalog.find(address)
            if item is not None and not isinstance(item, InvalidPackage):
                found[address] = item
        return found.values()

    def before(self, address: PackageAddress) -> PackageStatus | None:
        return self.schedule.known.get(address)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was learned, in the order of addresses: every package that was due, that can't be asked, or that is no
    longer declared. Packages that are not in here stay as they are.

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
        resolved = _asked(declaration, visit, upstream_for)
        reporter.resolved(str(declaration.address))
        return resolved

    told, due = _sorted_out(catalog, visit)
    alone = [declaration for declaration in due if not isinstance(declaration.source, OpentofuGitSource)]
    reporter.resolving(len(due))
    answers = gather(one, alone, jobs=jobs, patience=patience)
    everything = [*told, *(resolved for _, resolved in answers.done)]
    everything += [_late(declaration, visit) for declaration, _ in answers.late]
    everything += [one(declaration) for declaration in _gathered(due, visit)]
    everything += _removed(catalog, visit)
    everything.sort(key=lambda item: str(item.draft.address))
    late = tuple((declaration.address, future) for declaration, future in answers.late)
    return Resolution(tuple(everything), late)


def _sorted_out(catalog: Catalog, visit: Visit) -> tuple[list[Resolved], list[PackageDeclaration]]:
    """(what can be said without asking, whose upstream is asked)"""
    told = [_invalid(item, visit) for item in catalog.invalid]
    due = []
    for declaration in visit.may_be_due(catalog):
        resolved = _without_asking(declaration, visit)
        if resolved is not None:
            told.append(resolved)
        elif not _is_held_back(declaration) and visit.schedule.is_due(declaration):
            due.append(declaration)
    return told, due


def _is_held_back(declaration: PackageDeclaration) -> bool:
    return declaration.suspend or isinstance(declaration.source, UnsupportedSource)


def _without_asking(declaration: PackageDeclaration, visit: Visit) -> Resolved | None:
    """None when the upstream has to be asked, or when nothing is new."""
    if _is_held_back(declaration):
        if visit.schedule.is_settled(declaration):
            return None
        return Resolved(draft=_kept(declaration, visit), state="suspended" if declaration.suspend else "unsupported")
    if declaration.address in visit.busy:
        return _late(declaration, visit)
    answer = visit.answers.get(declaration.address) if visit.answers else None
    if answer is None:
        return None
    is_fresh = answer.draft.published == visit.published.get(declaration.address)
    return answer if is_fresh and answer.draft.declaration == declaration else None


def _gathered(due: Iterable[PackageDeclaration], visit: Visit) -> Iterator[PackageDeclaration]:
    """Those of upstreams of many packages, made ready by the thousand: they cost no network, and threads no time."""
    by_url: dict[str, list[PackageDeclaration]] = {}
    for declaration in due:
        if isinstance(declaration.source, OpentofuGitSource):
            by_url.setdefault(declaration.source.url, []).append(declaration)
    for url, declarations in by_url.items():
        look = visit.schedule.looks.get(url)
        for start in range(0, len(declarations), _BATCH):
            batch = declarations[start : start + _BATCH]
            if look is not None and not look.late and look.trouble is None:
                with suppress(UpstreamError):  # each of them tells
                    look.gathering.prepare(batch)
            yield from batch


def _asked(declaration: PackageDeclaration, visit: Visit, upstream_for: UpstreamFactory) -> Resolved:
    published, before = visit.published.get(declaration.address), visit.before(declaration.address)
    look = visit.schedule.look_of(declaration)
    if look is not None and look.late:
        return _late(declaration, visit)
    if look is not None and look.trouble is not None:
        return _failed(declaration, published, look.trouble)
    try:
        upstream = upstream_for(declaration)
        discovery = upstream.discover()
        item = draft(declaration, published, discovery, force=visit.schedule.force)
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
    schedule = visit.schedule
    if before is None or schedule.force or before.skip_key != key or schedule.clock_went_back(before):
        return ()
    later = (failure for failure in before.failures if failure.next_retry > schedule.now)
    return tuple(failure for failure in later if not (schedule.everything and is_transient(failure.reason)))


def _without(item: Draft, waiting: tuple[VersionFailure, ...]) -> Draft:
    later = {failure.version for failure in waiting}
    return replace(item, wanted=tuple(found for found in item.wanted if found.version.text not in later))


def _kept(declaration: PackageDeclaration, visit: Visit) -> Draft:
    published = visit.published.get(declaration.address)
    return Draft(address=declaration.address, published=published, declaration=declaration, keep=True)


def _late(declaration: PackageDeclaration, visit: Visit) -> Resolved:
    return Resolved(draft=_kept(declaration, visit), state="late")


def _invalid(item: InvalidPackage, visit: Visit) -> Resolved:
    """Invalid is not removed: the last good versions go on being served."""
    kept = Draft(address=item.address, published=visit.published.get(item.address), keep=True)
    return Resolved(draft=kept, state="invalid", invalid=item)


def _removed(catalog: Catalog, visit: Visit) -> Iterator[Resolved]:
    """What is published and not declared; where that is long since applied, only what has to be looked at again."""
    settled = visit.schedule.settled
    if settled and catalog.registry.archive_for is None:
        changes = differing(settled, catalog.parts)
        gone: Iterable[PackageAddress] = (address for before, _ in changes for address in before.by_address)
    else:
        gone = visit.published
    for address in gone:
        if catalog.find(address) is None and address in visit.published:
            yield Resolved(draft=Draft(address=address, published=visit.published[address]), state="removed")
