"""The pointer's own words: a hold stops publishes, a fence shuts out who was succeeded, a rollback forgets nothing."""

from dataclasses import replace
from random import Random

import pytest

from gitopsreg.errors import LostLease, PublishConflict, PublishHeld, StorageError
from gitopsreg.index import codec, holding, repository
from gitopsreg.index.census import census
from gitopsreg.index.head import Head, move_head
from gitopsreg.index.keys import HEAD, root_key, shard_key
from gitopsreg.index.model import Package, Snapshot
from gitopsreg.index.pointer import Hold, Pointer
from gitopsreg.index.repository import Content
from gitopsreg.model.address import PackageAddress
from gitopsreg.storage.base import BlobStore, Token
from gitopsreg.storage.memory import MemoryStore
from tests.builders import VPC, a_module

NOW, LATER = "2026-11-01T12:00:00Z", "2026-11-01T16:00:00Z"
HOLD = Hold(since=NOW, by="ops@host", reason="2.0.0 breaks plans")


def content(*versions: str) -> Content:
    packages: dict[PackageAddress, Package] = {VPC: a_module(*versions)}
    revision = f"main@{versions[-1]}"
    return Content(revision=revision, time=NOW, hostname=None, namespaces=(), packages=packages)


def head_of(store: BlobStore) -> Head:
    head = repository.read_head(store)
    assert head is not None
    return head


def publish(store: BlobStore, *versions: str, fence: int = 0, now: str = NOW) -> Snapshot:
    head = repository.read_head(store)
    base = repository.load(store, head.newest) if head else None
    return repository.publish(store, content(*versions), base=base, head=head, fence=fence, now=now)


def served(store: BlobStore) -> Snapshot:
    return repository.load(store, head_of(store).root)


def chain(store: BlobStore) -> list[str]:
    return [root.revision for _, root in repository.history(store, head_of(store))]


def test_nothing_is_published_while_a_hold_is_in_force() -> None:
    store = MemoryStore()
    first = publish(store, "1.0.0")
    holding.hold(store, head_of(store), HOLD, fence=0)
    with pytest.raises(PublishHeld, match="by ops@host, until it is released: 2"):
        publish(store, "1.0.0", "1.1.0")
    assert served(store) == first
    holding.release(store, head_of(store), fence=0)
    assert publish(store, "1.0.0", "1.1.0") == served(store)


def test_a_hold_that_has_ended_counts_as_none() -> None:
    store = MemoryStore()
    publish(store, "1.0.0")
    holding.hold(store, head_of(store), replace(HOLD, until=LATER), fence=0)
    with pytest.raises(PublishHeld, match=f"until {LATER}"):
        publish(store, "1.0.0", "1.1.0")
    publish(store, "1.0.0", "1.1.0", now=LATER)
    assert head_of(store).hold is None


def test_without_a_clock_every_hold_is_in_force() -> None:
    store = MemoryStore()
    publish(store, "1.0.0")
    holding.hold(store, head_of(store), replace(HOLD, until=LATER), fence=0)
    with pytest.raises(PublishHeld):
        publish(store, "1.0.0", "1.1.0", now="")


def test_every_change_of_the_pointer_has_an_epoch_of_its_own() -> None:
    store = MemoryStore()
    first = publish(store, "1.0.0")
    publish(store, "1.0.0", "1.1.0")
    holding.hold(store, head_of(store), HOLD, fence=0)
    holding.serve(store, head_of(store), first, HOLD, fence=0)
    holding.release(store, head_of(store), fence=0)
    publish(store, "1.0.0", "1.1.0")
    assert head_of(store).epoch == 6


def test_a_rollback_moves_what_is_served_and_not_what_is_built_on() -> None:
    store = MemoryStore()
    first, second = publish(store, "1.0.0"), publish(store, "1.0.0", "1.1.0")
    holding.serve(store, head_of(store), first, HOLD, fence=0)
    head = head_of(store)
    assert (head.root, head.newest, head.revision) == (first.digest, second.digest, "main@1.0.0")
    assert chain(store) == ["main@1.1.0", "main@1.0.0"]
    holding.release(store, head, fence=0)
    third = publish(store, "1.0.0", "1.1.0", "1.2.0")
    assert served(store) == third
    assert third.root.previous == second.digest
    assert (head_of(store).ledger, head_of(store).hold) == (None, None)
    assert chain(store) == ["main@1.2.0", "main@1.1.0", "main@1.0.0"]


