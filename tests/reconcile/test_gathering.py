"""Packages of an upstream that has many: one look for all of them, and only what moved is read."""

from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from gitopsreg.cli.tell import exit_code
from gitopsreg.index import repository
from gitopsreg.index.head import move_head
from gitopsreg.index.status import UpstreamStatus
from gitopsreg.index.status_store import read_summary
from gitopsreg.model.address import ModuleAddress
from tests.faults import FaultyStore
from tests.reconcile.fakes import FakeUpstream, unavailable
from tests.reconcile.world import REMOTE, World, gathered_file, remote_file

ONE, TWO = ModuleAddress("acme", "one", "generic"), ModuleAddress("acme", "two", "generic")
INTERVAL = timedelta(minutes=17)  # longer than the default with its jitter


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.upstreams[ONE] = FakeUpstream({"1.0.0": b"one"})
    made.upstreams[TWO] = FakeUpstream({"1.0.0": b"two"})
    made.commit(gathered_file("one"), gathered_file("two"))
    return made


def move(world: World, address: ModuleAddress, version: str) -> None:
    world.upstreams[address].content[version] = version.encode()
    world.gathering.commit = version.replace(".", "0").ljust(40, "0")


def upstream_status(world: World) -> UpstreamStatus:
    (status,) = read_summary(world.store).upstreams
    return status


def test_one_look_is_enough_for_all(world: World) -> None:
    outcome = world.run()
    assert outcome.packages == 2
    assert (world.gathering.looks, len(world.gathering.parsed)) == (1, 2)
    assert upstream_status(world).state == world.gathering.commit
    assert [world.status(each).next_attempt for each in (ONE, TWO)] == ["", ""]


def test_nothing_is_read_while_it_has_not_moved(world: World) -> None:
    world.run()
    assert not world.run().published
    assert (world.gathering.looks, len(world.gathering.parsed)) == (2, 2)


def test_only_the_package_that_moved_is_read(world: World) -> None:
    world.run()
    move(world, TWO, "1.1.0")
    assert world.run().published
    assert world.gathering.parsed[2:] == [str(TWO)]
    assert world.listed(TWO) == ["1.0.0", "1.1.0"]


def test_a_watcher_looks_when_it_is_time_and_not_before(world: World) -> None:
    reconciler = world.reconciler()
    reconciler.run()
    assert reconciler.tick() is None
    move(world, ONE, "2.0.0")
    world.pass_time(timedelta(minutes=5))
    assert reconciler.tick() is None
    world.pass_time(INTERVAL)
    outcome = reconciler.tick()
    assert outcome is not None
    assert outcome.published
    assert world.listed(ONE) == ["1.0.0", "2.0.0"]
    assert reconciler.tick() is None


def test_a_look_that_tells_nothing_new_writes_one_small_document(world: World) -> None:
    reconciler = world.reconciler(store := FaultyStore(world.store))
    reconciler.run()
    world.pass_time(INTERVAL)
    done = len(store.operations)
    reconciler.tick()
    written = {key for name, key in store.operations[done:] if name == "put"}
    assert written == {"status/registry"}


def test_a_changed_declaration_is_read_without_a_look(world: World) -> None:
    reconciler = world.reconciler()
    reconciler.run()
    world.commit(gathered_file("two", "description: two of them\n"))
    outcome = reconciler.tick()
    assert outcome is not None
    assert outcome.published
    assert world.gathering.looks == 1
    assert world.gathering.parsed[2:] == [str(TWO)]


def test_what_is_published_and_then_declared_is_there_at_once(world: World) -> None:
    watcher = world.reconciler()
    watcher.run()
    new = ModuleAddress("acme", "new", "generic")
    world.upstreams[new] = FakeUpstream({"1.0.0": b"new"})
    world.gathering.commit = "2" * 40
    world.commit(gathered_file("one", "description: other\n"))
    watcher.tick()
    assert world.gathering.looks == 1  # what is asked for is there
    world.commit(gathered_file("new"))
    watcher.tick()
    assert world.gathering.looks == 2
    assert world.listed(new) == ["1.0.0"]
    assert upstream_status(world).state == "2" * 40


def test_a_shorter_interval_counts_from_the_last_look(world: World) -> None:
    rare, often = (
        [gathered_file(name, f"interval: {interval}") for name in ("one", "two")] for interval in ("24h", "5m")
    )
    world.commit(*rare)
    reconciler = world.reconciler()
    reconciler.run()
    world.commit(*often)
    reconciler.tick()
    move(world, TWO, "1.1.0")
    world.pass_time(timedelta(minutes=10))
    reconciler.tick()
    assert world.listed(TWO) == ["1.0.0", "1.1.0"]


