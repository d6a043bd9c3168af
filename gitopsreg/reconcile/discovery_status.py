"""How one discovery went, for people: conditions, counts, what waits for approval, what is left out and why. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from gitopsreg.errors import quoted
from gitopsreg.index.model import Snapshot
from gitopsreg.index.status import DiscoveryStatus
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.condition import Condition
from gitopsreg.reconcile.search import Search

# A status tells of so many by name.
_MOST_PENDING = 1_000
_MOST_SKIPPED = 100


def discovery_status(search: Search, snapshot: Snapshot | None, before: DiscoveryStatus | None) -> DiscoveryStatus:
    """The status after a run that published `snapshot`."""
    served = sum(_is_served(address, snapshot) for address in search.taken)
    if search.blind:
        known = before or DiscoveryStatus(path=search.discovery.path, conditions=())
        return replace(known, conditions=tuple(conditions(search, served)), published=served)
    return DiscoveryStatus(
        path=search.discovery.path,
        conditions=tuple(conditions(search, served)),
        found=search.found,
        declared=search.own,
        published=served,
        pending=tuple(str(address) for address in search.pending[:_MOST_PENDING]),
        more_pending=max(0, len(search.pending) - _MOST_PENDING),
        skipped=tuple((item.ref, item.reason) for item in search.skipped[:_MOST_SKIPPED]),
        more_skipped=max(0, len(search.skipped) - _MOST_SKIPPED),
    )


def conditions(search: Search, served: int) -> Iterator[Condition]:
    """Ready, then what is wrong."""
    trouble = search.trouble
    if trouble and trouble.reason in {"Suspended", "Progressing"}:
        yield Condition(type="Ready", status="Unknown", reason=trouble.reason, message=trouble.message)
    elif trouble:
        yield Condition(type="Ready", status="False", reason=trouble.reason, message=trouble.message)
        yield Condition(type="FetchFailed", status="True", reason=trouble.reason, message=trouble.message)
    elif has_too_many(search):
        yield Condition(type="Ready", status="False", reason="QuotaExceeded", message=too_many(search))
        yield Condition(type="Stalled", status="True", reason="QuotaExceeded", message=too_many(search))
    else:
        yield Condition(type="Ready", status="True", reason="Succeeded", message=counted(search, served))


def has_too_many(search: Search) -> bool:
    """Also where nothing is new: the next package that comes would wait for ever, and nobody would know why."""
    return search.free > search.discovery.max_packages


def too_many(search: Search) -> str:
    """Why nothing new is taken."""
    found = f"{search.free} packages are found (maxPackages: {search.discovery.max_packages})"
    none = f"none of the {search.barred} new ones is taken" if search.barred else "nothing new would be taken"
    new = f"{none}, what is published stays"
    return f"{found}: {new}; raise maxPackages, or narrow the scope or match.name"


def counted(search: Search, served: int) -> str:
    """`found 12: 9 published, 2 pending, 1 declared in a file; 3 skipped`."""
    parts = {
        "published": served,
        "not published yet": len(search.taken) - served,
        "pending": len(search.pending),
        "declared in a file": search.own,
    }
    told = ", ".join(f"{number} {what}" for what, number in parts.items() if number) or "nothing to publish"
    apart = {"no longer there": len(search.gone), "skipped": len(search.skipped)}
    more = "".join(f"; {number} {what}" for what, number in apart.items() if number)
    lost = "".join(f"; {quoted(item.ref)}: {item.reason}" for item in search.skipped if is_namespace(item.ref))
    return f"found {search.found}: {told}{more}{lost}"


def is_namespace(ref: str) -> bool:
    """Whether what is skipped is all of a namespace that is not there, not a file or a package."""
    return "/" not in ref


def _is_served(address: PackageAddress, snapshot: Snapshot | None) -> bool:
    entry = snapshot.entries.get(address) if snapshot else None
    return entry is not None and not entry.archived
