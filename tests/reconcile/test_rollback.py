"""Holds and rollbacks around real runs: nothing newer is served meanwhile, and nothing that was published is lost."""

from datetime import timedelta
from pathlib import Path

import pytest

from gitopsreg.errors import Blocked, InvalidName, NotPublished, StorageError
from gitopsreg.index import holding
from gitopsreg.index.head import Head, read_head
from gitopsreg.index.model import ModulePackage
from gitopsreg.index.pointer import Hold
from gitopsreg.index.repository import history
from gitopsreg.index.status_store import read_status
from gitopsreg.model.digest import Sha256
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.rollback import find, roll_back
from tests.fakes import FailingStore
from tests.reconcile.fakes import FakeUpstream
from tests.reconcile.world import NAMING, REMOTE, World, module_file, remote_file

BLOCKING = 'versions:\n  blocked: [{version: "1.0.0", reason: leaked key}]\n'


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def head_of(world: World) -> Head:
    head = read_head(world.store)
    assert head is not None
    return head


def a_hold(world: World, **changes: str) -> Hold:
    return Hold(**({"since": stamp(world.now), "by": "ops@host", "reason": "2.0.0 breaks plans"} | changes))


def hold(world: World, **changes: str) -> None:
    with world.lease(world.store).held() as lease:
        holding.hold(world.store, head_of(world), a_hold(world, **changes), fence=lease.epoch)


def release(world: World) -> None:
    with world.lease(world.store).held() as lease:
        holding.release(world.store, head_of(world), fence=lease.epoch)


def back_to(world: World, wanted: str = "previous", *, serve_blocked: bool = False, **changes: str) -> None:
    stores = {**world.backends, "": world.store}
    with world.lease(world.store).held() as lease:
        head = head_of(world)
        target = find(world.store, head, wanted)
        roll_back(stores, head, target, a_hold(world, **changes), lease, serve_blocked=serve_blocked)


def conditions(world: World) -> dict[str, tuple[str, str]]:
    return {item.type: (item.reason, item.message) for item in read_status(world.store).conditions}


# Holds


