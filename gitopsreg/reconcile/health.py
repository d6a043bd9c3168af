"""How the registry as a whole is doing: is the catalog in reach, is it valid, was it published. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from gitopsreg.catalog.load import Loaded
from gitopsreg.errors import CheckoutFailed, LostLease
from gitopsreg.index.model import Snapshot
from gitopsreg.index.status import DiscoveryStatus, UpstreamStatus
from gitopsreg.index.statuses import PackageStatuses, RegistryStatus
from gitopsreg.model.condition import Condition
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.discovery_status import discovery_status
from gitopsreg.reconcile.gate import Verdict
from gitopsreg.reconcile.look import intervals
from gitopsreg.reconcile.plan import Plan
from gitopsreg.reconcile.run import Prepared


def registry_status(
    prepared: Prepared, packages: PackageStatuses, snapshot: Snapshot | None, verdict: Verdict
) -> RegistryStatus:
    """The status after a run; `snapshot` is the newest that was published. While a gate is closed something older may
    be served.
    """
    loaded, head = prepared.loaded, prepared.head
    served, applied = (snapshot.digest.hex if snapshot else ""), loaded.catalog.revision
    upstreams = prepared.known.upstreams if verdict.blocked else _upstreams(prepared)
    if verdict.blocked:
        served, applied = (head.root.hex, head.revision) if head else ("", "")
    return RegistryStatus(
        conditions=(
            _fetched(prepared.unreachable, loaded.catalog.revision),
            _valid(loaded),
            *_published(served, prepared.plan, verdict),
        ),
        attempted_revision=loaded.catalog.revision,
        applied_revision=applied,
        snapshot=served,
        last_attempt=stamp(prepared.now),
        next_attempt=verdict.until if verdict.blocked else _first_visit(packages, upstreams),
        blocked_plan=prepared.plan.digest if verdict.reason == "MassChangeGuard" else "",
        idle=loaded.idle,
        packages=packages,
        upstreams=upstreams,
        discoveries=prepared.known.discoveries if verdict.blocked else _discoveries(prepared, snapshot),
    )


def _discoveries(prepared: Prepared, snapshot: Snapshot | None) -> tuple[DiscoveryStatus, ...]:
    before = {item.path: item for item in prepared.known.discoveries}
    return tuple(discovery_status(each, snapshot, before.get(each.discovery.path)) for each in prepared.searches)


def _upstreams(prepared: Prepared) -> tuple[UpstreamStatus, ...]:
    """What was seen of upstreams of many packages: told only once it was applied to them."""
    every = intervals(prepared.loaded.catalog)
    known = (look.status(every[look.gathering.url], prepared.now) for look in prepared.looks)
    return tuple(sorted((item for item in known if item is not None), key=lambda item: item.url))


def failed_status(known: RegistryStatus, error: CheckoutFailed | LostLease, now: datetime) -> RegistryStatus:
    """The status after a run that could not be made; all else is as it was."""
    if isinstance(error, CheckoutFailed):
        others = tuple(item for item in known.conditions if item.type != "CatalogFetched")
        return replace(known, conditions=(_fetched(error, ""), *others), last_attempt=stamp(now))
    lost = Condition(type="PublishBlocked", status="True", reason="LostLease", message=str(error))
    others = tuple(item for item in known.conditions if item.type != "PublishBlocked")
    return replace(known, conditions=(*others, lost), last_attempt=stamp(now), resting=None)


def _first_visit(packages: PackageStatuses, upstreams: tuple[UpstreamStatus, ...]) -> str:
    times = (packages.next_attempt, *(item.next_attempt for item in upstreams))
    return min(filter(None, times), default="")


def _fetched(unreachable: CheckoutFailed | None, revision: str) -> Condition:
    if unreachable:
        return Condition(type="CatalogFetched", status="False", reason=unreachable.reason, message=str(unreachable))
    return Condition(type="CatalogFetched", status="True", reason="Succeeded", message=revision)


def _valid(loaded: Loaded) -> Condition:
    errors = [finding for finding in loaded.findings if finding.severity == "error"]
    if not errors:
        return Condition(type="CatalogValid", status="True", reason="Succeeded", message=f"{loaded.files} files")
    first = f"{errors[0].path}:{errors[0].line}: {errors[0].message}"
    more = f" (and {len(errors) - 1} more: run gitopsreg validate)" if len(errors) > 1 else ""
    return Condition(type="CatalogValid", status="False", reason="InvalidSpec", message=first + more)


def _published(served: str, plan: Plan, verdict: Verdict) -> Iterator[Condition]:
    if not verdict.blocked:
        yield Condition(type="Published", status="True", reason="Succeeded", message=served)
        return
    told = f"{served} goes on being served" if served else "nothing is served yet"
    yield Condition(type="Published", status="False", reason=verdict.reason, message=told)
    advice = ""
    if verdict.reason == "MassChangeGuard":
        advice = f'; look at it with "gitopsreg plan", then "gitopsreg reconcile --approve {plan.digest}"'
    yield Condition(type="PublishBlocked", status="True", reason=verdict.reason, message=verdict.blocked + advice)
