"""What a reconciler may be about to do when its store goes wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from gitopsreg.index.lease import Holder
from gitopsreg.index.model import Snapshot
from gitopsreg.reconcile.lease import Lease
from gitopsreg.storage.base import BlobStore
from gitopsreg.storage.memory import MemoryStore
from tests.reconcile.world import World, module_file, provider_files, served


class Timeless(World):
    """Waiting for a lease takes no time: its clock is turned by whoever waits."""

    seconds = 0.0

    def lease(self, store: BlobStore) -> Lease:
        holder = Holder(host="here", pid=1, id=token_hex(8))
        return Lease(
            store,
            holder,
            is_gone=lambda _: False,
            now=lambda: self.now,
            clock=lambda: self.seconds,
            pause=self._wait,
        )

    def _wait(self, seconds: float) -> None:
        self.seconds += seconds


def _nothing(_: World) -> None:
    """The catalog stays as it is."""


def _first(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"), provider_files("1.0.0"))


def _add(world: World) -> None:
    world.commit(module_file("naming", "1.0.0", "1.1.0"), provider_files("1.0.0", "1.1.0"))


def _remove(world: World) -> None:
    world.remove("namespaces/acme/modules/tags/generic.yaml", "content/tags")


# The last change to the catalog; all but the first come after two publishes.
CHANGES: dict[str, Callable[[World], None]] = {
    "first publish": _first,
    "add versions": _add,
    "remove a package": _remove,
    "nothing to do": _nothing,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A store `before` the last change, the one `older` by a publish, and what must be served `after` it."""

    name: str
    world: World
    before: MemoryStore
    older: MemoryStore
    old: Snapshot | None
    new: Snapshot


def make(name: str, folder: Path) -> Scenario:
    world = Timeless(folder, store=MemoryStore())
    before, older = MemoryStore(), MemoryStore()
    if name != "first publish":
        _first(world)
        world.run(older)
        before = copy_of(older)
        world.commit(module_file("tags", "1.0.0"))
        world.run(before)
    CHANGES[name](world)
    after = copy_of(before)
    world.run(after)
    new = served(after)
    assert new is not None
    return Scenario(name=name, world=world, before=before, older=older, old=served(before), new=new)


def copy_of(store: MemoryStore) -> MemoryStore:
    copy = MemoryStore()
    for key in store.keys(""):
        copy.put(key, store.get(key))
    return copy