def test_while_a_hold_is_in_force_runs_compute_and_publish_nothing(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    first = world.run()
    hold(world)
    head = world.commit(module_file("naming", "1.0.0", "1.1.0"))
    counting = FailingStore(world.store)
    outcome = world.run(counting)
    assert outcome.blocked.startswith("on hold since 2026-11-01T12:00:00Z by ops@host, until it is released")
    assert outcome.plan.has_changes
    assert (outcome.published, outcome.snapshot, outcome.status.applied_revision) == (
        False,
        first.snapshot,
        first.revision,
    )
    assert outcome.status.attempted_revision == f"main@sha1:{head}"
    assert {key.partition("/")[0] for key in counting.writes} == {"lease", "status"}
    reason, message = conditions(world)["PublishBlocked"]
    assert reason == "Held"
    assert "2.0.0 breaks plans" in message
    assert '"gitopsreg release" ends it' in message
    assert world.listed(NAMING) == ["1.0.0"]


def test_release_opens_the_gate_at_the_next_tick(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    reconciler = world.reconciler()
    reconciler.run()
    hold(world)
    world.commit(module_file("naming", "1.0.0", "1.1.0"))
    held = reconciler.tick()
    assert held is not None
    assert held.blocked
    world.pass_time(timedelta(hours=1))
    assert reconciler.tick() is None, "a held registry does not spin"
    release(world)
    assert reconciler.tick() is not None
    assert world.listed(NAMING) == ["1.0.0", "1.1.0"]
    assert "PublishBlocked" not in conditions(world)


def test_a_hold_with_an_end_opens_the_gate_by_itself(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    reconciler = world.reconciler()
    reconciler.run()
    until = stamp(world.now + timedelta(hours=4))
    hold(world, until=until)
    world.commit(module_file("naming", "1.0.0", "1.1.0"))
    held = reconciler.tick()
    assert held is not None
    assert held.status.next_attempt == until, "the loop is woken then"
    world.pass_time(timedelta(hours=3, minutes=59))
    assert reconciler.tick() is None
    world.pass_time(timedelta(minutes=1))
    opened = reconciler.tick()
    assert opened is not None
    assert (opened.published, opened.blocked) == (True, "")
    assert reconciler.tick() is None


def test_a_hold_that_was_set_meanwhile_stops_the_publish(world: World) -> None:
    class Meanwhile(FailingStore):
        """A person sets a hold while the run fetches."""

        def put(self, key: str, data: object) -> None:
            if key.startswith("blobs/") and not head_of(world).hold:
                head = head_of(world)
                holding.hold(world.store, head, a_hold(world), fence=head.fence)
            super().put(key, data)  # type: ignore[arg-type]

    world.commit(module_file("naming", "1.0.0"))
    world.run()
    world.commit(module_file("naming", "1.0.0", "1.1.0"))
    assert world.run(Meanwhile(world.store)).blocked.startswith("on hold")
    assert world.listed(NAMING) == ["1.0.0"]


# Rollbacks


def test_an_older_snapshot_is_served_until_release(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    first = world.run()
    world.commit(module_file("naming", "1.0.0", "1.1.0"))
    reconciler = world.reconciler()
    second = reconciler.run()
    back_to(world)
    assert world.listed(NAMING) == ["1.0.0"]
    held = reconciler.tick()
    assert held is not None
    assert (held.snapshot, held.published) == (first.snapshot, False)
    assert not held.plan.has_changes, "measured by the newest, not by what is served"
    assert conditions(world)["Published"][1] == f"{first.snapshot} goes on being served"
    release(world)
    assert world.listed(NAMING) == ["1.0.0"], "until the next run"
    back = reconciler.tick()
    assert back is not None
    assert (back.snapshot, back.published) == (second.snapshot, True)
    assert world.listed(NAMING) == ["1.0.0", "1.1.0"]
    assert reconciler.tick() is None


def test_a_rollback_with_an_end_is_undone_by_itself(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    world.run()
    world.commit(module_file("naming", "1.0.0", "1.1.0"))
    world.run()
    back_to(world, until=stamp(world.now + timedelta(hours=4)))
    world.run()
    assert world.listed(NAMING) == ["1.0.0"]
    world.pass_time(timedelta(hours=4))
    world.run()
    assert world.listed(NAMING) == ["1.0.0", "1.1.0"]


def test_the_ledger_never_loses_a_version(world: World) -> None:
    """What was published and rolled back keeps its first bytes, whatever the upstream does meanwhile."""
    world.upstreams[REMOTE] = upstream = FakeUpstream({"1.0.0": b"one"})
    world.commit(remote_file())
    world.run()
    upstream.content["1.1.0"] = b"first bytes"
    second = world.run()
    back_to(world)
    upstream.content["1.1.0"] = b"other bytes"
    upstream.content["1.2.0"] = b"three"
    world.run()
    assert world.listed(REMOTE) == ["1.0.0"]
    release(world)
    third = world.run()
    assert world.listed(REMOTE) == ["1.0.0", "1.1.0", "1.2.0"]
    snapshot = world.snapshot()
    assert snapshot is not None
    package = snapshot.packages[REMOTE]
    assert isinstance(package, ModulePackage)
    assert package.versions[1].archive.sha256 == Sha256.of(b"first bytes")
    assert snapshot.root.previous is not None
    assert (snapshot.digest.hex, snapshot.root.previous.hex) == (third.snapshot, second.snapshot)
    assert world.reasons(REMOTE) == {"Ready": "Succeeded", "UpstreamMutated": "TagMoved"}
    assert upstream.fetched == ["1.0.0", "1.1.0", "1.2.0"]


@pytest.mark.parametrize("way", ["commit", "revert"])
def test_after_a_rollback_the_catalog_decides(world: World, way: str) -> None:
    world.commit(module_file("naming", "1.0.0"))
    world.run()
    world.commit(module_file("naming", "1.0.0", "1.1.0"))
    world.run()
    back_to(world)
    if way == "revert":
        world.revert()
    else:
        world.commit(module_file("naming", "1.0.0", "1.1.0", "1.2.0"))
    release(world)
    world.run()
    assert world.listed(NAMING) == (["1.0.0"] if way == "revert" else ["1.0.0", "1.1.0", "1.2.0"])
    revisions = [root.revision for _, root in history(world.store, head_of(world))]
    assert len(revisions) == len(set(revisions)) == 3


@pytest.fixture
def published(world: World) -> tuple[World, list[str]]:
    """Three snapshots, newest first."""
    for number in range(1, 4):
        world.commit(module_file("naming", *(f"1.{minor}.0" for minor in range(number))))
        world.run()
    return world, [digest.hex for digest, _ in history(world.store, head_of(world))]


def test_snapshots_are_found_by_their_first_digits(published: tuple[World, list[str]]) -> None:
    world, (newest, second, first) = published
    head = head_of(world)
    assert find(world.store, head, "previous").hex == second
    assert find(world.store, head, first[:8]).hex == first
    assert find(world.store, head, f"sha256:{newest}").hex == newest
    back_to(world)
    assert find(world.store, head_of(world), "previous").hex == first
    assert find(world.store, head_of(world), newest[:12]).hex == newest, "also the one that was rolled back"
    back_to(world)
    with pytest.raises(NotPublished, match="nothing was published before"):
        find(world.store, head_of(world), "previous")


@pytest.mark.parametrize("wanted", ["", "latest", "3f9c0a1", "x" * 12, "a" * 65, "../../etc", "3F9C0A1B2C"])
def test_what_names_no_snapshot_is_refused(published: tuple[World, list[str]], wanted: str) -> None:
    world, _ = published
    with pytest.raises(InvalidName, match="names no snapshot"):
        find(world.store, head_of(world), wanted)


def test_an_unknown_snapshot_is_refused(published: tuple[World, list[str]]) -> None:
    world, (newest, _, _) = published
    unknown = ("0" if newest[0] != "0" else "1") + newest[1:8]
    with pytest.raises(NotPublished, match="no snapshot that is kept"):
        find(world.store, head_of(world), unknown)


@pytest.mark.parametrize("data", [None, b"short"])
def test_a_snapshot_that_is_not_whole_is_not_served(published: tuple[World, list[str]], data: bytes | None) -> None:
    world, (newest, _, _) = published
    for key in list(world.store.keys("blobs/")):
        world.store.delete(key)
        if data is not None:
            world.store.put(key, data)
    with pytest.raises(StorageError, match="can't be served whole"):
        back_to(world)
    assert (head_of(world).root.hex, head_of(world).hold) == (newest, None)


def test_what_was_blocked_since_is_not_served_again_unless_asked_for(world: World) -> None:
    world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"leaked", "1.1.0": b"clean"})
    world.commit(remote_file())
    world.run()
    world.commit(remote_file(more=BLOCKING))
    world.run()
    with pytest.raises(Blocked, match=r'"module:acme/remote/generic" 1.0.0, which was blocked since \(leaked key\)'):
        back_to(world)
    assert world.listed(REMOTE) == ["1.1.0"]
    back_to(world, serve_blocked=True)
    assert world.listed(REMOTE) == ["1.0.0", "1.1.0"]
