"""Status comes back, costs what changed, and never stops anybody."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import StorageError
from gitopsreg.index.shards import prefix_of
from gitopsreg.index.status import PackageStatus
from gitopsreg.index.status_store import read_status, write_status
from gitopsreg.index.statuses import PackageStatuses, RegistryStatus
from gitopsreg.model.address import ModuleAddress
from gitopsreg.model.condition import Condition
from gitopsreg.storage.memory import MemoryStore
from tests import strategies
from tests.fakes import FailingStore

READY = Condition(type="Ready", status="True", reason="Succeeded")
REGISTRY = "status/registry"
ALL = "status/packages/all"


def status_of(count: int) -> RegistryStatus:
    packages = (
        PackageStatus(address=ModuleAddress("team", f"m{number}", "aws"), path=f"m{number}.yaml", conditions=(READY,))
        for number in range(count)
    )
    return RegistryStatus(conditions=(READY,), snapshot="sha256:0", packages=PackageStatuses.of(packages))


def changed(status: RegistryStatus, number: int) -> RegistryStatus:
    package = replace(list(status.packages.values())[number], attempts=3)
    return replace(status, packages=status.packages.changed({package.address: package}))


def test_nothing_stored_is_an_empty_status() -> None:
    assert read_status(MemoryStore()) == RegistryStatus()


@given(strategies.registry_statuses)
def test_status_comes_back(status: RegistryStatus) -> None:
    store = MemoryStore()
    write_status(store, status)
    assert read_status(store) == status


@given(strategies.registry_statuses, strategies.registry_statuses)
def test_the_next_status_comes_back_with_and_without_what_is_known(
    first: RegistryStatus, second: RegistryStatus
) -> None:
    knowing, forgetful = MemoryStore(), MemoryStore()
    for store, known in ((knowing, first), (forgetful, None)):
        write_status(store, first)
        write_status(store, second, known=known)
        assert read_status(store) == second
    assert list(knowing.keys("")) == list(forgetful.keys(""))


def test_the_order_of_packages_does_not_matter() -> None:
    status = status_of(5)
    store = FailingStore(MemoryStore())
    write_status(store, status)
    backwards = PackageStatuses.of(reversed(list(status.packages.values())))
    write_status(store, replace(status, packages=backwards), known=status)
    assert store.writes == [ALL, REGISTRY]
    assert list(backwards) == list(status.packages)


def test_only_what_changed_is_written() -> None:
    status = status_of(3_000)
    inner = MemoryStore()
    write_status(inner, status)
    assert len(list(inner.keys("status/packages/"))) == 16
    store = FailingStore(inner)
    write_status(store, status, known=status)
    assert store.operations == []
    later = changed(status, 1_234)
    write_status(store, later, known=status)
    prefix = prefix_of(list(later.packages)[1_234], 1)
    assert store.operations == [("put", f"status/packages/{prefix}")]
    last = replace(later, last_attempt="2026-10-01T12:00:00Z")
    write_status(store, last, known=later)
    assert store.operations[1:] == [("put", REGISTRY)]
    assert read_status(inner) == last


@pytest.mark.parametrize("sizes", [(5, 1_500), (1_500, 5), (1_500, 0), (5, 0)])
@pytest.mark.parametrize("knows", [True, False])
def test_shards_that_are_no_more_are_removed(sizes: tuple[int, int], *, knows: bool) -> None:
    store, fresh = MemoryStore(), MemoryStore()
    first, second = map(status_of, sizes)
    write_status(store, first)
    write_status(store, second, known=first if knows else None)
    write_status(fresh, second)
    assert list(store.keys("")) == list(fresh.keys(""))
    assert read_status(store) == second


def test_a_death_while_the_shards_change_leaves_a_status_that_can_be_read() -> None:
    first, second = status_of(5), status_of(1_500)
    for fail_at in range(1, 30):
        store = MemoryStore()
        write_status(store, first)
        dying = FailingStore(store, fail_at)
        try:
            write_status(dying, second, known=first)
        except StorageError:
            assert dying.failed
        assert read_status(store) in (first, second)
        write_status(store, second, known=read_status(store))
        assert read_status(store) == second


# Never a reason to stop


@given(st.text(st.characters(categories=["Cs", "Lu", "Cc"]), max_size=8))
def test_no_words_can_stop_it(words: str) -> None:
    store = MemoryStore()
    condition = replace(READY, message=words)
    package = PackageStatus(
        address=ModuleAddress("team", "m", "aws"), path=words, conditions=(condition,), skipped=((words, words),)
    )
    status = RegistryStatus(conditions=(condition,), attempted_revision=words, packages=PackageStatuses.of([package]))
    write_status(store, status)
    legible = words.encode(errors="backslashreplace").decode()
    assert read_status(store).attempted_revision == legible
    assert read_status(store).packages[package.address].skipped == ((legible, legible),)
    before = list(store.keys(""))
    write_status(store, status, known=read_status(store))
    assert list(store.keys("")) == before


@given(st.binary(max_size=60), st.sampled_from([REGISTRY, ALL]))
def test_what_can_not_be_read_is_as_if_it_were_not_there(data: bytes, key: str) -> None:
    store = MemoryStore()
    status = status_of(2)
    write_status(store, status)
    store.put(key, data)
    assert read_status(store) == (RegistryStatus() if key == REGISTRY else replace(status, packages=PackageStatuses()))
    write_status(store, status, known=read_status(store))
    assert read_status(store) == status


@pytest.mark.parametrize(
    "data",
    [
        b'{"format":1,"status":{},"shards":["../../private"]}',
        b'{"format":1,"status":{"conditions":[{"type":"Odd","status":"True","reason":""}]},"shards":[]}',
        b'{"format":2,"status":{},"shards":[]}',
        b"[" * 10_000,
    ],
)
def test_malformed_status_is_as_if_it_were_not_there(data: bytes) -> None:
    store = MemoryStore()
    store.put(REGISTRY, data)
    assert read_status(store) == RegistryStatus()


def test_one_damaged_shard_costs_its_packages_only() -> None:
    store = MemoryStore()
    status = status_of(1_500)
    write_status(store, status)
    store.put("status/packages/a", b"torn")
    left = read_status(store)
    lost = [address for address in status.packages if prefix_of(address, 1) == "a"]
    assert left.packages == status.packages.changed({}, lost)
    write_status(store, status, known=left)
    assert read_status(store) == status


def test_a_store_that_is_gone_gives_an_empty_status_and_refuses_to_be_written() -> None:
    store = MemoryStore()
    write_status(store, status_of(1))
    assert read_status(FailingStore(store, 1)) == RegistryStatus()
    with pytest.raises(StorageError, match="the store is gone"):
        write_status(FailingStore(store, 1), status_of(2))
