"""Revisions of real clones: by every name that Git has for one, shallow and partial ones too."""

import subprocess
from pathlib import Path

import pytest

from gitopsreg.catalog.load import load
from gitopsreg.catalog.revision import checkout_at, enclosing, files_at, fork_point
from gitopsreg.errors import CheckoutFailed
from tests.catalog.catalogs import AT_MODULE, AT_NAMESPACE, MODULE, NAMESPACE
from tests.repositories import a_repository, commit, git, tag


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """main has a namespace, then a module; a branch left after the first."""
    origin = a_repository(tmp_path / "origin")
    commit(origin, {AT_NAMESPACE: NAMESPACE})
    tag(origin, "v1", annotated=True)
    git(origin, "branch", "feature")
    commit(origin, {AT_MODULE: MODULE})
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    return tmp_path / "clone"


def paths(repository: Path, revision: str, path: str = ".") -> list[str]:
    return [file.path for file in files_at(repository, revision, path).files]


@pytest.mark.parametrize(
    "name", ["main", "origin/main", "HEAD", "@", "refs/remotes/origin/main", "v1^{commit}^0~0", ""]
)
def test_every_name_that_git_has(clone: Path, name: str) -> None:
    wanted = name or git(clone, "rev-parse", "--short=9", "HEAD")
    older = wanted.startswith("v1")
    assert paths(clone, wanted) == ([AT_NAMESPACE] if older else sorted([AT_MODULE, AT_NAMESPACE]))


def test_an_older_revision_is_read_from_the_objects_and_nothing_is_written(clone: Path) -> None:
    before = sorted((str(path), path.stat().st_mtime_ns) for path in clone.rglob("*"))
    found = files_at(clone, "HEAD~1")
    assert found.revision == f"HEAD~1@sha1:{git(clone, 'rev-parse', 'HEAD~1')}"
    assert load(found).findings == ()
    assert sorted((str(path), path.stat().st_mtime_ns) for path in clone.rglob("*")) == before


def test_what_is_not_committed_is_not_there(clone: Path) -> None:
    (clone / AT_MODULE).write_text("broken: [")
    assert load(files_at(clone, "HEAD")).findings == ()


@pytest.mark.parametrize("name", ["origin/nope", "f" * 40, "HEAD~9", "", "-x", "HEAD:namespaces", "a\0b", "é\ud800"])
def test_an_unknown_revision_says_how_to_fetch_it(clone: Path, name: str) -> None:
    with pytest.raises(CheckoutFailed, match="fetch-depth: 0"):
        files_at(clone, name)


def test_a_catalog_that_is_new_is_compared_with_an_empty_one(clone: Path) -> None:
    found = checkout_at(clone, "HEAD", "registry/catalog")
    assert found.files.files == ()
    assert not found.files.has_folder("content")
    assert load(found.files).catalog.packages == ()


def test_a_path_that_leads_outside_is_refused(clone: Path) -> None:
    with pytest.raises(CheckoutFailed, match="inside the repository"):
        files_at(clone, "HEAD", "../x")


def test_findings_are_named_from_the_top_of_the_repository(tmp_path: Path) -> None:
    repository = a_repository(tmp_path / "r")
    commit(repository, {f"catalog/{AT_MODULE}": MODULE})
    (finding,) = load(files_at(repository, "HEAD", "catalog")).findings
    assert finding.path == f"catalog/{AT_MODULE}"


def test_a_change_is_compared_with_where_it_left(clone: Path) -> None:
    git(clone, "switch", "--quiet", "feature")
    commit(clone, {"README.md": "mine"})
    assert fork_point(clone, "origin/main") == git(clone, "rev-parse", "origin/main~1")
    assert fork_point(clone, "feature", "origin/main") == git(clone, "rev-parse", "origin/main~1")


def test_histories_without_a_common_commit_are_compared_as_they_are(clone: Path) -> None:
    git(clone, "switch", "--quiet", "--orphan", "other")
    commit(clone, {"README.md": "other"})
    assert fork_point(clone, "origin/main") == git(clone, "rev-parse", "origin/main")


def test_a_shallow_clone_has_what_it_has(clone: Path) -> None:
    shallow = clone.parent / "shallow"
    git(clone.parent, "clone", "--quiet", "--depth", "1", f"file://{clone}", str(shallow))
    assert len(paths(shallow, "HEAD")) == 2
    with pytest.raises(CheckoutFailed, match="GIT_DEPTH: 0"):
        files_at(shallow, "HEAD~1")


def test_a_clone_without_its_blobs_says_so_and_asks_nobody(clone: Path) -> None:
    git(clone, "config", "uploadpack.allowFilter", "true")
    partial = clone.parent / "partial"
    command = ["git", "clone", "--quiet", "--bare", "--filter=blob:none", f"file://{clone}", str(partial)]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(CheckoutFailed, match="can't be read"):
        files_at(partial, "HEAD")


def test_a_folder_knows_its_clone(clone: Path, tmp_path: Path) -> None:
    assert enclosing(clone / "namespaces" / "platform") == (clone, "namespaces/platform")
    assert enclosing(clone) == (clone, ".")
    git(clone, "worktree", "add", "--quiet", str(tmp_path / "tree"), "feature")
    assert enclosing(tmp_path / "tree") == (tmp_path / "tree", ".")
    assert paths(tmp_path / "tree", "HEAD") == [AT_NAMESPACE]
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(CheckoutFailed, match="inside a clone"):
        enclosing(outside)
    with pytest.raises(CheckoutFailed, match="no Git repository"):
        files_at(outside, "HEAD")
