"""Several reconcilers on one store: they take turns, and who loses its turn publishes nothing and harms nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from gitopsreg.errors import LeaseHeld, LostLease, UpstreamError
from gitopsreg.index.keys import LEASE
from gitopsreg.index.status_store import read_status
from gitopsreg.reconcile.lease import Lease
from gitopsreg.reconcile.pipeline import Reconciler
from gitopsreg.reconcile.process import this_process
from gitopsreg.storage.base import BlobStore
from gitopsreg.upstream.base import Found, Release
from tests.fakes import FailingStore
from tests.reconcile.fakes import FakeUpstream
from tests.reconcile.world import NAMING, REMOTE, World, module_file, remote_file


@dataclass
class Clock:
    """Monotonic; waiting passes its time, and `elsewhere` is done meanwhile."""

    time: float = 0.0
    elsewhere: Callable[[], object] = lambda: None

    def __call__(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds
        self.elsewhere()


class Careful(World):
    """A world whose reconcilers do not see that others are dead: they have to wait."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock = Clock()

    def lease(self, store: BlobStore) -> Lease:
        return Lease(
            store,
            this_process(),
            is_gone=lambda _: False,
            now=lambda: self.now,
            clock=self.clock,
            pause=self.clock.wait,
        )


@pytest.fixture
def world(tmp_path: Path) -> Careful:
    return Careful(tmp_path)


@contextmanager
def another_at_work(world: World) -> Iterator[None]:
    with world.lease(world.store).held():
        yield


def conditions(world: World) -> dict[str, str]:
    return {item.type: item.reason for item in read_status(world.store).conditions}


def test_a_run_writes_the_lease_twice_and_a_tick_without_work_never(world: Careful) -> None:
    world.commit(module_file("naming", "1.0.0"))
    counting = FailingStore(world.store)
    reconciler = world.reconciler(counting)
    reconciler.run()
    assert counting.writes.count(LEASE) == 2
    reconciler.tick()
    assert counting.writes.count(LEASE) == 2
    assert ("get_with_token", LEASE) not in counting.operations[-5:], "nor is it looked at"


def test_a_tick_leaves_the_work_to_who_is_at_it(world: Careful) -> None:
    world.commit(module_file("naming", "1.0.0"))
    reconciler = world.reconciler()
    with another_at_work(world):
        assert reconciler.tick() is None
        assert not reconciler.owes
        assert world.snapshot() is None
    assert reconciler.tick() is not None
    assert world.listed(NAMING) == ["1.0.0"]


def test_a_run_that_was_asked_for_is_owed(world: Careful) -> None:
    world.upstreams[REMOTE] = upstream = FakeUpstream({"1.0.0": b"one"})
    world.commit(remote_file())
    reconciler = world.reconciler()
    reconciler.run()
    with another_at_work(world):
        with pytest.raises(LeaseHeld):
            reconciler.run(wait=False)
        owed = reconciler.owes
        assert (owed, reconciler.tick()) == (True, None)
    upstream.content["1.1.0"] = b"two"
    assert reconciler.tick() is not None, "no commit, nothing due: only the debt"
    assert not reconciler.owes
    assert world.listed(REMOTE) == ["1.0.0", "1.1.0"], "all upstreams were asked"


def test_a_command_waits_and_gives_up_in_the_end(world: Careful) -> None:
    world.commit(module_file("naming", "1.0.0"))
    reconciler = world.reconciler()
    with world.lease(world.store).held() as other:
        world.clock.elsewhere = other.renew
        with pytest.raises(LeaseHeld, match="another reconciler is at work: process"):
            reconciler.run()
    assert 35 <= world.clock.time < 36


def test_a_command_takes_over_from_one_that_died_elsewhere(world: Careful) -> None:
    world.commit(module_file("naming", "1.0.0"))
    world.lease(world.store)._take()
    assert world.reconciler().run().published
    assert 30 <= world.clock.time < 31


class Overtaken(FailingStore):
    """While this one stores its first bytes, another reconciler takes the lease, sees a newer commit and publishes;
    then a third commit comes, or none."""

    def __init__(self, world: World, *then: Mapping[str, str]) -> None:
        super().__init__(world.store)
        self._world = world
        self._then = then
        self._done = False

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        if key.startswith("blobs/") and not self._done:
            self._done = True
            self._world.commit(module_file("other", "1.0.0"))
            self._world.run()
            for files in self._then:
                self._world.commit(files)
        super().put(key, data)


def test_who_was_overtaken_finds_nothing_left_to_do(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit(module_file("naming", "1.0.0"))
    slow = world.reconciler(Overtaken(world))
    assert not slow.run().published
    assert world.listed(NAMING) == ["1.0.0"]
    assert conditions(world) == {"CatalogFetched": "Succeeded", "CatalogValid": "Succeeded", "Published": "Succeeded"}


def test_who_was_overtaken_may_not_publish_over_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit(module_file("naming", "1.0.0"))
    slow = world.reconciler(Overtaken(world, module_file("naming", "1.0.0", "1.1.0")))
    with pytest.raises(LostLease, match="another reconciler has taken over"):
        slow.run()
    assert world.listed(NAMING) == ["1.0.0"]
    assert "PublishBlocked" not in conditions(world), "the one that took over tells how things are"
    assert slow.tick() is not None, "and then it is its turn again"
    assert world.listed(NAMING) == ["1.0.0", "1.1.0"]


def test_a_lease_that_could_not_be_renewed_stops_the_publish_and_says_so(world: Careful) -> None:
    class Stalling(FakeUpstream):
        """Takes so long that the lease, which is never renewed here, lapses."""

        def releases(self, wanted: Sequence[Found]) -> Iterator[tuple[Found, Release | UpstreamError]]:
            world.clock.wait(26)
            world.pass_time(timedelta(seconds=26))
            yield from super().releases(wanted)

    world.upstreams[REMOTE] = Stalling({"1.0.0": b"one"})
    world.commit(remote_file())
    reconciler: Reconciler = world.reconciler()
    with pytest.raises(LostLease, match="could not be renewed for 26 seconds"):
        reconciler.run()
    assert world.snapshot() is None
    assert conditions(world)["PublishBlocked"] == "LostLease"
    world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"one"})
    assert reconciler.tick() is not None
    assert world.listed(REMOTE) == ["1.0.0"]
    assert "PublishBlocked" not in conditions(world)


def test_a_wrong_approval_says_which_plan_is_held_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit(*(module_file(name, "1.0.0") for name in ("naming", "tags", "zones")))
    world.run()
    world.remove("namespaces/acme/modules/naming", "namespaces/acme/modules/tags")
    held = world.run()
    wrong = f"sha256:{'0' * 64}"
    outcome = world.reconciler().run(approve=wrong)
    assert outcome.blocked == f'{held.blocked}; "{wrong}" is another plan than this one, "{held.status.blocked_plan}"'
