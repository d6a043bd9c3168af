from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gitopsreg.catalog.source import GitCatalog
from gitopsreg.errors import StorageError
from gitopsreg.index import repository
from gitopsreg.index.care import FoundFault, ScrubFigures, read_care, with_faults, write_scrubbed
from gitopsreg.index.changed import Changed
from gitopsreg.index.contents import places
from gitopsreg.index.keys import blob_key, package_key, root_key, shard_key
from gitopsreg.index.model import Blob, Shelf
from gitopsreg.index.status_store import read_status
from gitopsreg.reconcile.events import Silent
from gitopsreg.reconcile.pace import Pace
from gitopsreg.reconcile.prepare import Planner
from gitopsreg.reconcile.repair import Repair, Replies, UpstreamRepair
from gitopsreg.reconcile.scrub import Scrubbed, scrub
from gitopsreg.storage.base import BlobStore
from gitopsreg.storage.memory import MemoryStore
from gitopsreg.transport.remotes import Remotes
from tests.builders import a_blob
from tests.fakes import Died, FailingStore
from tests.reconcile.fakes import FakeUpstream, unavailable
from tests.reconcile.world import HELLO, NAMING, REMOTE, World, module_file, provider_files, remote_file, served

OTHER = replace(REMOTE, name="other")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A module and a provider from the catalog's folders, and a module from an upstream in memory."""
    world = World(tmp_path, store=MemoryStore())
    world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"one", "1.1.0": b"two"})
    world.commit(module_file("naming", "1.0.0", "1.1.0"), provider_files("1.0.0"), remote_file())
    world.run()
    return world


class Counting:
    """A repair that counts what it is asked for."""

    def __init__(self, inner: Repair) -> None:
        self._inner = inner
        self.asked: list[dict[str, set[str]]] = []

    def __call__(self, wanted: Mapping[str, Collection[str]]) -> Replies:
        self.asked.append({package: set(versions) for package, versions in wanted.items()})
        return self._inner(wanted)


def repair_of(world: World) -> Counting:
    catalog = GitCatalog(str(world.repo), "HEAD", ".", Remotes(), world._cache, timedelta(seconds=10))
    planner = Planner(catalog, world._upstream, world.store, now=lambda: world.now, reporter=Silent(), jobs=1)
    return Counting(UpstreamRepair(planner, {"": world.store, **world.backends}, Silent()))


def scrubbed(world: World, repair: Repair | None = None, store: BlobStore | None = None, **options: object) -> Scrubbed:
    stores = {"": store or world.store, **world.backends}
    return scrub(stores, now=world.now, repair=repair, **options)  # type: ignore[arg-type]


def blobs(world: World) -> dict[str, Blob]:
    snapshot = world.snapshot()
    assert snapshot
    return {place.key: blob for place, blob in places(snapshot).items()}


def flip(store: BlobStore, key: str) -> bytes:
    """One bit of it; what it was."""
    data = store.get(key)
    store.put(key, bytes([data[0] ^ 1]) + data[1:])
    return data


def reasons(world: World, package: str) -> set[tuple[str, str]]:
    status = with_faults(read_status(world.store), read_care(world.store))
    (found,) = [item for item in status.packages.values() if str(item.address) == package]
    return {(item.type, item.reason) for item in found.conditions}


def key_of(text: bytes) -> str:
    return blob_key(a_blob(text).sha256)


def test_a_sound_store_is_read_whole(world: World) -> None:
    done = scrubbed(world)
    documents = 2 + 3
    assert (done.checked, done.whole, done.figures.faults) == (documents + len(blobs(world)), True, ())
    assert done.read > sum(blob.size for blob in blobs(world).values())
    assert done.figures.finished == "2026-11-01T12:00:00Z"
    assert read_care(world.store).scrubbed == done.figures


@pytest.mark.parametrize("harm", ["flip", "cut", "delete"])
def test_whatever_happened_to_a_blob_is_repaired_from_its_source(world: World, harm: str) -> None:
    """Modules from Git trees, provider zips, signatures: each from where it came from."""
    for key in blobs(world):
        data = world.store.get(key)
        if harm == "flip":
            flip(world.store, key)
        elif harm == "cut":
            world.store.put(key, data[:-1])
        else:
            world.store.delete(key)
    done = scrubbed(world, repair_of(world))
    assert (done.repaired, done.figures.faults) == (len(blobs(world)), ())
    assert served(world.store)
    assert scrubbed(world).figures.faults == ()


