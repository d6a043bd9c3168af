"""`kill -9` at random moments, fifty times: the index that is served is always a complete one, and the next run ends
the work."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitopsreg.storage.filesystem import FilesystemStore
from tests.reconcile.world import World, module_file, provider_files, served

KILLS = 50
NAMES = [f"m{number:02}" for number in range(12)]


@dataclass(frozen=True)
class Stage:
    """A catalog with a commit to publish, a store from before it, and what is right before and after."""

    world: World
    before: Path
    old: object
    new: object


def start(world: World, store: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gitopsreg", "reconcile", "--catalog", str(world.repo), "--store", str(store)]
    return subprocess.Popen([*command, "--cache", str(store.parent / "cache")], stdout=subprocess.DEVNULL)


def contents(store: Path) -> object:
    snapshot = served(FilesystemStore(store))
    return snapshot and (snapshot.root.revision, snapshot.packages)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("kill")
    world = World(folder)
    world.commit(*(module_file(name, "1.0.0") for name in NAMES), provider_files("1.0.0"))
    before, after = folder / "before" / "store", folder / "after" / "store"
    assert start(world, before).wait(60) == 0
    world.commit(*(module_file(name, "1.0.0", "1.1.0") for name in NAMES), provider_files("1.0.0", "1.1.0"))
    shutil.copytree(before, after)
    assert start(world, after).wait(60) == 0
    assert contents(before) != contents(after)
    return Stage(world, before, contents(before), contents(after))


def files(store: Path) -> int:
    """How much is there; what comes and goes meanwhile does not matter."""
    return sum(len(names) for _, _, names in os.walk(store))


def kill_when(process: subprocess.Popen[bytes], store: Path, more: int, delay: float) -> bool:
    """Kill when the store has got so many more files, and a moment later; whether the process was still at it."""
    enough = files(store) + more
    while files(store) < enough and process.poll() is None:
        time.sleep(0.0005)
    time.sleep(delay)
    process.kill()
    return process.wait() == -signal.SIGKILL


@pytest.mark.parametrize("seed", range(KILLS))
def test_kill_at_a_random_moment(tmp_path: Path, stage: Stage, seed: int) -> None:
    chance = random.Random(seed)
    store = tmp_path / "store"
    shutil.copytree(stage.before, store)
    process = start(stage.world, store)
    # The first few surely hit a process at work; the others any moment, its end too.
    more = seed if seed < 5 else chance.randint(0, 40)
    killed = kill_when(process, store, more, delay=0 if seed < 5 else chance.uniform(0, 0.02))
    assert killed or seed >= 5
    assert contents(store) in (stage.old, stage.new)
    if seed % 5 == 0:
        assert start(stage.world, store).wait(60) == 0
        assert contents(store) == stage.new, "the next run ends the work"
