"""Packages are read and decoded when they are asked for; what was decoded goes again, what was read stays."""

import gc
from dataclasses import replace

import pytest

from gitopsreg.errors import KeyMissing, StorageError
from gitopsreg.index import repository
from gitopsreg.index.changed import Changed
from gitopsreg.index.keys import package_key
from gitopsreg.index.model import ModulePackage, Snapshot
from gitopsreg.index.packages import Packages, Recent
from gitopsreg.index.repository import Content
from gitopsreg.model.address import ModuleAddress
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_module
from tests.fakes import FailingStore
from tests.index.published import publish

NAMES = [ModuleAddress("team", f"m{number}", "aws") for number in range(5)]


def a_store() -> tuple[FailingStore, Snapshot]:
    """A store that tells what is read, and its snapshot with nothing read but root and shard."""
    store = MemoryStore()
    published = publish(store, *(a_module("1.0.0", address=name) for name in NAMES))
    reader = FailingStore(store)
    return reader, repository.load(reader, published.digest, ahead=0)


def documents_read(reader: FailingStore) -> list[str]:
    return [key for _, key in reader.operations if key.startswith("index/packages/")]


def packages_of(snapshot: Snapshot) -> Packages:
    assert isinstance(snapshot.packages, Packages)
    return snapshot.packages


def test_a_document_is_read_once_and_only_when_it_is_asked_for() -> None:
    reader, snapshot = a_store()
    assert len(snapshot.packages) == 5
    assert list(snapshot.packages) == NAMES
    assert NAMES[0] in snapshot.packages
    assert documents_read(reader) == []
    for _ in range(2):
        assert snapshot.packages[NAMES[3]] == a_module("1.0.0", address=NAMES[3])
    assert documents_read(reader) == [package_key(snapshot.entries[NAMES[3]].digest)]
    assert list(snapshot.packages.values()) == [a_module("1.0.0", address=name) for name in NAMES]
    assert len(documents_read(reader)) == 5


def test_so_many_are_read_ahead_and_no_more() -> None:
    reader, snapshot = a_store()
    for ahead, read in ((4, 0), (5, 5), (None, 5)):
        reader.operations.clear()
        repository.load(reader, snapshot.digest, ahead=ahead)
        assert len(documents_read(reader)) == read


def test_a_package_that_is_not_there_reads_nothing() -> None:
    reader, snapshot = a_store()
    stranger = ModuleAddress("team", "nobody", "aws")
    assert stranger not in snapshot.packages
    assert snapshot.packages.get(stranger) is None
    with pytest.raises(KeyError):
        snapshot.entries[stranger]
    assert documents_read(reader) == []


def test_going_through_all_keeps_none_decoded() -> None:
    _, snapshot = a_store()
    gc.collect()
    before = _decoded()
    assert sum(len(package.versions) for package in snapshot.packages.values()) == 5
    assert [address for address, _ in snapshot.packages.items()] == NAMES
    gc.collect()
    assert _decoded() == before


def _decoded() -> int:
    return sum(isinstance(each, ModulePackage) for each in gc.get_objects())


def test_what_was_decoded_last_stays_within_bounds() -> None:
    recent = Recent(budget=10)
    digests = [Sha256.of(b"%d" % number) for number in range(4)]
    recent.keep(digests[0], a_module(), 5)
    recent.keep(digests[1], a_module(), 5)
    assert recent.find(digests[0]) is not None
    recent.keep(digests[2], a_module(), 5)
    recent.keep(digests[3], a_module(), 11)
    assert [recent.find(digest) is not None for digest in digests] == [True, False, True, False]


def test_a_document_that_is_damaged_costs_its_own_package_until_it_is_mended() -> None:
    reader, snapshot = a_store()
    key = package_key(snapshot.entries[NAMES[1]].digest)
    whole = reader.inner.get(key)
    reader.inner.put(key, whole[:-1])
    with pytest.raises(StorageError, match=f'"{key}" is torn or altered'):
        snapshot.packages[NAMES[1]]
    reader.inner.delete(key)
    with pytest.raises(KeyMissing, match=key):
        snapshot.packages[NAMES[1]]
    assert snapshot.packages[NAMES[2]].address == NAMES[2]
    reader.inner.put(key, whole)
    assert snapshot.packages[NAMES[1]].address == NAMES[1]


