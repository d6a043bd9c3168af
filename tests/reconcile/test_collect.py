from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from gitopsreg.errors import ConfigError, StorageError
from gitopsreg.index import repository
from gitopsreg.index.care import read_care
from gitopsreg.index.head import move_head
from gitopsreg.index.keys import HEAD, blob_key, package_key, root_key, shard_key
from gitopsreg.index.model import ModulePackage, Retention, Shelf, Snapshot
from gitopsreg.index.reading import read_root
from gitopsreg.index.repository import Content
from gitopsreg.reconcile.collect import Collected, collect
from gitopsreg.reconcile.sync import put_blob
from gitopsreg.storage.base import BlobStore, Stored
from gitopsreg.storage.memory import MemoryStore
from gitopsreg.upstream.base import Payload
from tests.builders import VPC, a_blob, a_module, a_module_version, stored
from tests.fakes import Died, FailingStore
from tests.reconcile.care import HELD, FakeLease, served_whole

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = 86400.0
TIME = "2026-01-01T00:00:00Z"
ARCHIVE = Shelf(backend="archive", folder="old")


@dataclass
class Clock:
    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    return MemoryStore(clock=clock)


def publish(store: BlobStore, package: ModulePackage, *, retention: Retention | None = None) -> Snapshot:
    """The index, and the bytes of versions that lie in the registry's own store."""
    for version in package.versions:
        if version.shelf is None and version.discarded is None:
            store.put(blob_key(stored(version.archive).sha256), version.version.text.encode())
    head = repository.read_head(store)
    base = repository.load(store, head.newest) if head else None
    content = Content(
        revision=repr(package.versions), time=TIME, hostname=None, namespaces=(), packages={VPC: package},
        retention=retention,
    )  # fmt: skip
    return repository.publish(store, content, base=base, head=head, fence=1)


def collected(store: BlobStore, keep: int | None = 1, *, dry_run: bool = False, **others: BlobStore) -> Collected:
    return collect({"": store, **others}, HELD, now=NOW, keep=keep, dry_run=dry_run)


def documents(store: BlobStore) -> list[str]:
    return [key for key in store.keys("index/") if key != HEAD]


def test_what_no_retained_snapshot_names_is_removed(store: MemoryStore, clock: Clock) -> None:
    for text in ("1.0.0", "1.1.0", "1.2.0"):
        publish(store, a_module(text))
    clock.now += 31 * DAY
    done = collected(store, keep=2)
    assert (done.snapshots, done.removed, done.young) == (2, 4, 0)
    assert {key.rpartition("/")[2] for key in store.keys("blobs/")} == {
        a_blob(text.encode()).sha256.hex for text in ("1.1.0", "1.2.0")
    }
    assert len(documents(store)) == 6
    served_whole({"": store})
    figures = read_care(store).collected
    assert figures
    assert (figures.when, figures.removed, figures.kept) == ("2026-11-01T00:00:00Z", 4, 8)
    assert collected(store, keep=2).removed == 0


def test_what_is_young_by_the_clock_of_the_store_stays(store: MemoryStore, clock: Clock) -> None:
    publish(store, a_module("1.0.0"))
    publish(store, a_module("1.1.0"))
    clock.now += 29 * DAY
    done = collected(store)
    assert (done.removed, done.young) == (0, 4)


def test_the_catalog_says_what_is_kept(store: MemoryStore, clock: Clock) -> None:
    for text in ("1.0.0", "1.1.0", "1.2.0"):
        publish(store, a_module(text), retention=Retention(snapshots=2, grace=int(DAY)))
    clock.now += 2 * DAY
    assert collected(store, keep=None).removed == 4


def test_a_dry_run_changes_nothing(store: MemoryStore, clock: Clock) -> None:
    publish(store, a_module("1.0.0"))
    publish(store, a_module("1.1.0"))
    clock.now += 31 * DAY
    before = {key: store.get(key) for key in store.keys("")}
    assert collected(store, dry_run=True).removed == 4
    assert {key: store.get(key) for key in store.keys("")} == before


def test_a_short_grace_is_refused(store: MemoryStore) -> None:
    with pytest.raises(ConfigError, match="2h or more"):
        collect({"": store}, HELD, now=NOW, grace=timedelta(hours=1))


def test_a_store_without_a_head_is_left_alone(store: MemoryStore, clock: Clock) -> None:
    publish(store, a_module("1.0.0"))
    store.delete(HEAD)
    clock.now += 365 * DAY
    assert collected(store) == Collected()
    assert len(documents(store)) == 3


def test_what_is_not_ours_is_never_touched(store: MemoryStore, clock: Clock) -> None:
    publish(store, a_module("1.0.0"))
    strange = ("notes", "blobs/notes", f"blobs/deep/{'0' * 64}", f"index/docs/{'0' * 64}", f"other/blobs/{'0' * 64}")
    for key in strange:
        store.put(key, b"x")
    clock.now += 365 * DAY
    assert collected(store).removed == 0
    assert set(strange) < set(store.keys(""))


