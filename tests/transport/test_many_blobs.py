"""Git's own program as a reader of many blobs: it gives what libgit2 gives, or nothing."""

import os
from pathlib import Path

import pytest

from gitopsreg.transport.git import Repository
from gitopsreg.transport.many_blobs import ManyBlobs
from tests.repositories import a_repository, commit, git

CONTENTS: dict[str, str | bytes] = {f"file{number}": f"{number}\n" * number * 100 for number in range(80)}


@pytest.fixture(params=["loose", "packed"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    folder = a_repository(tmp_path / "repository")
    commit(folder, CONTENTS)
    if request.param == "packed":
        git(folder, "gc", "--quiet")
    return Repository(folder / ".git")


def sizes_of(repository: Repository) -> dict[str, int]:
    tree = repository.commit(repository.resolve("HEAD")).tree
    return {entry.oid: repository.size(entry.oid) for entry in repository.walk(tree)}


def a_program(tmp_path: Path, script: str) -> str:
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("order", [1, -1], ids=["as wanted", "the other way round"])
def test_they_are_what_libgit2_reads(repository: Repository, order: int) -> None:
    sizes = sizes_of(repository)
    blobs = ManyBlobs(repository.path, sizes)
    for oid in list(sizes)[::order]:
        assert blobs.get(oid) == repository.read(oid, limit=1 << 20)
    assert blobs.get(next(iter(sizes))) is not None, "what was read stays"
    assert blobs.get("0" * 40) is None


def test_one_that_is_not_there_or_of_another_size_costs_the_rest_its_speed_only(repository: Repository) -> None:
    first, second, third = list(sizes_of(repository).items())[:3]
    for wrong in (("0" * 40, 5), (second[0], second[1] + 1)):
        blobs = ManyBlobs(repository.path, dict([first, wrong, third]))
        assert blobs.get(first[0]) == repository.read(first[0], limit=1 << 20)
        assert blobs.get(wrong[0]) is None
        assert blobs.get(third[0]) is None


@pytest.mark.parametrize(
    "script",
    ["exit 1", "exec sleep 60", "cat", "while read oid; do echo $oid blob 3; echo abc; done", "cat >/dev/null"],
)
def test_a_program_that_is_no_git_gives_nothing(tmp_path: Path, repository: Repository, script: str) -> None:
    blobs = ManyBlobs(repository.path, sizes_of(repository), program=a_program(tmp_path, script), patience=0.2)
    assert [blobs.get(oid) for oid in sizes_of(repository)] == [None] * len(CONTENTS)


def test_without_the_program_there_is_nothing(repository: Repository) -> None:
    blobs = ManyBlobs(repository.path, sizes_of(repository), program="no-such-program")
    assert blobs.get(next(iter(sizes_of(repository)))) is None


def test_one_that_is_let_go_half_way_ends(repository: Repository) -> None:
    sizes = sizes_of(repository)
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are enough
    blobs = ManyBlobs(repository.path, sizes)
    assert blobs.get(next(iter(sizes))) is not None
    del blobs
    assert set(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_git_obeys_no_configuration_and_no_replacement(repository: Repository) -> None:
    first, second = list(sizes_of(repository))[1:3]
    git(repository.path, "replace", "-f", first, second)
    git(repository.path, "config", "extensions.nonsense", "1")
    git(repository.path, "config", "core.repositoryFormatVersion", "1")
    sizes = {first: repository.size(first)}
    assert ManyBlobs(repository.path, sizes).get(first) == repository.read(first, limit=1 << 20)


def test_where_nothing_temporary_can_be_written_there_is_nothing(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryDirectory", full)
    sizes = sizes_of(repository)
    assert ManyBlobs(repository.path, sizes).get(next(iter(sizes))) is None


def test_who_asks_for_another_blob_has_none_read(repository: Repository) -> None:
    sizes = sizes_of(repository)
    blobs = ManyBlobs(repository.path, sizes)
    assert blobs.get("0" * 40) is None
    assert blobs.wanted == tuple(sizes)