def test_other_back_ends_are_read_and_repaired(world: World) -> None:
    archive = MemoryStore()
    world.backends["archive"] = archive
    snapshot = world.snapshot()
    assert snapshot
    shelf = Shelf(backend="archive", folder="a")
    package = snapshot.packages[REMOTE]
    moved = replace(package, versions=tuple(replace(each, shelf=shelf) for each in package.versions))  # type: ignore[arg-type]
    for data in (b"one", b"two"):
        archive.put(f"a/{key_of(data)}", data)
    head = repository.read_head(world.store)
    content = repository.Content(
        revision=snapshot.root.revision,
        time=snapshot.root.time,
        hostname=None,
        namespaces=snapshot.root.namespaces,
        packages=Changed(snapshot.packages, {REMOTE: moved}),
    )
    repository.publish(world.store, content, base=snapshot, head=head, fence=head.fence if head else 0)
    flip(archive, f"a/{key_of(b'one')}")
    archive.delete(f"a/{key_of(b'two')}")
    done = scrubbed(world, repair_of(world))
    assert (done.repaired, done.figures.faults) == (2, ())
    assert archive.get(f"a/{key_of(b'one')}") == b"one"


def test_without_a_back_end_its_bytes_are_faults(world: World) -> None:
    test_other_back_ends_are_read_and_repaired(world)
    del world.backends["archive"]
    assert {fault.what for fault in scrubbed(world).figures.faults} == {"NoBackend"}


def test_bytes_that_two_packages_share_come_from_whoever_has_them(world: World) -> None:
    world.upstreams[OTHER] = FakeUpstream({"3.0.0": b"one"})
    world.commit(remote_file("other"))
    world.run()
    del world.upstreams[REMOTE].content["1.0.0"]
    world.store.delete(key_of(b"one"))
    done = scrubbed(world, repair_of(world))
    assert (done.repaired, done.figures.faults) == (2, ())


def test_other_bytes_from_upstream_are_never_stored(world: World) -> None:
    flip(world.store, key_of(b"one"))
    damaged = world.store.get(key_of(b"one"))

    class Changed(FakeUpstream):
        """The same commit, other bytes: as if the packing had changed."""

        def _commit(self, text: str) -> str:
            return FakeUpstream({"1.0.0": b"one", "1.1.0": b"two"})._commit(text)

    world.upstreams[REMOTE] = Changed({"1.0.0": b"six", "1.1.0": b"two"})
    done = scrubbed(world, repair_of(world))
    (fault,) = done.figures.faults
    assert (fault.package, fault.version, fault.what) == (str(REMOTE), "1.0.0", "ReadBackMismatch")
    assert "gives other bytes than were published" in fault.reply
    assert world.store.get(key_of(b"one")) == damaged


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.upstreams.update({REMOTE: FakeUpstream({"1.1.0": b"two"})}),
        lambda world: world.remove("namespaces/acme/modules/remote"),
        lambda world: world.upstreams.update({REMOTE: FakeUpstream({"1.0.0": b"moved", "1.1.0": b"two"})}),
    ],
    ids=["tag gone", "no longer declared", "tag moved"],
)
def test_what_no_upstream_has_any_more_is_loud_and_tried_once(world: World, change: Callable[[World], object]) -> None:
    change(world)
    world.store.delete(key_of(b"one"))
    repair = repair_of(world)
    for _ in range(3):
        done = scrubbed(world, repair)
        (fault,) = done.figures.faults
        assert fault.what == "Missing"
        assert "restore the bytes from a copy of the store" in fault.reply
        world.pass_time(timedelta(days=2))
    assert repair.asked == [{str(REMOTE): {"1.0.0"}}]
    assert {("Ready", "Missing"), ("StorageFailed", "Missing")} <= reasons(world, str(REMOTE))
    assert reasons(world, str(NAMING)) == {("Ready", "Succeeded")}


def test_it_is_tried_again_when_the_catalog_changed_or_when_asked(world: World) -> None:
    gone = world.upstreams[REMOTE].content.pop("1.0.0")
    world.store.delete(key_of(b"one"))
    repair = repair_of(world)
    assert scrubbed(world, repair).figures.faults
    assert scrubbed(world, repair, everything=True).figures.faults
    assert len(repair.asked) == 2
    world.upstreams[REMOTE].content["1.0.0"] = gone
    world.commit(module_file("other", "1.0.0"))
    world.run()
    assert scrubbed(world, repair).figures.faults == ()
    assert len(repair.asked) == 3


def test_an_upstream_that_is_away_is_asked_again_but_never_hot(world: World) -> None:
    world.store.delete(key_of(b"one"))
    world.upstreams[REMOTE].down = unavailable()
    repair = repair_of(world)
    for _ in range(5):
        (fault,) = scrubbed(world, repair).figures.faults
    assert len(repair.asked) == 1
    assert "did not answer" in fault.reply
    world.upstreams[REMOTE].down = None
    world.pass_time(timedelta(days=1))
    assert scrubbed(world, repair).figures.faults == ()