@pytest.mark.parametrize("kind", ["roots", "shards", "packages"])
@pytest.mark.parametrize("damage", [None, b"torn"], ids=["missing", "torn"])
def test_nothing_is_removed_unless_everything_could_be_marked(
    store: MemoryStore, clock: Clock, kind: str, damage: bytes | None
) -> None:
    for text in ("1.0.0", "1.1.0", "1.2.0"):
        publish(store, a_module(text))
    head = repository.read_head(store)
    assert head
    middle = read_root(store, head.root).previous
    assert middle
    snapshot = repository.load(store, middle)
    key = {
        "roots": root_key(middle),
        "shards": shard_key(snapshot.root.shards[0][1]),
        "packages": package_key(snapshot.entries[VPC].digest),
    }[kind]
    if damage is None:
        store.delete(key)
    else:
        store.put(key, damage)
    store.put(f"blobs/{'0' * 64}", b"garbage")
    clock.now += 365 * DAY
    before = set(store.keys(""))
    with pytest.raises(StorageError, match=key):
        collected(store, keep=3)
    assert set(store.keys("")) == before


def test_history_ends_where_it_was_cut(store: MemoryStore, clock: Clock) -> None:
    for text in ("1.0.0", "1.1.0", "1.2.0", "1.3.0"):
        publish(store, a_module(text))
    clock.now += 365 * DAY
    assert collected(store, keep=2).snapshots == 2
    assert collected(store, keep=10).snapshots == 2
    publish(store, a_module("1.4.0"))
    assert collected(store, keep=10).snapshots == 3


def test_a_rolled_back_registry_keeps_what_is_served_and_its_ledger(store: MemoryStore, clock: Clock) -> None:
    snapshots = [publish(store, a_module(text)) for text in ("1.0.0", "1.1.0", "1.2.0")]
    head = repository.read_head(store)
    assert head
    served = head.moved(fence=1, root=snapshots[0].digest, revision="", ledger=head.root)
    move_head(store, served, head=head)
    clock.now += 365 * DAY
    assert collected(store, keep=1).removed == 4
    whole = served_whole({"": store})
    assert whole
    assert whole.digest == snapshots[0].digest
    assert repository.load(store, snapshots[2].digest) == snapshots[2]


def test_a_lost_lease_stops_it(store: MemoryStore, clock: Clock) -> None:
    publish(store, a_module("1.0.0"))
    publish(store, a_module("1.1.0"))
    clock.now += 365 * DAY
    with pytest.raises(StorageError, match="the lease was lost"):
        collect({"": store}, FakeLease(lost=True), now=NOW, keep=1)
    assert len(documents(store)) == 6


def on_shelf(*texts: str) -> ModulePackage:
    versions = tuple(replace(a_module_version(text), shelf=ARCHIVE) for text in texts)
    return replace(a_module(), versions=versions)


def test_other_back_ends_are_collected_where_versions_lie_or_lay(store: MemoryStore, clock: Clock) -> None:
    archive = MemoryStore(clock=clock)
    keep, gone = a_blob(b"1.0.0"), a_blob(b"1.1.0")
    for data in (b"1.0.0", b"1.1.0"):
        archive.put(blob_key(a_blob(data).sha256, ARCHIVE), data)
    package = on_shelf("1.0.0", "1.1.0")
    discarded = replace(package.versions[1], discarded=TIME, listing="archived")
    publish(store, replace(package, versions=(package.versions[0], discarded)))
    clock.now += 31 * DAY
    done = collected(store, archive=archive)
    assert (done.removed, done.left_alone) == (1, ())
    assert list(archive.keys("old/")) == [blob_key(keep.sha256, ARCHIVE)]
    assert blob_key(gone.sha256, ARCHIVE) not in archive.keys("")


def test_one_folder_under_two_names_loses_nothing(store: MemoryStore, clock: Clock) -> None:
    publish(store, a_module("1.0.0"))
    clock.now += 31 * DAY
    done = collected(store, again=store)
    assert (done.removed, done.left_alone) == (0, ())
    served_whole({"": store})


def test_of_two_registries_on_one_back_end_only_the_first_removes_there(store: MemoryStore, clock: Clock) -> None:
    shared, other = MemoryStore(clock=clock), MemoryStore(clock=clock)
    publish(store, a_module("1.0.0"))
    publish(other, a_module("2.0.0"))
    shared.put(blob_key(a_blob(b"1.0.0").sha256), b"1.0.0")
    assert collected(store, shared=shared).left_alone == ()
    clock.now += 31 * DAY
    assert collected(other, shared=shared, dry_run=True).left_alone == ("shared",)
    assert collected(other, shared=shared).left_alone == ("shared",)
    assert list(shared.keys("blobs/")) != []
    assert collect({"": other, "shared": shared}, HELD, now=NOW, take_over=True).removed == 1


