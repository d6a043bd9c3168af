"""A snapshot goes to the shelf and comes back; whatever fails on the way, the head leads to a whole one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import KeyMissing, PublishConflict, StorageError
from gitopsreg.index import codec, repository
from gitopsreg.index.keys import HEAD, root_key, shard_key
from gitopsreg.index.model import Entry, ModulePackage, Namespace, Root, Snapshot
from gitopsreg.index.repository import Content, Head
from gitopsreg.model.address import ModuleAddress, PackageAddress
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobStore
from gitopsreg.storage.filesystem import FilesystemStore
from gitopsreg.storage.memory import MemoryStore
from tests import strategies
from tests.builders import VPC, a_module
from tests.fakes import Died, FailingStore

EMPTY = Content(revision="main@sha1:0", time="2026-01-01T00:00:00Z", hostname=None, namespaces=(), packages={})


def numbered(number: int, *versions: str) -> ModulePackage:
    return a_module(*(versions or ("1.0.0",)), address=ModuleAddress(f"team-{number % 7}", f"m{number}", "aws"))


def content(*packages: ModulePackage, revision: str = "main@sha1:1") -> Content:
    return replace(EMPTY, revision=revision, packages={package.address: package for package in packages})


def content_of(snapshot: Snapshot) -> Content:
    root = snapshot.root
    return Content(
        revision=root.revision,
        time=root.time,
        hostname=root.hostname,
        namespaces=root.namespaces,
        packages=snapshot.packages,
    )


def current(store: BlobStore) -> Snapshot | None:
    """As a server that starts now sees it."""
    head = repository.read_head(store)
    return repository.load(store, head.root) if head else None


def publish(store: BlobStore, wanted: Content, *, jobs: int = 1) -> Snapshot:
    """As a reconciler that starts now does it."""
    head = repository.read_head(store)
    base = repository.load(store, head.root, jobs=jobs) if head else None
    return repository.publish(store, wanted, base=base, head=head, jobs=jobs)


def head_of(store: BlobStore) -> Head:
    head = repository.read_head(store)
    assert head is not None
    return head


def values(store: BlobStore) -> dict[str, bytes]:
    return {key: store.get(key) for key in store.keys("")}


def sort_namespaces(wanted: Content) -> Content:
    return replace(wanted, namespaces=tuple(sorted(wanted.namespaces, key=lambda namespace: namespace.name)))


# What is published is loaded


def test_nothing_is_published_at_first() -> None:
    store = MemoryStore()
    assert repository.read_head(store) is None
    assert values(store) == {}


@given(strategies.contents, st.sampled_from([1, 4]))
def test_what_is_published_is_loaded(wanted: Content, jobs: int) -> None:
    store = MemoryStore()
    published = repository.publish(store, wanted, base=None, head=None, jobs=jobs)
    head = head_of(store)
    loaded = repository.load(store, head.root, jobs=jobs)
    assert loaded == published
    assert loaded.entries == published.entries
    assert list(loaded.packages) == list(published.packages) == sorted(wanted.packages, key=str)
    assert content_of(loaded) == sort_namespaces(wanted)
    assert (head.root, head.revision, head.epoch) == (published.digest, wanted.revision, 1)


@given(strategies.contents, strategies.contents)
def test_the_next_snapshot_is_the_same_with_and_without_what_is_known(first: Content, second: Content) -> None:
    store = MemoryStore()
    known = publish(store, first)
    published = repository.publish(store, second, base=known, head=head_of(store))
    head = head_of(store)
    assert repository.load(store, head.root) == repository.load(store, head.root, known=known) == published
    assert content_of(published) == sort_namespaces(second)


def test_an_empty_registry_is_a_snapshot_too() -> None:
    store = MemoryStore()
    published = publish(store, EMPTY)
    assert published.root.shards == ()
    assert current(store) == published
    assert len(values(store)) == 2


@pytest.mark.parametrize("count", [1_000, 1_001, 16_001])
def test_a_registry_of_any_size_comes_back(count: int) -> None:
    store = MemoryStore()
    addresses = (numbered(number).address for number in range(count))
    wanted = content(*(ModulePackage(address=address) for address in addresses))
    published = repository.publish(store, wanted, base=None, head=None, jobs=1)
    digits = {1_000: 0, 1_001: 1, 16_001: 2}[count]
    assert len(published.root.shards) == 16**digits
    assert {len(prefix) for prefix, _ in published.root.shards} == {digits}
    assert repository.load(store, published.digest, jobs=1).packages == wanted.packages


# The same content, the same bytes


@given(strategies.contents, st.randoms(use_true_random=False))
def test_the_same_content_gives_the_same_tree_byte_for_byte(wanted: Content, random: Random) -> None:
    packages = list(wanted.packages.items())
    namespaces = list(wanted.namespaces)
    random.shuffle(packages)
    random.shuffle(namespaces)
    again = replace(wanted, packages=dict(packages), namespaces=tuple(namespaces))
    one, other = MemoryStore(), MemoryStore()
    publish(one, wanted)
    publish(other, again)
    assert values(one) == values(other)


def shelf_without_history(snapshot: Snapshot) -> tuple[object, ...]:
    return snapshot.packages, snapshot.entries, replace(snapshot.root, previous=None)


@pytest.mark.parametrize("sizes", [(3,), (3, 0), (999, 1_001), (1_001, 999), (1_050, 1_049, 1_050)], ids=str)
def test_the_way_to_a_content_leaves_no_trace_in_its_tree(sizes: tuple[int, ...]) -> None:
    store, fresh = MemoryStore(), MemoryStore()
    wanted = content(*map(numbered, range(1, 1_040)))
    for number, size in enumerate(sizes):
        publish(store, content(*map(numbered, range(size)), revision=f"main@sha1:{number}"))
    assert shelf_without_history(publish(store, wanted)) == shelf_without_history(publish(fresh, wanted))


# A change costs what it changes


@pytest.fixture(scope="module")
def large() -> tuple[MemoryStore, Snapshot]:
    """Never written to: copy it."""
    store = MemoryStore()
    return store, publish(store, content(*map(numbered, range(3_000))))


def copy_of(store: MemoryStore) -> MemoryStore:
    copy = MemoryStore()
    for key, data in values(store).items():
        copy.put(key, data)
    return copy


def test_changing_one_package_of_3000_writes_four_objects(large: tuple[MemoryStore, Snapshot]) -> None:
    store = FailingStore(copy_of(large[0]))
    base = large[1]
    changed = numbered(1_234, "1.0.0", "1.1.0")
    wanted = replace(content_of(base), packages={**base.packages, changed.address: changed}, revision="main@sha1:2")
    published = repository.publish(store, wanted, base=base, head=head_of(store.inner))
    assert [key.rpartition("/")[0] for key in store.writes] == [
        "index/packages",
        "index/shards",
        "index/roots",
        "index",
    ]
    assert len(store.operations) == 9, "all is read back, and the root once more"
    reader = FailingStore(store.inner)
    loaded = repository.load(reader, published.digest, known=base)
    assert loaded == published == current(store.inner)
    assert sorted(reader.operations) == sorted(("get", key) for key in store.writes[:3])
    same = [address for address, entry in loaded.entries.items() if entry is base.entries[address]]
    assert len(same) == 2_999


def test_removing_one_package_of_3000_writes_three_objects(large: tuple[MemoryStore, Snapshot]) -> None:
    store = FailingStore(copy_of(large[0]))
    base = large[1]
    gone = numbered(77).address
    packages = {address: package for address, package in base.packages.items() if address != gone}
    published = repository.publish(
        store, replace(content_of(base), packages=packages), base=base, head=head_of(store.inner)
    )
    assert [key.rpartition("/")[0] for key in store.writes] == ["index/shards", "index/roots", "index"]
    assert repository.load(store, published.digest, known=base) == published == current(store.inner)


def test_a_new_revision_alone_writes_root_and_head(large: tuple[MemoryStore, Snapshot]) -> None:
    store = FailingStore(copy_of(large[0]))
    base = large[1]
    published = repository.publish(
        store, replace(content_of(base), revision="main@sha1:2"), base=base, head=head_of(store.inner)
    )
    assert store.writes == [root_key(published.digest), HEAD]
    assert repository.load(store, published.digest, known=base).packages == base.packages


def test_equal_content_writes_nothing_and_gives_the_base_back(large: tuple[MemoryStore, Snapshot]) -> None:
    store = FailingStore(large[0])
    base = large[1]
    head = head_of(large[0])
    assert repository.publish(store, content_of(base), base=base, head=head) is base
    rebuilt = content(*map(numbered, reversed(range(3_000))))
    assert repository.publish(store, rebuilt, base=base, head=head) is base
    assert repository.load(store, base.digest, known=base) is base
    assert store.operations == []


def test_a_base_of_another_snapshot_only_saves_work() -> None:
    store = MemoryStore()
    first = publish(store, content(numbered(1), numbered(2)))
    second = publish(store, content(numbered(1), numbered(3)))
    again = repository.publish(store, content_of(first), base=first, head=head_of(store))
    assert again.root.previous == second.digest
    assert current(store) == again
    assert again.packages == first.packages


def test_a_base_without_entries_is_published_all_the_same() -> None:
    store = MemoryStore()
    base = publish(store, content(numbered(1), numbered(2)))
    bare = Snapshot(digest=base.digest, root=base.root, packages=base.packages)
    wanted = content(numbered(1), numbered(2, "3.0.0"), revision="main@sha1:2")
    published = repository.publish(store, wanted, base=bare, head=head_of(store))
    assert current(store) == repository.load(store, published.digest, known=bare) == published
    assert repository.publish(store, wanted, base=replace_entries(published), head=head_of(store)).digest == (
        published.digest
    )


def replace_entries(snapshot: Snapshot) -> Snapshot:
    return Snapshot(digest=snapshot.digest, root=snapshot.root, packages=snapshot.packages)


def test_without_a_base_everything_is_stored_again() -> None:
    store = MemoryStore()
    first = publish(store, content(numbered(1), numbered(2)))
    damaged = next(iter(first.entries.values()))
    store.put(f"index/packages/{damaged.digest.hex}", b"torn")
    published = repository.publish(store, content_of(first), base=None, head=head_of(store))
    assert published.root.previous == first.digest
    assert current(store) == published


# The pointer


def test_the_epoch_grows_by_one_and_roots_name_the_one_before() -> None:
    store = MemoryStore()
    snapshots = [publish(store, content(numbered(number), revision=f"main@sha1:{number}")) for number in range(4)]
    assert head_of(store).epoch == 4
    assert [snapshot.root.previous for snapshot in snapshots] == [None, *(each.digest for each in snapshots[:-1])]


def test_only_one_of_two_writers_wins() -> None:
    store = MemoryStore()
    base = publish(store, content(numbered(1)))
    head = head_of(store)
    won = repository.publish(store, content(numbered(2)), base=base, head=head)
    with pytest.raises(PublishConflict):
        repository.publish(store, content(numbered(3)), base=base, head=head)
    with pytest.raises(PublishConflict):
        repository.publish(store, content(numbered(3)), base=None, head=None)
    assert current(store) == won


@pytest.mark.parametrize("data", [b"", b"{}", b'{"format":1,"root":"x","revision":"","epoch":1}'])
def test_a_broken_head_is_named(data: bytes) -> None:
    store = MemoryStore()
    store.put(HEAD, data)
    with pytest.raises(StorageError, match='"index/head" can\'t be used: not a document of the index'):
        repository.read_head(store)


# History


def test_history_goes_back_to_the_first() -> None:
    store = MemoryStore()
    snapshots = [publish(store, content(numbered(number), revision=f"main@sha1:{number}")) for number in range(5)]
    expected = [(snapshot.digest, snapshot.root) for snapshot in reversed(snapshots)]
    assert list(repository.history(store, head_of(store))) == expected
    assert list(repository.history(store, head_of(store), limit=2)) == expected[:2]
    assert list(repository.history(store, head_of(store), limit=0)) == []


def test_history_ends_where_a_root_is_no_longer_kept() -> None:
    store = MemoryStore()
    snapshots = [publish(store, content(numbered(number), revision=f"main@sha1:{number}")) for number in range(5)]
    store.delete(root_key(snapshots[2].digest))
    assert [digest for digest, _ in repository.history(store, head_of(store))] == [
        snapshots[4].digest,
        snapshots[3].digest,
    ]


def test_history_without_its_newest_root_is_an_error() -> None:
    store = MemoryStore()
    published = publish(store, content(numbered(1)))
    store.delete(root_key(published.digest))
    with pytest.raises(KeyMissing, match=published.digest.hex):
        list(repository.history(store, head_of(store)))


def test_history_says_which_root_is_altered() -> None:
    store = MemoryStore()
    first = publish(store, content(numbered(1)))
    publish(store, content(numbered(2)))
    store.put(root_key(first.digest), codec.encode_root(replace(first.root, revision="forged")))
    with pytest.raises(StorageError, match=f'"{root_key(first.digest)}" is torn or altered'):
        list(repository.history(store, head_of(store)))


# Documents that aren't what their name says


def documents_of(store: BlobStore) -> list[str]:
    return [key for key in store.keys("index/") if key != HEAD]


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def alter(data: bytes) -> bytes:
    return data.replace(b"main@", b"evil@").replace(b"module:team", b"module:evil").replace(b"v1.0.0", b"v1.0.1")


@pytest.mark.parametrize("damage", [cut, alter, lambda _: b""], ids=["torn", "altered", "empty"])
@pytest.mark.parametrize("jobs", [1, 4])
def test_a_damaged_document_is_named_and_nothing_is_loaded(damage: Callable[[bytes], bytes], jobs: int) -> None:
    whole = MemoryStore()
    published = publish(whole, content(*map(numbered, range(5))))
    for key in documents_of(whole):
        store = copy_of(whole)
        store.put(key, damage(whole.get(key)))
        assert store.get(key) != whole.get(key)
        with pytest.raises(StorageError, match=f'"{key}" is torn or altered'):
            repository.load(store, published.digest, jobs=jobs)
        store.delete(key)
        with pytest.raises(KeyMissing, match=f'"{key}"'):
            repository.load(store, published.digest, jobs=jobs)


def forge(store: MemoryStore, packages: int, entries: tuple[Entry, ...]) -> Sha256:
    """A tree whose digests are right and whose sense is not."""
    shard = codec.encode_shard(entries)
    store.put(shard_key(Sha256.of(shard)), shard)
    root = Root(revision="r", time="t", packages=packages, shards=(("", Sha256.of(shard)),))
    data = codec.encode_root(root)
    store.put(root_key(Sha256.of(data)), data)
    return Sha256.of(data)


def test_a_root_that_counts_wrongly_is_refused() -> None:
    store = MemoryStore()
    with pytest.raises(StorageError, match="counts 2 packages, its shards list 0"):
        repository.load(store, forge(store, 2, ()))


def test_a_document_of_another_package_is_refused() -> None:
    store = MemoryStore()
    published = publish(store, content(numbered(1)))
    (entry,) = published.entries.values()
    with pytest.raises(StorageError, match='is "module:team-1/m1/aws", not "module:platform/vpc/aws"'):
        repository.load(store, forge(store, 1, (replace(entry, address=VPC),)))


def test_a_document_of_another_kind_is_refused() -> None:
    store = MemoryStore()
    published = publish(store, content(numbered(1)))
    data = store.get(root_key(published.digest))
    store.put(f"index/packages/{published.digest.hex}", data)
    with pytest.raises(StorageError, match=f'"index/packages/{published.digest.hex}" can\'t be used'):
        repository.load(store, forge(store, 1, (Entry(address=VPC, digest=published.digest),)))


# Crashes

OLD = content(numbered(1), numbered(2), numbered(3))
NEW = replace(
    content(numbered(1), numbered(2, "1.0.0", "2.0.0"), numbered(4), revision="main@sha1:2"),
    namespaces=(Namespace(name="team-1"),),
)
Stores = Callable[[Path], BlobStore]


def operations_of(wanted: Content, before: Content | None) -> int:
    store = MemoryStore()
    if before:
        publish(store, before)
    counting = FailingStore(store)
    publish(counting, wanted)
    return len(counting.operations)


def packages_of(snapshot: Snapshot | None) -> dict[PackageAddress, object] | None:
    return None if snapshot is None else dict(snapshot.packages)


@pytest.mark.parametrize("make", [lambda _: MemoryStore(), FilesystemStore], ids=["memory", "filesystem"])
@pytest.mark.parametrize("before", [None, OLD], ids=["first", "next"])
@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize("after", [False, True], ids=["before it", "after it"])
def test_death_at_any_operation_leaves_a_whole_snapshot_and_the_next_run_finishes(
    tmp_path: Path, make: Stores, before: Content | None, jobs: int, *, after: bool
) -> None:
    count = operations_of(NEW, before)
    seen = set()
    for fail_at in range(1, count + 1):
        store = make(tmp_path / str(fail_at))
        if before:
            publish(store, before)
        old = current(store)
        dying = FailingStore(store, fail_at, after=after, error=Died)
        with pytest.raises(Died):
            publish(dying, NEW, jobs=jobs)
        left = current(store)
        assert packages_of(left) in (packages_of(old), dict(NEW.packages))
        seen.add(left is not None and left.packages == NEW.packages)
        finished = publish(store, NEW)
        assert current(store) == finished
        assert finished.packages == NEW.packages
    assert seen == {False, True}


def test_a_store_that_fails_is_an_error_of_the_store() -> None:
    for fail_at in range(1, operations_of(NEW, OLD) + 1):
        store = MemoryStore()
        publish(store, OLD)
        with pytest.raises(StorageError, match="the store is gone"):
            publish(FailingStore(store, fail_at), NEW)


def test_the_head_is_the_last_thing_written() -> None:
    store = FailingStore(MemoryStore())
    publish(store, OLD, jobs=4)
    assert store.writes[-1] == HEAD
    assert store.writes.count(HEAD) == 1
    assert set(store.writes[:-1]) == set(documents_of(store.inner))
