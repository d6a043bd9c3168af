import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from gitopsreg.errors import UpstreamUnavailable
from gitopsreg.transport.mirror import Mirror
from gitopsreg.transport.remotes import Remotes
from tests.repositories import GitServer, a_repository, commit, git, tag

LONG = timedelta(seconds=30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = a_repository(tmp_path / "served" / "vpc")
    for number in range(4):
        commit(folder, {"main.tf": f"# {number}"})
        tag(folder, f"v1.{number}.0", annotated=number % 2 == 1)
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[GitServer]:
    with GitServer(folder.parent) as server:
        yield server


@pytest.fixture
def remotes() -> Iterator[Remotes]:
    with Remotes(allow_local=True) as remotes:
        yield remotes


def wanted(folder: Path, *numbers: int) -> dict[str, str]:
    return {f"refs/tags/v1.{n}.0": git(folder, "rev-parse", f"v1.{n}.0^{{commit}}") for n in numbers}


def test_what_is_here_is_not_fetched_again(folder: Path, server: GitServer, remotes: Remotes, tmp_path: Path) -> None:
    mirror = Mirror(server.url("vpc/.git"), tmp_path / "cache", remotes)
    mirror.fetch(wanted(folder, 0, 1), timeout=LONG)
    before = server.fetches
    repository = mirror.fetch(wanted(folder, 1, 0), timeout=LONG)
    assert server.fetches == before
    for oid in wanted(folder, 0, 1).values():
        assert [entry.path for entry in repository.walk(repository.commit(oid).tree)] == ["main.tf"]
    mirror.fetch(wanted(folder, 0, 1, 2, 3), timeout=LONG)
    assert server.fetches > before


def test_a_ref_that_is_gone_brings_nothing(folder: Path, server: GitServer, remotes: Remotes, tmp_path: Path) -> None:
    repository = Mirror(server.url("vpc/.git"), tmp_path / "cache", remotes).fetch(
        {"refs/tags/gone": "1" * 40}, timeout=LONG
    )
    with pytest.raises(UpstreamUnavailable):
        repository.resolve(f"refs/kept/{'1' * 40}")


@pytest.mark.parametrize("damage", ["cut off", "no repository", "a file", "no objects"])
def test_a_damaged_copy_is_made_anew(
    folder: Path, server: GitServer, remotes: Remotes, tmp_path: Path, damage: str
) -> None:
    mirror = Mirror(server.url("vpc/.git"), tmp_path / "cache", remotes)
    copy = mirror.fetch(wanted(folder, 0), timeout=LONG).path
    match damage:
        case "cut off":
            (copy / "gitopsreg-fetching").touch()
            (copy / "shallow.lock").touch()
        case "no repository":
            (copy / "HEAD").unlink()
        case "a file":
            shutil.rmtree(copy)
            copy.write_text("not a repository")
        case "no objects":
            for pack in (copy / "objects" / "pack").iterdir():
                pack.unlink()
    repository = mirror.fetch(wanted(folder, 0, 1), timeout=LONG)
    assert all(repository.commit(oid).oid == oid for oid in wanted(folder, 0, 1).values())
    assert not list((tmp_path / "cache").glob("discarded-*"))
    assert len(list((tmp_path / "cache").glob("*.git"))) == 1


def test_a_fetch_that_fails_leaves_a_copy_that_works(
    folder: Path, server: GitServer, remotes: Remotes, tmp_path: Path
) -> None:
    mirror = Mirror(server.url("vpc/.git"), tmp_path / "cache", remotes)
    server.stall = True
    with pytest.raises(UpstreamUnavailable):
        mirror.fetch(wanted(folder, 0), timeout=timedelta(seconds=0.5))
    server.stall = False
    oid = wanted(folder, 0)["refs/tags/v1.0.0"]
    assert mirror.fetch(wanted(folder, 0), timeout=LONG).commit(oid).oid == oid


def test_modules_of_one_repository_share_its_copy(
    folder: Path, server: GitServer, remotes: Remotes, tmp_path: Path
) -> None:
    def fetch(number: int) -> str:
        mirror = Mirror(server.url("vpc/.git"), tmp_path / "cache", remotes)
        ((_, oid),) = wanted(folder, number % 4).items()
        return mirror.fetch({f"refs/tags/v1.{number % 4}.0": oid}, timeout=LONG).commit(oid).oid

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(fetch, range(16)))) == 4
    assert len(list((tmp_path / "cache").glob("*.git"))) == 1


def test_what_a_killed_process_left_is_swept_in_the_end(
    folder: Path, server: GitServer, remotes: Remotes, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    leftovers = [cache / "discarded-old", cache / "discarded-new", cache / "old.x.git", cache / "new.x.git"]
    for left in leftovers:
        (left / "repository").mkdir(parents=True)
        mark = left / "gitopsreg-fetching" if left.suffix else left
        mark.touch()
        if "old" in left.name:
            os.utime(mark, (time.time() - 90_000,) * 2)
    mirror = Mirror(server.url("vpc/.git"), cache, remotes)
    mirror.fetch(wanted(folder, 0), timeout=LONG)
    assert [left.name for left in leftovers if left.exists()] == ["discarded-new", "new.x.git"]


def test_a_tag_on_no_commit_is_fetched_once(folder: Path, server: GitServer, remotes: Remotes, tmp_path: Path) -> None:
    blob = git(folder, "rev-parse", "HEAD:main.tf")
    git(folder, "tag", "odd", blob)
    mirror = Mirror(server.url("vpc/.git"), tmp_path / "cache", remotes)
    mirror.fetch({"refs/tags/odd": blob}, timeout=LONG)
    before = server.fetches
    assert mirror.fetch({"refs/tags/odd": blob}, timeout=LONG).peeled(f"refs/kept/{blob}") == blob
    assert server.fetches == before
