"""What a plan rests on: which upstreams answered, what they have that is not published and why, what is to be fetched.

Pure but for `size_of`, which looks at what is at hand already.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from gitopsreg.model.declaration import CatalogSource, OpentofuGitSource, PackageDeclaration
from gitopsreg.reconcile.plan import Change, Plan, digest_of
from gitopsreg.reconcile.resolve import Resolved
from gitopsreg.reconcile.run import Prepared
from gitopsreg.upstream.base import Found

# Bytes that bringing this version home will read; None where only the upstream knows.
SizeOf = Callable[[PackageDeclaration, Found], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something about one version (or, with version "", one package)."""

    address: str
    version: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """An upstream of several packages that can't be asked; `packages` are the addresses of those that it has."""

    url: str
    reason: str
    message: str
    packages: tuple[str, ...]

    @property
    def who(self) -> str:
        return f"{len(self.packages):,} packages of {self.url} can't be asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`asked` counts the packages whose upstream was asked, `silent` are those that did not answer, `away` says why of
    many of them at once.

    `skipped` are versions that the rules leave out, `troubles` those that would fail or changed upstream. `bytes` is
    known for all versions to fetch but `unmeasured`. `pending` are packages that discoveries found and that wait for
    approval.
    """

    asked: int
    silent: tuple[Remark, ...]
    skipped: tuple[Remark, ...]
    troubles: tuple[Remark, ...]
    versions: int
    bytes: int
    unmeasured: int
    pending: tuple[Remark, ...] = ()
    away: tuple[Away, ...] = ()


def forecast(prepared: Prepared, size_of: SizeOf) -> Forecast:
    """The forecast of a run that stopped before it fetched anything."""
    sizes = [
        size_of(item.draft.declaration, found)
        for item in prepared.resolved
        if item.draft.declaration
        for found in item.draft.wanted
    ]
    known = [size for size in sizes if size is not None]
    return Forecast(
        asked=sum(item.state in {"resolved", "failed"} for item in prepared.resolved),
        silent=tuple(_silent(prepared)),
        skipped=tuple(remark for item in prepared.resolved for remark in _skipped(item)),
        troubles=tuple(remark for item in prepared.resolved for remark in _troubles(item)),
        versions=len(sizes),
        bytes=sum(known),
        unmeasured=len(sizes) - len(known),
        pending=tuple(
            Remark(address=str(address), version="", text=f"found by {search.discovery.path}")
            for search in prepared.searches
            for address in search.pending
        ),
        away=away(prepared.resolved),
    )


def away(resolved: Iterable[Resolved]) -> tuple[Away, ...]:
    """Whatever keeps two or more packages of one upstream from being asked, each once."""
    silent: dict[tuple[str, str, str], list[str]] = {}
    for item in resolved:
        source = item.draft.declaration.source if item.draft.declaration else None
        if item.error is not None and isinstance(source, OpentofuGitSource):
            silent.setdefault((source.url, item.error.reason, str(item.error)), []).append(str(item.draft.address))
    return tuple(
        Away(url=url, reason=reason, message=message, packages=tuple(packages))
        for (url, reason, message), packages in silent.items()
        if len(packages) > 1
    )


def _silent(prepared: Prepared) -> Iterator[Remark]:
    for item in prepared.resolved:
        if item.error is not None:
            yield Remark(address=str(item.draft.address), version="", text=str(item.error))
    for search in prepared.searches:
        if search.trouble is not None and search.trouble.reason != "Suspended":
            yield Remark(address=search.discovery.path, version="", text=search.trouble.message)


def without_index(base: Prepared, head: Prepared) -> Plan:
    """The plan where no index is at hand: what the head's declarations list, against what the base's do.

    Only upstreams were asked, so nothing is known of what was published long ago and is gone upstream.
    """
    before = {change.address: change for change in base.plan.changes}
    after = {change.address: change for change in head.plan.changes}
    told = (_against(before.get(name), after.get(name)) for name in sorted({*before, *after}))
    changes = tuple(change for change in told if change is not None)
    return replace(head.plan, changes=changes, digest=digest_of(changes, [item.draft for item in head.resolved]))


def _against(before: Change | None, after: Change | None) -> Change | None:
    if after is None:
        return replace(before, action="archive", added=(), removed=before.added) if before else None
    if before is None:
        return after
    added = tuple(text for text in after.added if text not in before.added)
    removed = tuple(text for text in before.added if text not in after.added)
    return replace(after, action="change", added=added, removed=removed) if added or removed else None


def _skipped(item: Resolved) -> Iterator[Remark]:
    for left in item.draft.left_out:
        yield Remark(address=str(item.draft.address), version=left.ref, text=left.reason)


def _troubles(item: Resolved) -> Iterator[Remark]:
    name = str(item.draft.address)
    for problem in (*item.draft.refused, *item.draft.mutated):
        yield Remark(address=name, version=problem.version, text=problem.message)
    declaration = item.draft.declaration
    if declaration is not None and isinstance(declaration.source, CatalogSource):
        for found in item.draft.wanted:
            if not found.tree:
                yield Remark(address=name, version=found.version.text, text=f'no folder "{found.ref}" is committed')
