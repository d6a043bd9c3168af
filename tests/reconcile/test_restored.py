"""An index that was restored from a copy, or lost, while the status is still the newest."""

from pathlib import Path

import pytest

from tests.reconcile.fakes import FakeUpstream
from tests.reconcile.test_gathering import TWO, move
from tests.reconcile.world import World, gathered_file


@pytest.mark.parametrize("lost", [False, True])
def test_what_the_index_lacks_is_published_again(tmp_path: Path, *, lost: bool) -> None:
    world = World(tmp_path)
    world.upstreams[TWO] = FakeUpstream({"1.0.0": b"two"})
    world.commit(gathered_file("two"))
    world.run()
    copy = world.store.get("index/head")
    move(world, TWO, "1.1.0")
    world.run()
    if lost:
        world.store.delete("index/head")
    else:
        world.store.put("index/head", copy)
    world.reconciler().run_once()
    assert world.listed(TWO) == ["1.0.0", "1.1.0"]
