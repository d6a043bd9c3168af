"""A store that dies at its k-th operation, for every k: what is served is always a complete old or a complete new
index, and the next run finishes the work."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from gitopsreg.errors import StorageError
from gitopsreg.index.model import Snapshot
from gitopsreg.storage.memory import MemoryStore
from tests.fakes import Died, FailingStore
from tests.reconcile.world import World, module_file, provider_files, served


def copy_of(store: MemoryStore) -> MemoryStore:
    copy = MemoryStore()
    for key in store.keys(""):
        copy.put(key, store.get(key))
    return copy


def operations_of(world: World, before: MemoryStore) -> int:
    counting = FailingStore(copy_of(before))
    world.run(counting)
    return len(counting.operations)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two commits: the first is published, the second adds versions of a module and of a provider."""
    world = World(tmp_path_factory.mktemp("crash"), store=MemoryStore())
    world.commit(module_file("naming", "1.0.0"), provider_files("1.0.0"))
    return world


def contents(snapshot: Snapshot | None) -> object:
    return snapshot and (snapshot.root.revision, snapshot.packages)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("error", [Died, lambda: StorageError("gone")], ids=["killed", "store gone"])
def test_dying_at_every_operation(world: World, after: bool, error: Callable[[], BaseException]) -> None:
    empty = MemoryStore()
    world_at_first = copy_of(empty)
    world.run(world_at_first)
    first = served(world_at_first)
    survive_every_operation(world, empty, None, first, after=after, error=error)

    world.commit(
        module_file("naming", "1.0.0", "1.1.0"), module_file("tags", "1.0.0"), provider_files("1.0.0", "1.1.0")
    )
    finished = copy_of(world_at_first)
    world.run(finished)
    survive_every_operation(world, world_at_first, first, served(finished), after=after, error=error)
    world.revert()


def survive_every_operation(
    world: World,
    before: MemoryStore,
    old: Snapshot | None,
    new: Snapshot | None,
    *,
    after: bool,
    error: Callable[[], BaseException],
) -> None:
    assert contents(old) != contents(new)
    seen = set()
    for k in range(1, operations_of(world, before) + 1):
        store = copy_of(before)
        dying = FailingStore(store, k, after=after, error=error)
        with suppress(Died, StorageError):
            world.run(dying)
        now = contents(served(store))
        assert now in (contents(old), contents(new)), f"operation {k}: {dying.operations[k - 1]}"
        seen.add(now == contents(new))
        world.run(store)
        assert contents(served(store)) == contents(new), f"operation {k}: the next run finishes"
    assert seen == {False, True}, "both kinds of death were seen"


def test_the_world_has_enough_operations_to_die_at(world: World, tmp_path: Path) -> None:
    assert operations_of(world, MemoryStore()) > 30