def test_what_somebody_else_mended_is_no_fault_any_more(world: World) -> None:
    data = flip(world.store, key_of(b"one"))
    assert len(scrubbed(world).figures.faults) == 1
    world.store.put(key_of(b"one"), data)
    assert scrubbed(world).figures.faults == ()


def damage_document(world: World, kind: str) -> str:
    snapshot = world.snapshot()
    assert snapshot
    key = {
        "root": root_key(snapshot.digest),
        "shard": shard_key(snapshot.root.shards[0][1]),
        "package": package_key(snapshot.entries[NAMING].digest),
    }[kind]
    flip(world.store, key)
    return key


@pytest.mark.parametrize("kind", ["root", "shard", "package"])
def test_a_damaged_document_is_loud(world: World, kind: str) -> None:
    before = world.store.get(key := damage_document(world, kind))
    (fault,) = scrubbed(world, repair_of(world)).figures.faults
    assert (fault.key, fault.what) == (key, "ReadBackMismatch")
    assert "store copy" in fault.reply
    status = with_faults(read_status(world.store), read_care(world.store))
    everyone = [*status.conditions, *(c for package in status.packages.values() for c in package.conditions)]
    assert [item.reason for item in everyone if item.type == "StorageFailed"] == ["ReadBackMismatch"]
    assert world.store.get(key) == before


class Steps:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_slices_add_up_to_a_cycle(world: World) -> None:
    whole = scrubbed(world, everything=True).checked
    seen, slices = 0, 0
    while True:
        done = scrubbed(world, pace=Pace(seconds=4, clock=Steps()), jobs=1)
        slices += 1
        seen += done.checked - 2  # the root and the shard are read every time
        if done.whole:
            break
        assert done.figures.package
        assert slices < 50
    assert slices > 3
    assert seen == whole - 2
    assert done.figures.package == done.figures.key == ""


def test_a_fault_waits_for_its_slice(world: World) -> None:
    flip(world.store, key_of(b"two"))
    first = scrubbed(world, pace=Pace(seconds=0))
    assert (first.whole, first.figures.faults) == (False, ())
    assert len(scrubbed(world).figures.faults) == 1


def test_a_fast_reader_is_slowed_down() -> None:
    slept: list[float] = []
    pace = Pace(rate=100, clock=lambda: 0.0, sleep=slept.append)
    pace(50)
    pace(150)
    assert slept == [0.5, 2.0]
    assert not pace.spent


def test_a_store_that_does_not_answer_is_no_damage(world: World) -> None:
    with pytest.raises(StorageError, match="gone"):
        scrubbed(world, store=FailingStore(world.store, 12, error=lambda: StorageError("gone")), jobs=1)
    assert read_care(world.store).scrubbed is None


def test_a_fault_of_what_nothing_names_any_more_is_forgotten(world: World) -> None:
    fault = FoundFault(backend="", key=f"blobs/{'0' * 64}", what="Missing", message="", seen="2026-10-01T00:00:00Z")
    known = ScrubFigures(faults=(fault,))
    write_scrubbed(world.store, known)
    done = scrubbed(world)
    assert done.whole
    assert [item.package for item in done.figures.faults] == [""]
    write_scrubbed(world.store, ScrubFigures(faults=(replace(fault, package=str(HELLO), version="0.1.0"),)))
    assert scrubbed(world).figures.faults == ()


def test_dying_at_every_operation_is_finished_by_the_next(world: World) -> None:
    def harmed() -> MemoryStore:
        copy = MemoryStore()
        for key in world.store.keys(""):
            copy.put(key, world.store.get(key))
        flip(copy, key_of(b"one"))
        copy.delete(key_of(b"two"))
        return copy

    def run(store: BlobStore) -> Scrubbed:
        catalog = GitCatalog(str(world.repo), "HEAD", ".", Remotes(), world._cache, timedelta(seconds=10))
        planner = Planner(catalog, world._upstream, store, now=lambda: world.now, reporter=Silent(), jobs=1)
        return scrub({"": store}, now=world.now, repair=UpstreamRepair(planner, {"": store}, Silent()), jobs=1)

    counting = FailingStore(harmed())
    assert run(counting).repaired == 2
    for k in range(1, len(counting.operations) + 1, 3):
        store = harmed()
        with suppress(Died, StorageError):
            run(FailingStore(store, k, error=Died))
        world.pass_time(timedelta(days=2))
        assert run(store).figures.faults == (), f"operation {k}"
        assert served(store)
