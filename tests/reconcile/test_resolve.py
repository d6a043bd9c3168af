"""Who is asked, who is kept, and what a failure costs."""

from collections.abc import Mapping
from typing import Any

from gitopsreg.index.model import ModulePackage, Package
from gitopsreg.index.status import PackageStatus, VersionFailure
from gitopsreg.model.address import ModuleAddress, PackageAddress
from gitopsreg.model.catalog import Catalog, InvalidPackage, parts_of
from gitopsreg.model.condition import Condition
from gitopsreg.model.declaration import PackageDeclaration, UnsupportedSource
from gitopsreg.reconcile.due import Schedule
from gitopsreg.reconcile.events import Silent
from gitopsreg.reconcile.resolve import Resolved, Visit, resolve
from tests.builders import VPC, a_module, a_module_declaration
from tests.reconcile.fakes import FakeUpstream, unavailable

DNS = ModuleAddress("platform", "dns", "aws")
NOW, EARLIER, LATER = "2026-01-01T12:00:00Z", "2026-01-01T11:00:00Z", "2026-01-01T13:00:00Z"
READY = Condition(type="Ready", status="True", reason="Succeeded")


def run(
    upstreams: Mapping[ModuleAddress, FakeUpstream],
    *packages: PackageDeclaration,
    published: Mapping[ModuleAddress, ModulePackage] | None = None,
    known: tuple[PackageStatus, ...] = (),
    invalid: tuple[InvalidPackage, ...] = (),
    **changes: Any,
) -> dict[PackageAddress, Resolved]:
    catalog = Catalog(revision="main@sha1:0", time=NOW, parts=parts_of(packages, invalid))
    values: dict[str, Any] = dict(now=NOW, everything=False)
    ledger: dict[PackageAddress, Package] = dict((published or {}).items())
    schedule = Schedule(known={item.address: item for item in known}, **(values | changes))
    visit = Visit(published=ledger, schedule=schedule)
    results = resolve(
        catalog,
        visit,
        lambda declaration: upstreams[declaration.address],  # type: ignore[index]
        jobs=1,
        patience=None,
        reporter=Silent(),
    )
    return {item.draft.address: item for item in results.resolved}


def status_of(resolved: Resolved, *, next_attempt: str, failures: tuple[VersionFailure, ...] = ()) -> PackageStatus:
    return PackageStatus(
        address=VPC,
        path="",
        conditions=(READY,),
        skip_key=resolved.skip_key,
        next_attempt=next_attempt,
        failures=failures,
    )


def reason(resolved: Resolved) -> str:
    assert resolved.error is not None
    return resolved.error.reason


def test_one_upstream_that_fails_costs_its_own_package_only() -> None:
    upstreams = {VPC: FakeUpstream(down=unavailable()), DNS: FakeUpstream({"1.0.0": b"one"})}
    results = run(upstreams, a_module_declaration(VPC), a_module_declaration(DNS), published={VPC: a_module("1.0.0")})
    assert results[VPC].state == "failed"
    assert reason(results[VPC]) == "Timeout"
    assert [item.version.text for item in results[DNS].draft.wanted] == ["1.0.0"]


def test_a_fault_of_ours_costs_one_package_too() -> None:
    upstreams = {VPC: FakeUpstream(down=ZeroDivisionError("oops")), DNS: FakeUpstream({"1.0.0": b"one"})}
    results = run(upstreams, a_module_declaration(VPC), a_module_declaration(DNS))
    assert reason(results[VPC]) == "InternalError"
    assert results[DNS].state == "resolved"


def test_a_package_is_asked_again_only_when_due_or_changed() -> None:
    upstream = FakeUpstream({"1.0.0": b"one"})
    first = run({VPC: upstream}, a_module_declaration())[VPC]
    resting = status_of(first, next_attempt=LATER)
    assert run({VPC: upstream}, a_module_declaration(), known=(resting,)) == {}
    assert upstream.asked == 1
    assert run({VPC: upstream}, a_module_declaration(), known=(resting,), everything=True)[VPC].state == "resolved"
    due = status_of(first, next_attempt=EARLIER)
    assert run({VPC: upstream}, a_module_declaration(), known=(due,))[VPC].state == "resolved"
    changed = a_module_declaration(description="new words")
    assert run({VPC: upstream}, changed, known=(resting,))[VPC].state == "resolved"
    assert upstream.asked == 4


def test_a_failed_version_waits_until_its_retry_or_a_change() -> None:
    upstream = FakeUpstream({"1.0.0": b"one", "1.1.0": b"two"})
    first = run({VPC: upstream}, a_module_declaration())[VPC]
    failure = VersionFailure(version="1.0.0", reason="UnsafeArchive", message="", attempts=1, next_retry=LATER)
    known = (status_of(first, next_attempt=EARLIER, failures=(failure,)),)

    waiting = run({VPC: upstream}, a_module_declaration(), known=known)[VPC]
    assert waiting.waiting == (failure,)
    assert [item.version.text for item in waiting.draft.wanted] == ["1.1.0"]

    upstream.content["1.0.0"] = b"mended"
    mended = run({VPC: upstream}, a_module_declaration(), known=known)[VPC]
    assert mended.waiting == ()
    assert len(mended.draft.wanted) == 2


def test_suspended_unsupported_and_invalid_ones_are_kept_and_cost_nothing() -> None:
    upstream = FakeUpstream(down=unavailable())
    published = {VPC: a_module("1.0.0")}
    suspended = run({VPC: upstream}, a_module_declaration(suspend=True), published=published)[VPC]
    unsupported = run(
        {VPC: upstream}, a_module_declaration(source=UnsupportedSource(type="http")), published=published
    )[VPC]
    broken = InvalidPackage(address=VPC, path="x.yaml", reason="InvalidSpec", message="bad")
    invalid = run({}, published=published, invalid=(broken,))[VPC]
    assert [item.state for item in (suspended, unsupported, invalid)] == ["suspended", "unsupported", "invalid"]
    assert all(item.draft.keep for item in (suspended, unsupported, invalid))
    assert upstream.asked == 0


def test_what_is_published_and_no_longer_declared_is_removed() -> None:
    result = run({}, published={VPC: a_module("1.0.0")})[VPC]
    assert result.state == "removed"
    assert not result.draft.keep
