from dataclasses import replace

import pytest

from gitopsreg.index.care import (
    Care,
    CollectFigures,
    FoundFault,
    ScrubFigures,
    read_care,
    with_faults,
    write_collected,
    write_scrubbed,
)
from gitopsreg.index.status import PackageStatus
from gitopsreg.index.statuses import PackageStatuses, RegistryStatus
from gitopsreg.model.condition import Condition
from gitopsreg.storage.memory import MemoryStore
from tests.builders import VPC

COLLECTED = CollectFigures(when="2026-11-01T00:00:00Z", kept=5, removed=2, freed=100)
FAULT = FoundFault(
    backend="", key="blobs/00", what="Missing", message="it is \udcff gone", seen="2026", package=str(VPC)
)
SCRUBBED = ScrubFigures(started="2026-11-01T00:00:00Z", package=str(VPC), key="blobs/00", checked=7, faults=(FAULT,))
READY = Condition(type="Ready", status="True", reason="Succeeded")


def test_what_was_written_is_read() -> None:
    store = MemoryStore()
    assert read_care(store) == Care()
    write_collected(store, COLLECTED)
    write_scrubbed(store, SCRUBBED)
    assert read_care(store) == Care(collected=COLLECTED, scrubbed=SCRUBBED)


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b'{"format":2}', b'{"format":1}', b"[" * 100_000])
def test_what_can_not_be_read_counts_as_not_there(data: bytes) -> None:
    store = MemoryStore()
    store.put("status/care/collected", data)
    assert read_care(store).collected is None


def test_a_fault_is_a_condition_of_its_package() -> None:
    status = RegistryStatus(packages=PackageStatuses.of([PackageStatus(address=VPC, path="x", conditions=(READY,))]))
    (package,) = with_faults(status, Care(scrubbed=SCRUBBED)).packages.values()
    assert [(item.type, item.status, item.reason) for item in package.conditions] == [
        ("Ready", "False", "Missing"),
        ("StorageFailed", "True", "Missing"),
    ]
    assert with_faults(status, Care()) == status


def test_a_fault_of_no_known_package_is_the_registrys() -> None:
    status = RegistryStatus(packages=PackageStatuses.of([PackageStatus(address=VPC, path="x", conditions=(READY,))]))
    for package in ("", "module:other/vpc/aws"):
        told = with_faults(status, Care(scrubbed=replace(SCRUBBED, faults=(replace(FAULT, package=package),))))
        assert [item.type for item in told.conditions] == ["StorageFailed"]
        assert told.packages == status.packages
