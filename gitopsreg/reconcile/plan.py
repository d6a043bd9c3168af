"""The difference that a publish would make, and the guards that may hold it back. Pure and deterministic."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from gitopsreg.index.model import Package
from gitopsreg.model.declaration import Guards
from gitopsreg.model.digest import Sha256
from gitopsreg.reconcile.apply import apply, listable
from gitopsreg.reconcile.draft import Draft

Action = Literal["add", "change", "archive", "restore", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one package. `added` and `removed` are version texts: into and out of the lists."""

    address: str
    action: Action
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All changes by address. `guard` says why a person must confirm ("" when nobody must); `reason` is its word.

    `digest` names exactly this plan: same catalog, same upstream content and same index give the same digest.
    """

    revision: str
    changes: tuple[Change, ...]
    digest: str
    guard: str = ""
    reason: str = ""

    @property
    def has_changes(self) -> bool:
        return bool(self.changes)


def make_plan(drafts: Sequence[Draft], *, revision: str, time: str, guards: Guards) -> Plan:
    """The plan of these drafts: one change for each package that would differ."""
    changes = tuple(sorted(filter(None, (_change(draft, time) for draft in drafts)), key=lambda c: c.address))
    reason, guard = _guard(drafts, guards)
    return Plan(revision=revision, changes=changes, digest=_digest(revision, changes), guard=guard, reason=reason)


def _digest(revision: str, changes: Iterable[Change]) -> str:
    content = {"revision": revision, "changes": [asdict(change) for change in changes]}
    return str(Sha256.of(json.dumps(content, sort_keys=True).encode()))


def _change(draft: Draft, time: str) -> Change | None:
    after = apply(draft, (), time=time)
    if after == draft.published and not draft.wanted:
        return None
    before_listed, after_listed = listed(draft.published), _listed_after(draft, after)
    return Change(
        address=str(draft.address),
        action=_action(draft),
        added=tuple(v for v in after_listed if v not in before_listed),
        removed=tuple(v for v in before_listed if v not in after_listed),
        notes=tuple(_notes(draft.published, after)),
    )


def _listed_after(draft: Draft, after: Package | None) -> tuple[str, ...]:
    """The versions in lists when every wanted one comes home."""
    if draft.declaration is None or draft.keep:
        return listed(after)
    ledger = draft.published.versions if draft.published else ()
    versions = {record.version for record in ledger} | {item.version for item in draft.wanted}
    hidden = {yank.version for yank in draft.declaration.versions.yanked if yank.visibility == "hidden"}
    return tuple(v.text for v in sorted(listable(draft, draft.declaration, versions) - hidden))


def _action(draft: Draft) -> Action:
    if draft.published is None:
        return "add"
    if draft.declaration is None:
        return "archive"
    return "restore" if draft.published.archived else "change"


def listed(package: Package | None) -> tuple[str, ...]:
    """The versions that clients see in lists, oldest first."""
    return tuple(r.version.text for r in package.versions if r.listing == "listed") if package else ()


def _notes(before: Package | None, after: Package | None) -> Iterable[str]:
    if before is None or after is None:
        return
    old = {record.version: record for record in before.versions}
    for record in after.versions:
        was = old[record.version]
        if record.yanked and not was.yanked:
            yield f"yank {record.version}: {record.yanked}"
        if was.yanked and not record.yanked:
            yield f"un-yank {record.version}"
        if record.blocked and not was.blocked:
            yield f"block {record.version}: {record.blocked}"
        if was.blocked and not record.blocked:
            yield f"un-block {record.version}"
    if after.deprecation != before.deprecation:
        yield f"deprecate: {after.deprecation.message}" if after.deprecation else "no longer deprecated"
    if after.source != before.source:
        yield f'source: "{before.source}" becomes "{after.source}"'
    if after.description != before.description:
        yield "description"


def _guard(drafts: Sequence[Draft], guards: Guards) -> tuple[str, str]:
    """(reason, message) of the first set-level gate that closes, or ("", "").

    A single removal never trips the percentage: in a small registry it would trip it always.
    """
    served = [draft for draft in drafts if draft.published and draft.published.archived is None]
    gone = [draft for draft in served if draft.declaration is None and not draft.keep]
    declared = len(drafts) - sum(1 for draft in drafts if draft.declaration is None and not draft.keep)
    if gone and not declared and not guards.allow_empty:
        return "MassChangeGuard", f"the catalog declares no package and {len(served)} are published (allowEmpty: false)"
    if len(gone) > guards.max_removed_packages:
        limit = f"maxRemovedPackages: {guards.max_removed_packages}"
        return "MassChangeGuard", f"{len(gone)} of {len(served)} packages would be removed ({limit})"
    if len(gone) > 1 and len(gone) * 100 > guards.max_removed_percent * len(served):
        limit = f"maxRemovedPercent: {guards.max_removed_percent}"
        return "MassChangeGuard", f"{len(gone)} of {len(served)} packages would be removed ({limit})"
    return "", ""
