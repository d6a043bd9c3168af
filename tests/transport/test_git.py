import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import IntegrityError, UpstreamUnavailable
from gitopsreg.transport.blob import CHUNK
from gitopsreg.transport.git import Commit, Repository
from gitopsreg.transport.tree import parse_tree
from tests.repositories import a_repository, commit, git, raw_tree, tag, tree_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_repository(tmp_path / "repository")


@pytest.mark.parametrize("annotated", [False, True])
def test_a_tag_is_peeled_to_its_commit(folder: Path, annotated: bool) -> None:
    oid = commit(folder, {"a": "a"}, time="2026-10-01T14:00:00+02:00")
    tag(folder, "v1.0.0", annotated=annotated)
    repository = Repository(folder)
    assert repository.resolve("refs/tags/v1.0.0") == oid
    assert repository.commit(oid) == Commit(oid=oid, tree=tree_of(folder), time="2026-10-01T12:00:00Z")


def test_head_a_branch_and_a_commit_resolve(folder: Path) -> None:
    oid = commit(folder, {"a": "a"})
    repository = Repository(folder)
    assert {repository.resolve(ref) for ref in ("HEAD", "refs/heads/main", oid)} == {oid}
    assert repository.head_branch() == "refs/heads/main"
    git(folder, "checkout", "--quiet", "--detach")
    assert Repository(folder).head_branch() is None


@pytest.mark.parametrize("ref", ["refs/heads/none", "main", "", "..", "0" * 40, "HEAD~1"])
def test_what_is_not_there_is_not_found(folder: Path, ref: str) -> None:
    commit(folder, {"a": "a"})
    with pytest.raises(UpstreamUnavailable) as caught:
        Repository(folder).resolve(ref)
    assert caught.value.reason == "NotFound"


def test_a_repository_without_commits_has_no_head(folder: Path) -> None:
    with pytest.raises(UpstreamUnavailable):
        Repository(folder).resolve("HEAD")


def test_a_folder_inside_a_repository_is_none(folder: Path) -> None:
    commit(folder, {"inside/a": "a"})
    with pytest.raises(UpstreamUnavailable, match="is no Git repository"):
        Repository(folder / "inside")


def test_walk_lists_what_git_lists_in_its_order(folder: Path) -> None:
    names = ["b", "a/b", "a.b", "a-b", "a0", "é", "z/y/x", "a/b.c/d"]
    commit(folder, dict.fromkeys(names, "x"))
    listed = git(folder, "ls-tree", "-r", "-z", "--name-only", "HEAD").strip("\0").split("\0")
    assert [entry.path for entry in Repository(folder).walk(tree_of(folder))] == listed


def test_walk_tells_files_links_and_submodules_apart(folder: Path) -> None:
    oid = commit(folder, {"file": "x", "link": "-> file", "run": "x"})
    git(folder, "update-index", "--chmod=+x", "run")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{oid},module")
    git(folder, "commit", "--quiet", "--message", "modes")
    modes = {entry.path: entry.mode for entry in Repository(folder).walk(tree_of(folder))}
    assert modes == {"file": "file", "link": "symlink", "module": "submodule", "run": "executable"}


def test_walk_stops_where_folders_are_too_deep(folder: Path) -> None:
    commit(folder, {"1/2/3/file": "x"})
    repository, tree = Repository(folder), tree_of(folder)
    assert [entry.path for entry in repository.walk(tree, depth=3)] == ["1/2/3/file"]
    with pytest.raises(IntegrityError, match="nested too deeply"):
        list(repository.walk(tree, depth=2))


def test_a_tree_that_holds_itself_many_times_ends(folder: Path) -> None:
    tree = raw_tree(folder, [])
    for _ in range(30):
        tree = raw_tree(folder, [("40000", name, tree) for name in (b"a", b"b", b"c", b"d")])
    with pytest.raises(IntegrityError, match="empty folder"):
        list(Repository(folder).walk(tree))


def test_a_tree_of_trees_without_end_ends(folder: Path) -> None:
    """Ten ways at each of twenty levels: twenty-one objects, and 10^20 files."""
    tree = raw_tree(folder, [("100644", b"file", b"x")])
    for _ in range(20):
        tree = raw_tree(folder, [("40000", b"%d" % number, tree) for number in range(10)])
    repository = Repository(folder)
    with pytest.raises(IntegrityError, match="too many files and folders") as caught:
        sum(1 for _ in repository.walk(tree))
    assert caught.value.reason == "TooLarge"
    assert repository.files(tree, most=0) == ()


