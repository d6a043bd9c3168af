"""How the registry as a whole is doing: is the catalog in reach, is it valid, was it published. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from gitopsreg.catalog.load import Loaded
from gitopsreg.errors import CheckoutFailed
from gitopsreg.index.model import Snapshot
from gitopsreg.index.status import PackageStatus, RegistryStatus
from gitopsreg.model.condition import Condition
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Which set-level gate held the publish back, if one did."""

    reason: str = ""
    blocked: str = ""


def registry_status(
    known: RegistryStatus,
    *,
    loaded: Loaded | None,
    packages: tuple[PackageStatus, ...],
    snapshot: Snapshot | None,
    plan: Plan | None,
    verdict: Verdict,
    unreachable: CheckoutFailed | None,
    now: datetime,
) -> RegistryStatus:
    """The status after a run; `loaded` and `plan` are None where the catalog could not be read at all."""
    fetched = _fetched(unreachable, loaded)
    if loaded is None or plan is None:
        others = tuple(item for item in known.conditions if item.type != "CatalogFetched")
        return replace(known, conditions=(fetched, *others), last_attempt=stamp(now))
    return RegistryStatus(
        conditions=(fetched, _valid(loaded), *_published(snapshot, plan, verdict)),
        attempted_revision=loaded.catalog.revision,
        applied_revision=known.applied_revision if verdict.blocked else loaded.catalog.revision,
        snapshot=snapshot.digest.hex if snapshot else "",
        last_attempt=stamp(now),
        next_attempt="" if verdict.blocked else _first_visit(packages),
        blocked_plan=plan.digest if verdict.reason == "MassChangeGuard" else "",
        idle=loaded.idle,
        packages=packages,
    )


def _first_visit(packages: tuple[PackageStatus, ...]) -> str:
    return min((item.next_attempt for item in packages if item.next_attempt), default="")


def _fetched(unreachable: CheckoutFailed | None, loaded: Loaded | None) -> Condition:
    if unreachable:
        return Condition(type="CatalogFetched", status="False", reason=unreachable.reason, message=str(unreachable))
    revision = loaded.catalog.revision if loaded else ""
    return Condition(type="CatalogFetched", status="True", reason="Succeeded", message=revision)


def _valid(loaded: Loaded) -> Condition:
    errors = [finding for finding in loaded.findings if finding.severity == "error"]
    if not errors:
        return Condition(type="CatalogValid", status="True", reason="Succeeded", message=f"{loaded.files} files")
    first = f"{errors[0].path}:{errors[0].line}: {errors[0].message}"
    more = f" (and {len(errors) - 1} more: run gitopsreg validate)" if len(errors) > 1 else ""
    return Condition(type="CatalogValid", status="False", reason="InvalidSpec", message=first + more)


def _published(snapshot: Snapshot | None, plan: Plan, verdict: Verdict) -> Iterator[Condition]:
    if not verdict.blocked:
        digest = snapshot.digest.hex if snapshot else ""
        yield Condition(type="Published", status="True", reason="Succeeded", message=digest)
        return
    served = f"{snapshot.digest.hex} goes on being served" if snapshot else "nothing is served yet"
    yield Condition(type="Published", status="False", reason=verdict.reason, message=served)
    advice = ""
    if verdict.reason == "MassChangeGuard":
        advice = f'; look at it with "gitopsreg plan", then "gitopsreg reconcile --approve {plan.digest}"'
    yield Condition(type="PublishBlocked", status="True", reason=verdict.reason, message=verdict.blocked + advice)