def test_what_was_read_of_one_snapshot_is_there_in_the_next() -> None:
    reader, first = a_store()
    assert NAMES[0] == first.packages[NAMES[0]].address
    grown = a_module("1.0.0", "1.1.0", address=NAMES[4])
    publish(reader.inner, *(a_module("1.0.0", address=name) for name in NAMES[:4]), grown)
    head = repository.read_head(reader.inner)
    assert head is not None
    second = repository.load(reader, head.root, known=first, ahead=0)
    reader.operations.clear()
    assert second.packages[NAMES[4]] == grown
    assert second.packages[NAMES[0]] == a_module("1.0.0", address=NAMES[0])
    assert documents_read(reader) == [package_key(second.entries[NAMES[4]].digest)]
    # What is read for the one is read for the other.
    assert NAMES[1] == first.packages[NAMES[1]].address
    reader.operations.clear()
    assert second.packages[NAMES[1]].address == NAMES[1]
    assert documents_read(reader) == []


def test_a_look_up_is_quick_once_it_asks_no_store_and_decodes_little() -> None:
    store = MemoryStore()
    large = a_module(*(f"1.0.{number}" for number in range(300)), address=NAMES[1])
    published = publish(store, a_module("1.0.0", address=NAMES[0]), large)
    packages = packages_of(repository.load(store, published.digest, ahead=0))
    assert [packages.is_quick(name) for name in NAMES[:3]] == [False, False, True]
    packages.fill()
    assert [packages.is_quick(name) for name in NAMES[:3]] == [True, False, True]
    assert packages[NAMES[1]] == large
    assert packages.is_quick(NAMES[1])


# Publishing what changed


def content(snapshot: Snapshot, *given: ModulePackage) -> Content:
    packages = Changed(snapshot.packages, {package.address: package for package in given})
    return Content(revision="r", time="2026-01-01T00:00:00Z", hostname=None, namespaces=(), packages=packages)


def test_what_is_not_given_is_neither_read_nor_written() -> None:
    reader, base = a_store()
    newcomer = a_module("1.0.0", address=ModuleAddress("a-team", "new", "aws"))
    same, grown = (a_module(*versions, address=NAMES[0]) for versions in (("1.0.0",), ("1.0.0", "2.0.0")))
    head = repository.read_head(reader.inner)
    published = repository.publish(reader, content(base, newcomer, grown), base=base, head=head)
    wanted = [package_key(published.entries[each.address].digest) for each in (newcomer, grown)]
    assert sorted(set(documents_read(reader))) == sorted(wanted)
    assert len(reader.writes) == 5  # two packages, their shard, the root, the head
    assert repository.load(reader.inner, published.digest) == published
    assert list(published.packages) == [newcomer.address, *NAMES]
    head = repository.read_head(reader.inner)
    reader.operations.clear()
    assert repository.publish(reader, content(published, grown), base=published, head=head) is not None
    assert documents_read(reader) == []
    again = replace(content(published, replace(same, versions=grown.versions)), revision="s")
    assert repository.publish(reader, again, base=published, head=repository.read_head(reader.inner)) != published
    assert documents_read(reader) == []


def test_changed_packages_are_all_of_them() -> None:
    _, base = a_store()
    newcomer = a_module("1.0.0", address=ModuleAddress("a-team", "new", "aws"))
    grown = a_module("1.0.0", "2.0.0", address=NAMES[0])
    packages = Changed(base.packages, {each.address: each for each in (newcomer, grown)})
    assert dict(packages) == {**dict(base.packages), newcomer.address: newcomer, grown.address: grown}
    assert len(packages) == 6
    assert (NAMES[0] in packages, newcomer.address in packages, ModuleAddress("x", "y", "z") in packages) == (
        True,
        True,
        False,
    )
