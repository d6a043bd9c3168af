import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import IntegrityError, UpstreamUnavailable
from gitopsreg.transport.git import CHUNK, Commit, Repository
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


def test_a_missing_object_and_one_of_another_kind_are_not_found(folder: Path) -> None:
    oid = commit(folder, {"file": "x"})
    for wrong in ("1" * 40, oid, tree_of(folder)):
        with pytest.raises(UpstreamUnavailable):
            Repository(folder).size(wrong)
        with pytest.raises(UpstreamUnavailable):
            list(Repository(folder).chunks(wrong))
    with pytest.raises(UpstreamUnavailable):
        Repository(folder).commit(tree_of(folder))


def test_an_impossible_commit_time_is_bounded(folder: Path) -> None:
    tree = raw_tree(folder, [("100644", b"a", b"x")])
    raw = f"tree {tree}\nauthor A <a@b> 0 +0000\ncommitter A <a@b> 99999999999999 +0000\n\nx\n"
    command = ["git", "-C", str(folder), "hash-object", "-t", "commit", "-w", "--literally", "--stdin"]
    oid = subprocess.run(command, input=raw.encode(), capture_output=True, check=True).stdout.decode().strip()
    assert Repository(folder).commit(oid).time == "9999-12-31T23:59:59Z"