def test_the_files_of_a_folder_are_its_own(folder: Path) -> None:
    commit(folder, {"b": "x", "a": "x", "folder/c": "x", "link": "-> a"})
    repository, tree = Repository(folder), tree_of(folder)
    assert [entry.path for entry in repository.files(tree, most=2)] == ["a", "b"]
    with pytest.raises(IntegrityError, match="holds 2 files: 1 at most") as caught:
        repository.files(tree, most=1)
    assert caught.value.reason == "TooLarge"


@pytest.mark.parametrize("name", [b"..", b".", b".git", b".GIT", b"a/b", b""])
def test_a_name_that_git_refuses_is_refused(folder: Path, name: bytes) -> None:
    with pytest.raises(IntegrityError, match="no legal name"):
        list(Repository(folder).walk(raw_tree(folder, [("100644", name, b"x")])))


def test_two_entries_of_one_name_are_refused(folder: Path) -> None:
    inner = raw_tree(folder, [("100644", b"x", b"x")])
    with pytest.raises(IntegrityError, match="same name"):
        list(Repository(folder).walk(raw_tree(folder, [("100644", b"a", b"x"), ("40000", b"a", inner)])))


def test_an_unknown_mode_is_refused(folder: Path) -> None:
    with pytest.raises(IntegrityError, match="unknown mode"):
        list(Repository(folder).walk(raw_tree(folder, [("20644", b"device", b"x")])))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_tree_or_refused(data: bytes) -> None:
    try:
        items = parse_tree(data)
    except IntegrityError:
        return
    assert all(name and b"/" not in name for name in items)


def test_a_folder_is_found_and_a_file_or_a_link_is_none(folder: Path) -> None:
    commit(folder, {"a/b/c": "x", "link": "-> a"})
    repository, tree = Repository(folder), tree_of(folder)
    assert repository.subtree(tree, "") == tree
    assert repository.subtree(tree, "a/b") == tree_of(folder, "a/b")
    assert [repository.subtree(tree, path) for path in ("a/b/c", "link", "link/b", "none", "a/../a")] == [None] * 5
    assert repository.entry(tree, "a/b") is None
    assert repository.entry(tree, "none/x") is None


def test_a_blob_is_read_whole_and_in_pieces(folder: Path) -> None:
    content = bytes(range(256)) * 4000
    commit(folder, {"large": content, "empty": b""})
    repository = Repository(folder)
    empty, large = repository.walk(tree_of(folder))
    assert repository.size(large.oid) == len(content)
    assert repository.read(large.oid, limit=len(content)) == content
    pieces = list(repository.chunks(large.oid))
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) == CHUNK
    assert (repository.read(empty.oid, limit=0), list(repository.chunks(empty.oid))) == (b"", [])


def test_a_blob_above_the_limit_is_refused(folder: Path) -> None:
    commit(folder, {"file": "12345"})
    (entry,) = Repository(folder).walk(tree_of(folder))
    with pytest.raises(IntegrityError) as caught:
        Repository(folder).read(entry.oid, limit=4)
    assert caught.value.reason == "TooLarge"


def test_a_missing_object_is_not_found(folder: Path) -> None:
    commit(folder, {"file": "x"})
    repository = Repository(folder)
    calls: list[Callable[[str], object]] = [
        repository.size,
        repository.commit,
        lambda oid: list(repository.chunks(oid)),
    ]
    for call in calls:
        with pytest.raises(UpstreamUnavailable) as caught:
            call("1" * 40)
        assert caught.value.reason == "NotFound"


def test_an_object_of_another_kind_is_refused_by_its_kind(folder: Path) -> None:
    oid, tree = commit(folder, {"file": "x"}), tree_of(folder)
    git(folder, "tag", "--annotate", "--message", "x", "tree", tree)
    repository = Repository(folder)
    calls: list[tuple[Callable[[str], object], str, str]] = [
        (repository.size, oid, "is a commit, where a blob belongs"),
        (lambda oid: list(repository.chunks(oid)), tree, "is a tree, where a blob belongs"),
        (lambda oid: list(repository.walk(oid)), oid, "is a commit, where a tree belongs"),
        (repository.commit, tree, "is a tree, where a commit belongs"),
        (repository.resolve, "refs/tags/tree", "is a tree, where a commit belongs"),
    ]
    for call, wrong, says in calls:
        with pytest.raises(IntegrityError, match=says):
            call(wrong)
    assert repository.peeled("refs/tags/tree") == tree