def test_the_own_store_of_another_registry_is_never_collected(store: MemoryStore, clock: Clock) -> None:
    other = MemoryStore(clock=clock)
    publish(store, a_module("1.0.0"))
    publish(other, a_module("2.0.0"))
    clock.now += 31 * DAY
    assert collect({"": store, "b": other}, HELD, now=NOW, take_over=True).left_alone == ("b",)
    served_whole({"": other})


class Publishing(MemoryStore):
    """Calls back before its first removal of something named by its content: the head is fenced by then."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock)
        self.then: Callable[[], None] | None = None

    def delete(self, key: str, *, seen: Stored | None = None) -> bool:
        then, self.then = (None, self.then) if key.startswith("status/") else (self.then, None)
        if then:
            then()
        return super().delete(key, seen=seen)


def test_what_a_publish_behind_the_fence_finds_fresh_is_safe_in_every_back_end(clock: Clock) -> None:
    """However long the collection takes on its way there."""
    own, archive = Publishing(clock), MemoryStore(clock=clock)
    publish(own, on_shelf("1.0.0"))
    own.put(f"blobs/{'0' * 64}", b"garbage")
    archive.put(blob_key(a_blob(b"1.0.0").sha256, ARCHIVE), b"1.0.0")
    clock.now += 31 * DAY
    archive.put(blob_key(a_blob(b"1.1.0").sha256, ARCHIVE), b"1.1.0")
    built: list[Iterator[None]] = []

    def building() -> Iterator[None]:
        head = repository.read_head(own)
        assert head
        payload = Payload(blob=a_blob(b"1.1.0"), open=lambda: iter([b"1.1.0"]))
        assert put_blob(archive, payload, ARCHIVE, clock=clock) == 0, "it is fresh"
        clock.now += DAY
        yield
        content = Content(
            revision="", time=TIME, hostname=None, namespaces=(), packages={VPC: on_shelf("1.0.0", "1.1.0")}
        )
        repository.publish(own, content, base=repository.load(own, head.root), head=head, fence=1)

    def start() -> None:
        built.append(building())
        next(built[0])

    own.then = start
    stores: dict[str, BlobStore] = {"": own, "archive": archive}
    assert collect(stores, HELD, now=NOW, keep=1, grace=timedelta(hours=2), jobs=1).removed == 1
    with suppress(StopIteration):
        next(built[0])
    whole = served_whole(stores)
    assert whole
    assert len(whole.packages[VPC].versions) == 2


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("error", [Died, lambda: StorageError("gone")], ids=["killed", "store gone"])
def test_dying_at_every_operation_loses_nothing(after: bool, error: Callable[[], BaseException]) -> None:
    def a_store() -> MemoryStore:
        clock = Clock()
        store = MemoryStore(clock=clock)
        for text in ("1.0.0", "1.1.0", "1.2.0"):
            publish(store, a_module(text))
        clock.now += 365 * DAY
        return store

    def run(store: BlobStore) -> Collected:
        return collect({"": store}, HELD, now=NOW, keep=1, jobs=1)

    counting = FailingStore(a_store())
    run(counting)
    assert len(counting.operations) > 20
    for k in range(1, len(counting.operations) + 1):
        store = a_store()
        with suppress(Died, StorageError):
            run(FailingStore(store, k, after=after, error=error))
        served_whole({"": store})
        run(store)
        assert len(documents(store)) == 3, f"operation {k}: the next one finishes"
        assert len(list(store.keys("blobs/"))) == 1
        served_whole({"": store})


@pytest.mark.parametrize("folder", ["index/roots", "index/shards", "index/packages"])
@pytest.mark.parametrize("backend", ["", "archive"])
def test_bytes_in_a_folder_that_is_called_like_the_index_are_bytes(clock: Clock, folder: str, backend: str) -> None:
    stores = {"": MemoryStore(clock=clock), "archive": MemoryStore(clock=clock)}
    shelf = Shelf(backend=backend, folder=folder)
    stores[backend].put(blob_key(a_blob(b"1.0.0").sha256, shelf), b"1.0.0")
    publish(stores[""], replace(a_module(), versions=(replace(a_module_version("1.0.0"), shelf=shelf),)))
    clock.now += 31 * DAY
    collected(stores[""], archive=stores["archive"])
    assert served_whole(stores)


def test_another_registrys_own_store_is_never_collected_in(clock: Clock) -> None:
    theirs, ours = MemoryStore(clock=clock), MemoryStore(clock=clock)
    publish(theirs, a_module("1.0.0"))
    for key in theirs.keys(""):
        ours.put(f"team-a/{key}", theirs.get(key))
    before = set(ours.keys("team-a/"))
    shelf = Shelf(folder="team-a")
    ours.put(blob_key(a_blob(b"9.0.0").sha256, shelf), b"9.0.0")
    publish(ours, replace(a_module(), versions=(replace(a_module_version("9.0.0"), shelf=shelf),)))
    clock.now += 31 * DAY
    done = collected(ours)
    assert done.left_alone == ("primary/team-a",)
    assert before <= set(ours.keys("team-a/"))