def test_a_clock_that_went_back_wakes_a_watcher(world: World) -> None:
    reconciler = world.reconciler()
    world.pass_time(timedelta(days=365))
    reconciler.run()
    world.pass_time(timedelta(days=-364))
    move(world, TWO, "1.1.0")
    assert reconciler.tick() is not None
    assert world.listed(TWO) == ["1.0.0", "1.1.0"]


def test_out_of_reach_it_takes_nothing_away_and_is_tried_again(world: World) -> None:
    reconciler = world.reconciler()
    reconciler.run()
    world.gathering.down = unavailable()
    outcome = reconciler.run()
    assert not outcome.published
    assert exit_code(outcome) == 1
    assert world.listed(ONE) == ["1.0.0"]
    assert upstream_status(world).condition.reason == "Timeout"
    assert upstream_status(world).attempts == 1
    assert world.reasons(ONE) == {"Ready": "Succeeded"}

    move(world, ONE, "1.1.0")
    world.gathering.down = None
    world.pass_time(timedelta(seconds=5))
    assert reconciler.tick() is not None
    assert world.listed(ONE) == ["1.0.0", "1.1.0"]
    assert upstream_status(world).condition.status == "True"


def test_a_new_package_says_that_its_upstream_is_out_of_reach(world: World) -> None:
    world.gathering.down = unavailable()
    outcome = world.run()
    assert {item.address for item in outcome.failed} == {ONE, TWO}
    assert world.reasons(ONE)["FetchFailed"] == "Timeout"
    assert world.gathering.looks == 1


def test_a_slow_look_keeps_nobody_waiting(world: World) -> None:
    world.gathering.gate = Event()
    reconciler = world.reconciler()
    woken = Event()
    reconciler.hurry(0.05, woken.set)
    outcome = reconciler.run()
    assert outcome.packages == 0
    assert world.reasons(ONE)["Ready"] == "Progressing"
    world.gathering.gate.set()
    assert woken.wait(10)
    later = reconciler.tick()
    assert later is not None
    assert later.packages == 2
    assert world.gathering.looks == 1


def test_another_process_reads_what_it_did_not_see(world: World) -> None:
    """What somebody else published meanwhile counts, and not what this process remembers."""
    first, second = world.reconciler(), world.reconciler()
    first.run()
    second.run()
    move(world, ONE, "1.1.0")
    assert second.run().published
    world.commit(gathered_file("two", "description: two of them\n"))
    assert first.tick() is not None
    assert world.listed(ONE) == ["1.0.0", "1.1.0"]


class TestAtRest:
    """A process that runs once knows by the commits that nothing can have changed."""

    def test_no_declaration_is_read(self, world: World) -> None:
        first = world.reconciler().run_once()
        assert first.published
        outcome = world.reconciler().run_once()
        assert (outcome.published, outcome.packages, outcome.revision) == (False, 2, first.revision)
        assert outcome.loaded.files == 0
        assert world.gathering.looks == 2

    def test_a_commit_wakes_it(self, world: World) -> None:
        world.reconciler().run_once()
        world.commit(gathered_file("two", "description: two of them\n"))
        assert world.reconciler().run_once().published

    def test_an_upstream_that_moved_wakes_it(self, world: World) -> None:
        world.reconciler().run_once()
        move(world, ONE, "1.1.0")
        assert world.reconciler().run_once().published
        assert world.listed(ONE) == ["1.0.0", "1.1.0"]

    def test_an_upstream_out_of_reach_is_told(self, world: World) -> None:
        world.reconciler().run_once()
        world.gathering.down = unavailable()
        assert exit_code(world.reconciler().run_once()) == 1

    def test_whatever_is_not_as_declared_is_told_again(self, world: World) -> None:
        world.commit({"namespaces/acme/modules/bad/generic.yaml": "kind: Module\n"})
        assert world.reconciler().run_once().failed
        assert world.reconciler().run_once().failed

    def test_a_module_with_its_own_repository_is_asked(self, world: World) -> None:
        world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"remote"})
        world.commit(remote_file())
        world.reconciler().run_once()
        world.upstreams[REMOTE].content["1.1.0"] = b"new"
        assert world.reconciler().run_once().published

    def test_a_rollback_is_not_its_rest(self, world: World) -> None:
        world.reconciler().run_once()
        old = repository.read_head(world.store)
        assert old is not None
        move(world, ONE, "1.1.0")
        world.reconciler().run_once()
        newest = repository.read_head(world.store)
        assert newest is not None
        served = newest.moved(fence=newest.fence, root=old.root, revision=old.revision, ledger=newest.root)
        move_head(world.store, served, head=newest)
        assert world.reconciler().run_once().published