def test_a_head_whose_name_is_not_utf8_counts_as_detached(folder: Path) -> None:
    commit(folder, {"file": "x"})
    git(folder, "branch", "--move", "latin-\udce9")
    assert Repository(folder).head_branch() is None
    assert Repository(folder).resolve("HEAD") == git(folder, "rev-parse", "HEAD")


class TestStreams:
    """Blobs read past libgit2: loose, from a pack, and not at all when they are deltas."""

    @pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK])
    @pytest.mark.parametrize("packed", [False, True])
    def test_every_byte_comes_once(self, folder: Path, size: int, packed: bool) -> None:
        contents = {name: (name.encode() + os.urandom(size))[:size] for name in ("a", "b", "c")}
        commit(folder, dict(contents))
        if packed:
            git(folder, "repack", "-a", "-d", "--quiet")
        repository = Repository(folder)
        for entry in repository.walk(tree_of(folder)):
            assert b"".join(repository.chunks(entry.oid)) == contents[entry.path]

    def test_a_delta_is_read_too(self, folder: Path) -> None:
        base = os.urandom(2 * CHUNK)
        contents = {"a": base + b"one", "b": base + b"two"}
        commit(folder, dict(contents))
        git(folder, "repack", "-a", "-d", "-f", "--quiet")
        (index,) = (folder / ".git/objects/pack").glob("*.idx")
        assert "chain length = 1" in git(folder, "verify-pack", "-v", str(index))
        repository = Repository(folder)
        for entry in repository.walk(tree_of(folder)):
            assert b"".join(repository.chunks(entry.oid)) == contents[entry.path]

    def test_a_damaged_one_is_never_taken_for_whole(self, folder: Path) -> None:
        commit(folder, {"file": b"x" * 3 * CHUNK})
        git(folder, "config", "core.compression", "0")
        repository = Repository(folder)
        (entry,) = repository.walk(tree_of(folder))
        loose = folder / ".git/objects" / entry.oid[:2] / entry.oid[2:]
        whole = loose.read_bytes()
        loose.chmod(0o644)
        for damaged in (whole[:-6], whole[:100], whole[:-1] + b"\0"):
            loose.write_bytes(damaged)
            with pytest.raises(UpstreamUnavailable) as caught:
                list(repository.chunks(entry.oid))
            assert caught.value.reason == "NotFound"

    @pytest.mark.parametrize("packed", [False, True])
    def test_a_large_one_is_never_in_memory(self, folder: Path, packed: bool) -> None:
        megabyte = 1024 * 1024
        with (folder / "large").open("wb") as file:
            file.truncate(200 * megabyte)
        commit(folder)
        if packed:
            git(folder, "repack", "-a", "-d", "--quiet")
        script = (
            "import resource, sys\n"
            "from pathlib import Path\n"
            "from gitopsreg.transport.git import Repository\n"
            "repository = Repository(Path(sys.argv[1]))\n"
            "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
            "before = peak()\n"
            "print(sum(map(len, repository.chunks(sys.argv[2]))), peak() - before)\n"
        )
        command = [sys.executable, "-c", script, str(folder), git(folder, "rev-parse", "HEAD:large")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        size, growth = map(int, done.stdout.split())
        assert size == 200 * megabyte
        assert growth < 20 * megabyte


def test_an_impossible_commit_time_is_bounded(folder: Path) -> None:
    tree = raw_tree(folder, [("100644", b"a", b"x")])
    raw = f"tree {tree}\nauthor A <a@b> 0 +0000\ncommitter A <a@b> 99999999999999 +0000\n\nx\n"
    command = ["git", "-C", str(folder), "hash-object", "-t", "commit", "-w", "--literally", "--stdin"]
    oid = subprocess.run(command, input=raw.encode(), capture_output=True, check=True).stdout.decode().strip()
    assert Repository(folder).commit(oid).time == "9999-12-31T23:59:59Z"