def test_after_a_rollback_the_same_content_is_served_again_without_a_new_root() -> None:
    store = MemoryStore()
    first, second = publish(store, "1.0.0"), publish(store, "1.0.0", "1.1.0")
    holding.serve(store, head_of(store), first, HOLD, fence=0)
    holding.release(store, head_of(store), fence=0)
    keys = list(store.keys(""))
    assert publish(store, "1.0.0", "1.1.0").digest == second.digest
    assert served(store) == second
    assert list(store.keys("")) == keys


def test_a_rollback_to_the_newest_is_only_a_hold() -> None:
    store = MemoryStore()
    first, second = publish(store, "1.0.0"), publish(store, "1.0.0", "1.1.0")
    holding.serve(store, head_of(store), first, HOLD, fence=0)
    holding.serve(store, head_of(store), second, HOLD, fence=0)
    head = head_of(store)
    assert (head.root, head.ledger, head.hold) == (second.digest, None, HOLD)


@pytest.mark.parametrize("seed", range(20))
def test_no_order_of_events_loses_a_published_version(seed: int) -> None:
    chance, store = Random(seed), MemoryStore()
    versions = ["0.1.0"]
    snapshots = [publish(store, *versions)]
    for number in range(1, 30):
        head = head_of(store)
        match chance.choice(["publish", "roll back", "hold", "release"]):
            case "roll back":
                holding.serve(store, head, chance.choice(snapshots), HOLD, fence=0)
            case "hold":
                holding.hold(store, head, HOLD, fence=0)
            case "release":
                holding.release(store, head, fence=0)
            case _ if head.hold is None:
                versions.append(f"0.1.{number}")
                snapshots.append(publish(store, *versions))
        ledger = repository.load(store, head_of(store).newest).packages[VPC]
        assert [version.version.text for version in ledger.versions] == versions
    assert [digest for digest, _ in repository.history(store, head_of(store))] == [
        snapshot.digest for snapshot in reversed(snapshots)
    ]


# Fence


def test_who_was_succeeded_publishes_nothing_more() -> None:
    store = MemoryStore()
    publish(store, "1.0.0", fence=4)
    publish(store, "1.0.0", "1.1.0", fence=6)
    with pytest.raises(LostLease, match="under lease 6, ours is 5") as lost:
        publish(store, "1.0.0", "1.2.0", fence=5)
    assert lost.value.taken
    with pytest.raises(LostLease):
        holding.hold(store, head_of(store), HOLD, fence=5)
    assert publish(store, "1.0.0", "1.1.0", fence=6) == served(store), "the same one goes on"


# Stores that lie


class Forgetful(MemoryStore):
    """Says that it stored the pointer, and did not."""

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        return Token("new") if key == HEAD else super().replace(key, data, expected=expected)


def test_a_pointer_that_reads_back_as_the_old_one_is_told() -> None:
    store = MemoryStore()
    publish(store, "1.0.0")
    lying = Forgetful()
    for key in store.keys(""):
        lying.put(key, store.get(key))
    with pytest.raises(StorageError, match="reads back as another one"):
        publish(lying, "1.0.0", "1.1.0")


def test_a_root_that_can_not_be_read_back_is_told() -> None:
    store = MemoryStore()
    published = publish(store, "1.0.0")
    store.put(root_key(published.digest), b"torn")
    with pytest.raises(StorageError, match="torn or altered"):
        holding.hold(store, head_of(store), HOLD, fence=0)


def test_a_pointer_that_was_moved_on_meanwhile_is_no_lie() -> None:
    class Busy(MemoryStore):
        def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
            token = super().replace(key, data, expected=expected)
            pointer = codec.decode_head(data)
            super().put(HEAD, codec.encode_head(replace(pointer, epoch=pointer.epoch + 1)))
            return token

    assert publish(Busy(), "1.0.0").root.revision == "main@1.0.0"


def test_a_pointer_that_has_moved_is_a_conflict() -> None:
    store = MemoryStore()
    publish(store, "1.0.0")
    old = head_of(store)
    publish(store, "1.0.0", "1.1.0")
    with pytest.raises(PublishConflict):
        holding.hold(store, old, HOLD, fence=0)
    with pytest.raises(PublishConflict):
        move_head(store, Pointer(root=old.root, revision="", epoch=1), head=None)


# Census


def test_archived_packages_are_not_counted() -> None:
    store = MemoryStore()
    first = publish(store, "1.0.0")
    packages: dict[PackageAddress, Package] = {VPC: a_module("1.0.0", archived=NOW)}
    second = repository.publish(
        store, replace(content("1.1.0"), packages=packages), base=first, head=head_of(store), now=NOW
    )
    assert list(census(store, [second.root, first.root])) == [0, 1]
    store.delete(shard_key(first.root.shards[0][1]))
    assert list(census(store, [second.root, first.root])) == [0, None]
