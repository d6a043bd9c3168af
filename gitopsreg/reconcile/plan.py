"""The difference that a publish would make, and the guards that may hold it back. Pure and deterministic."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from gitopsreg.index.model import Package, ProviderVersion, PublicKey, PublishedVersion
from gitopsreg.model.catalog import Guards
from gitopsreg.model.digest import Sha256
from gitopsreg.reconcile.apply import apply, listable
from gitopsreg.reconcile.draft import Draft

Action = Literal["add", "change", "archive", "restore", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one package (or to "registry", "namespace:NAME"). `added` and `removed` are version texts: into
    and out of the lists. `marks` are words of the table of risks (catalog.risk).
    """

    address: str
    action: Action
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


_FIELDS = tuple(field.name for field in fields(Change))


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many packages are served now, and how many the catalog declares, soundly or not: whether a run touches them
    or not.
    """

    served: int
    declared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All changes by address. `guard` says why a person must confirm ("" when nobody must); `reason` is its word.

    `digest` names exactly this plan: what changes, and the content that comes with it. The catalog's revision has no
    share in it, so that what was looked at in a pull request can be approved after the merge.
    """

    revision: str
    changes: tuple[Change, ...]
    digest: str
    guard: str = ""
    reason: str = ""

    @property
    def has_changes(self) -> bool:
        return bool(self.changes)


def make_plan(
    drafts: Sequence[Draft],
    *,
    revision: str,
    time: str,
    guards: Guards,
    more: Iterable[Change] = (),
    totals: Totals | None = None,
) -> Plan:
    """The plan of these drafts: one change for each package that would differ; `more` are those of anything else.

    `totals` are needed where the drafts are not those of all packages.
    """
    reason, guard = _guard(drafts, guards, totals or _totals(drafts))
    told = (_change(draft, time, held=bool(guard)) for draft in drafts)
    changes = tuple(sorted((*filter(None, told), *more), key=lambda c: c.address))
    return Plan(revision=revision, changes=changes, digest=digest_of(changes, drafts), guard=guard, reason=reason)


def digest_of(changes: Iterable[Change], drafts: Iterable[Draft]) -> str:
    """What names these changes with the content that the drafts bring."""
    content = {
        "changes": [{name: getattr(change, name) for name in _FIELDS} for change in changes],
        "content": sorted(
            [address, found.version.text, found.tree or found.commit]
            for address, wanted in ((str(draft.address), draft.wanted) for draft in drafts if draft.wanted)
            for found in wanted
        ),
    }
    return str(Sha256.of(json.dumps(content, sort_keys=True).encode()))


def _change(draft: Draft, time: str, *, held: bool) -> Change | None:
    after = apply(draft, (), time=time)
    if after == draft.published and not draft.wanted:
        return None
    before_listed, after_listed = listed(draft.published), _listed_after(draft, after)
    action = _action(draft)
    notes = tuple(_notes(draft.published, after))
    marks = {mark for mark, _ in notes} - {""}
    if action == "archive":
        marks = {"mass removal" if held else "removal"}
    return Change(
        address=str(draft.address),
        action=action,
        added=tuple(v for v in after_listed if v not in before_listed),
        removed=tuple(v for v in before_listed if v not in after_listed),
        notes=tuple(text for _, text in notes),
        marks=tuple(sorted(marks)),
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


def _notes(before: Package | None, after: Package | None) -> Iterable[tuple[str, str]]:
    """(mark of risk or "", words) of what the catalog says anew of a package that is published."""
    if before is None or after is None:
        return
    old = {record.version: record for record in before.versions}
    for record in after.versions:
        yield from _version_notes(old[record.version], record)
    if vouched := [record.version.text for record in after.versions if _keys(record) != _keys(old[record.version])]:
        yield "key", f"signing keys of {', '.join(vouched[:5])}{', …' if len(vouched) > 5 else ''}"
    if after.deprecation != before.deprecation:
        yield "", f"deprecate: {after.deprecation.message}" if after.deprecation else "no longer deprecated"
    if after.source != before.source:
        yield "source", f'source: "{before.source}" becomes "{after.source}"'
    if after.description != before.description:
        yield "", "description"


def _keys(record: PublishedVersion) -> tuple[PublicKey, ...]:
    return record.keys if isinstance(record, ProviderVersion) else ()


def _version_notes(was: PublishedVersion, record: PublishedVersion) -> Iterable[tuple[str, str]]:
    if record.yanked and not was.yanked:
        yield "yank", f"yank {record.version}: {record.yanked}"
    if was.yanked and not record.yanked:
        yield "yank", f"un-yank {record.version}"
    if record.blocked and not was.blocked:
        yield "block", f"block {record.version}: {record.blocked}"
    if was.blocked and not record.blocked:
        yield "unblock", f"un-block {record.version}"


def _totals(drafts: Sequence[Draft]) -> Totals:
    return Totals(
        served=sum(_is_served(draft) for draft in drafts),
        declared=sum(draft.declaration is not None or draft.keep for draft in drafts),
    )


def _is_served(draft: Draft) -> bool:
    return draft.published is not None and draft.published.archived is None


def _guard(drafts: Sequence[Draft], guards: Guards, totals: Totals) -> tuple[str, str]:
    """(reason, message) of the set-level gate that closes, or ("", "")."""
    removed = sum(_is_served(draft) for draft in drafts if draft.declaration is None and not draft.keep)
    refusal = guards.refusal(removed=removed, published=totals.served, declared=totals.declared)
    return ("MassChangeGuard", refusal) if refusal else ("", "")
