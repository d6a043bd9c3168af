"""One-line values of the reconciler's answers, for tests of how they are told."""

from gitopsreg.catalog.load import Loaded
from gitopsreg.catalog.report import Finding
from gitopsreg.index.status import PackageStatus, VersionFailure
from gitopsreg.index.statuses import PackageStatuses, RegistryStatus
from gitopsreg.model.address import parse_address
from gitopsreg.model.catalog import Catalog
from gitopsreg.model.condition import Condition
from gitopsreg.reconcile.plan import Plan
from gitopsreg.reconcile.run import Outcome

REVISION = "main@sha1:" + "9b" * 20
TIME = "2026-10-01T12:00:00Z"
LATER = "2026-10-01T12:15:00Z"
READY = Condition(type="Ready", status="True", reason="Succeeded")


def a_package(
    address: str = "module:platform/vpc/aws",
    *conditions: Condition,
    listed: tuple[str, ...] = ("1.0.0",),
    failures: tuple[VersionFailure, ...] = (),
    skipped: tuple[tuple[str, str], ...] = (),
) -> PackageStatus:
    return PackageStatus(
        address=parse_address(address),
        path="namespaces/platform/modules/vpc/aws.yaml",
        conditions=conditions or (READY,),
        listed=listed,
        revision=REVISION,
        last_attempt=TIME,
        next_attempt=LATER,
        failures=failures,
        skipped=skipped,
    )


def a_broken_package(address: str = "module:platform/dns/aws", message: str = "no such repository") -> PackageStatus:
    return a_package(
        address,
        Condition(type="Ready", status="False", reason="NotFound", message=message),
        Condition(type="FetchFailed", status="True", reason="NotFound", message=message),
    )


def a_status(*packages: PackageStatus, **changes: object) -> RegistryStatus:
    fields: dict[str, object] = {
        "conditions": (
            Condition(type="CatalogFetched", status="True", reason="Succeeded"),
            Condition(type="Published", status="True", reason="Succeeded"),
        ),
        "attempted_revision": REVISION,
        "applied_revision": REVISION,
        "snapshot": "3f" * 32,
        "last_attempt": TIME,
        "next_attempt": LATER,
        "packages": PackageStatuses.of(packages),
    }
    return RegistryStatus(**(fields | changes))  # type: ignore[arg-type]


def a_finding(severity: str = "error") -> Finding:
    return Finding(
        rule="GR201",
        severity="error" if severity == "error" else "warning",
        path="namespaces/platform/modules/vpc/aws.yaml",
        line=14,
        column=17,
        end_line=14,
        end_column=21,
        message="version must be a string, got number 1.1",
    )


def a_loaded(*findings: Finding, broken: str = "") -> Loaded:
    return Loaded(catalog=Catalog(revision=REVISION, time=TIME), findings=findings, files=3, registry_broken=broken)


def a_plan(**changes: object) -> Plan:
    fields: dict[str, object] = {"revision": REVISION, "changes": (), "digest": "sha256:" + "5e" * 32}
    return Plan(**(fields | changes))  # type: ignore[arg-type]


def an_outcome(*packages: PackageStatus, **changes: object) -> Outcome:
    fields: dict[str, object] = {
        "revision": REVISION,
        "snapshot": "3f" * 32,
        "published": True,
        "packages": len(packages),
        "versions_added": 2,
        "bytes_stored": 3072,
        "seconds": 0.25,
        "status": a_status(*packages),
        "plan": a_plan(),
        "loaded": a_loaded(),
    }
    return Outcome(**(fields | changes))  # type: ignore[arg-type]
