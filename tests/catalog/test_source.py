import gc
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gitopsreg.catalog.folders import Folder, Folders
from gitopsreg.catalog.load import load
from gitopsreg.catalog.source import GitCatalog
from gitopsreg.errors import CheckoutFailed
from gitopsreg.transport.git import Repository
from gitopsreg.transport.remotes import Remotes
from tests.repositories import GitServer, a_repository, commit, git, raw_tree, tag, tree_of

FILES: dict[str, str | bytes] = {
    "registry.yaml": "kind: Registry",
    "namespaces/acme/namespace.yaml": "kind: Namespace",
    "namespaces/acme/link.yaml": "-> namespace.yaml",
    "namespaces/acme/modules/vpc/aws.yaml": "kind: Module",
    "README.md": "# somebody else's",
    "content/vpc/main.tf": "# x",
    "registry.txt": "not declared",
}
DECLARED = [
    "namespaces/acme/link.yaml",
    "namespaces/acme/modules/vpc/aws.yaml",
    "namespaces/acme/namespace.yaml",
    "registry.yaml",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = a_repository(tmp_path / "served" / "catalog")
    commit(folder, FILES)
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[GitServer]:
    with GitServer(folder.parent) as server:
        yield server


@pytest.fixture
def remotes() -> Iterator[Remotes]:
    """Without permission for local sources: the catalog's URL is the operator's own word."""
    with Remotes() as remotes:
        yield remotes


@pytest.fixture(params=["folder", "file URL", "http"])
def url(request: pytest.FixtureRequest, folder: Path, server: GitServer) -> str:
    return {"folder": str(folder), "file URL": f"file://{folder}", "http": server.url("catalog/.git")}[request.param]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def catalog(url: str, remotes: Remotes, cache: Path, *, ref: str = "HEAD", path: str = ".") -> GitCatalog:
    return GitCatalog(url, ref, path, remotes, cache, timedelta(seconds=30))


def test_the_newest_commit_is_read(url: str, folder: Path, remotes: Remotes, cache: Path) -> None:
    source = catalog(url, remotes, cache)
    head = git(folder, "rev-parse", "HEAD")
    checkout = source.read()
    assert source.poll() == checkout.commit.oid == head
    assert checkout.files.revision == f"main@sha1:{head}"
    assert (checkout.files.time, checkout.files.root) == ("2026-10-01T12:00:00Z", "")
    assert checkout.root == checkout.commit.tree == tree_of(folder)
    assert sorted(file.path for file in checkout.files.files) == DECLARED
    contents = {file.path: file.read() for file in checkout.files.files}
    assert contents["registry.yaml"] == b"kind: Registry"
    assert {file.path: file.mode for file in checkout.files.files}["namespaces/acme/link.yaml"] == "symlink"
    assert all(file.size == len(contents[file.path]) for file in checkout.files.files)
    assert checkout.files.has_folder("content/vpc")
    assert not checkout.files.has_folder("content/none")
    assert not checkout.files.has_folder("content/vpc/main.tf")
    assert Repository(checkout.repository).commit(head) == checkout.commit


def test_a_new_commit_is_noticed(url: str, folder: Path, remotes: Remotes, cache: Path) -> None:
    source = catalog(url, remotes, cache)
    source.read()
    oid = commit(folder, {"registry.yaml": "changed"})
    assert source.poll() == oid
    (file,) = (file for file in source.read().files.files if file.path == "registry.yaml")
    assert file.read() == b"changed"


@pytest.mark.parametrize(
    ("ref", "name"),
    [("refs/heads/main", "main"), ("main", "main"), ("refs/tags/v1", "v1"), ("v1", "v1"), ("HEAD", "main")],
)
def test_a_ref_is_named_short_or_full(
    url: str, folder: Path, remotes: Remotes, cache: Path, ref: str, name: str
) -> None:
    tag(folder, "v1", annotated=True)
    source = catalog(url, remotes, cache, ref=ref)
    assert source.read().files.revision == f"{name}@sha1:{git(folder, 'rev-parse', 'HEAD')}"


def test_a_detached_head_is_called_so(url: str, folder: Path, remotes: Remotes, cache: Path) -> None:
    git(folder, "checkout", "--quiet", "--detach")
    assert catalog(url, remotes, cache).read().files.revision.startswith("HEAD@sha1:")


@pytest.mark.parametrize("path", ["registry/catalog", "registry/catalog/", "./registry//catalog"])
def test_the_root_may_be_a_folder(url: str, folder: Path, remotes: Remotes, cache: Path, path: str) -> None:
    commit(folder, {"registry/catalog/registry.yaml": "inner"})
    checkout = catalog(url, remotes, cache, path=path).read()
    assert [file.path for file in checkout.files.files] == ["registry.yaml"]
    assert checkout.files.root == "registry/catalog/"
    assert checkout.root == tree_of(folder, "registry/catalog")


class TestWhatTheOperatorCanMend:
    def test_a_missing_ref(self, url: str, remotes: Remotes, cache: Path) -> None:
        source = catalog(url, remotes, cache, ref="refs/heads/none")
        for call in (source.poll, source.read):
            with pytest.raises(CheckoutFailed, match=r'no ref "refs/heads/none".*--ref'):
                call()

    @pytest.mark.parametrize("path", ["none", "registry.yaml"])
    def test_a_path_that_is_no_folder(self, url: str, remotes: Remotes, cache: Path, path: str) -> None:
        with pytest.raises(CheckoutFailed, match=f'no folder "{path}".*--path'):
            catalog(url, remotes, cache, path=path).read()

    @pytest.mark.parametrize("path", ["../x", "/x", "a/../b"])
    def test_a_path_that_leaves(self, remotes: Remotes, cache: Path, path: str) -> None:
        with pytest.raises(CheckoutFailed, match="no folder inside the repository"):
            catalog("https://git.example.com/x", remotes, cache, path=path)

    def test_a_url_that_is_none(self, remotes: Remotes, cache: Path) -> None:
        with pytest.raises(CheckoutFailed, match=r"git://git\.example\.com/x"):
            catalog("git://git.example.com/x", remotes, cache)

    def test_a_folder_that_is_no_repository(self, remotes: Remotes, cache: Path, tmp_path: Path) -> None:
        with pytest.raises(CheckoutFailed, match="git init"):
            catalog(str(tmp_path), remotes, cache).read()

    def test_a_folder_inside_a_repository(self, folder: Path, remotes: Remotes, cache: Path) -> None:
        with pytest.raises(CheckoutFailed, match=f'--catalog "{folder}" --path "namespaces/acme"'):
            catalog(str(folder / "namespaces" / "acme"), remotes, cache).read()

    def test_a_folder_that_does_not_exist(self, remotes: Remotes, cache: Path, tmp_path: Path) -> None:
        with pytest.raises(CheckoutFailed, match="does not exist"):
            catalog(str(tmp_path / "none"), remotes, cache).read()

    def test_a_repository_without_commits(
        self, remotes: Remotes, cache: Path, server: GitServer, tmp_path: Path
    ) -> None:
        empty = a_repository(tmp_path / "served" / "empty")
        for url in (str(empty), server.url("empty/.git")):
            with pytest.raises(CheckoutFailed, match="first commit"):
                catalog(url, remotes, cache).read()

    def test_a_host_that_is_gone(self, remotes: Remotes, cache: Path, server: GitServer) -> None:
        source = catalog(server.url("catalog/.git"), remotes, cache)
        source.read()
        server.status = 503
        for call in (source.poll, source.read):
            with pytest.raises(CheckoutFailed, match="503"):
                call()

    def test_folders_that_are_too_deep(self, folder: Path, remotes: Remotes, cache: Path) -> None:
        commit(folder, {"namespaces/" + "x/" * 40 + "file.yaml": "x"})
        with pytest.raises(CheckoutFailed, match="nested too deeply"):
            catalog(str(folder), remotes, cache).read()

    def test_too_many_files(self, folder: Path, remotes: Remotes, cache: Path) -> None:
        leaf = raw_tree(folder, [("100644", b"%04d" % number, b"") for number in range(1000)])
        many = raw_tree(folder, [("40000", b"%03d" % number, leaf) for number in range(151)])
        top = raw_tree(folder, [("40000", b"namespaces", many)])
        git(folder, "update-ref", "refs/heads/many", git(folder, "commit-tree", "-m", "many", top))
        with pytest.raises(CheckoutFailed, match="too many files"):
            catalog(str(folder), remotes, cache, ref="many").read()

    def test_declarations_that_are_too_large_together(self, folder: Path, remotes: Remotes, cache: Path) -> None:
        """One file of a quarter of a megabyte under three hundred names: a repository of a few kilobytes."""
        large = bytes(256 * 1024)
        for suffix in ("md", "yaml"):
            files = raw_tree(folder, [("100644", b"%03d.%s" % (n, suffix.encode()), large) for n in range(300)])
            top = raw_tree(folder, [("40000", b"namespaces", files)])
            git(folder, "update-ref", f"refs/heads/{suffix}", git(folder, "commit-tree", "-m", "large", top))
        assert len(catalog(str(folder), remotes, cache, ref="md").read().files.files) == 300
        with pytest.raises(CheckoutFailed, match="64 MiB of declarations at most") as caught:
            catalog(str(folder), remotes, cache, ref="yaml").read()
        assert caught.value.reason == "TooLarge"


def test_a_branch_whose_name_is_not_utf8_stands_in_nobodys_way(
    url: str, folder: Path, remotes: Remotes, cache: Path
) -> None:
    git(folder, "branch", "latin-\udce9")
    assert catalog(url, remotes, cache).read().files.revision.startswith("main@")


def test_a_file_whose_name_is_not_utf8_is_a_finding(url: str, folder: Path, remotes: Remotes, cache: Path) -> None:
    name = "namespaces/acme/modules/vpc/caf\udce9.yaml"
    commit(folder, {name: (folder / "namespaces/acme/modules/vpc/aws.yaml").read_bytes()})
    files = catalog(url, remotes, cache).read().files
    shown = "namespaces/acme/modules/vpc/caf\\xe9.yaml"
    assert shown in {file.path for file in files.files}
    assert "GR109" in {finding.rule for finding in load(files).findings if finding.path == shown}


def test_of_folders_that_are_no_more_nothing_is_kept(folder: Path) -> None:
    folders = Folders()

    def read() -> int:
        repository = Repository(folder / ".git")
        tree = repository.subtree(repository.commit(repository.resolve("HEAD")).tree, "namespaces")
        assert tree is not None
        folders.read(repository, "namespaces", tree)
        gc.collect()
        return sum(isinstance(each, Folder) for each in gc.get_objects())

    before = read()
    commit(folder, {f"namespaces/n{number}/modules/x/aws.yaml": "" for number in range(10)})
    assert read() == before + 30
    git(folder, "rm", "-rq", *(f"namespaces/n{number}" for number in range(10)))
    commit(folder)
    assert read() == before


def test_a_namespace_whose_name_is_not_utf8_is_a_finding(url: str, folder: Path, remotes: Remotes, cache: Path) -> None:
    at = "namespaces/caf{}/discoveries/found.yaml"
    document = "apiVersion: gitopsreg.io/v1alpha1\nkind: Discovery\nmetadata: {name: found}\nspec: {}\n"
    commit(folder, {at.format("\udce9"): document})
    findings = load(catalog(url, remotes, cache).read().files).findings
    assert "GR109" in {finding.rule for finding in findings if finding.path == at.format("\\xe9")}


def test_nothing_is_fetched_when_the_ref_did_not_move(
    server: GitServer, folder: Path, remotes: Remotes, cache: Path
) -> None:
    source = catalog(server.url("catalog/.git"), remotes, cache)
    source.poll()
    assert server.fetches == 0
    source.read()
    before = server.fetches
    assert before
    source.read()
    catalog(server.url("catalog/.git"), remotes, cache).read()
    assert server.fetches == before
    commit(folder, {"other": "x"})
    source.read()
    assert server.fetches > before


def test_a_revision_that_was_read_is_still_here_without_the_network(
    url: str, server: GitServer, folder: Path, remotes: Remotes, cache: Path
) -> None:
    source = catalog(url, remotes, cache)
    assert source.at(f"main@sha1:{'1' * 40}") is None
    before = source.read()
    commit(folder, {"registry.yaml": "changed"})
    source.read()
    server.requests.clear()
    again = source.at(before.files.revision)
    assert again is not None
    assert (again.commit, again.root, again.files.revision) == (before.commit, before.root, before.files.revision)
    assert {file.path: file.read() for file in again.files.files} == {f.path: f.read() for f in before.files.files}
    assert (source.at("main@sha1:"), source.at("nonsense"), server.requests) == (None, None, [])


@pytest.mark.parametrize("damage", ["objects", "packs", "everything"])
def test_a_damaged_copy_is_made_anew(server: GitServer, remotes: Remotes, cache: Path, damage: str) -> None:
    source = catalog(server.url("catalog/.git"), remotes, cache)
    before = source.read()
    match damage:
        case "objects":
            shutil.rmtree(before.repository / "objects")
        case "packs":
            for pack in (before.repository / "objects" / "pack").iterdir():
                pack.write_bytes(b"damaged")
        case "everything":
            shutil.rmtree(before.repository)
            before.repository.mkdir()
    after = source.read()
    assert [file.oid for file in after.files.files] == [file.oid for file in before.files.files]
    assert after.files.files[0].read()


def test_files_that_stay_keep_no_repository_open(folder: Path, remotes: Remotes, cache: Path) -> None:
    def opened() -> int:
        gc.collect()
        return sum(isinstance(each, Repository) for each in gc.get_objects())

    source = catalog(str(folder), remotes, cache)
    before = opened()
    kept = []
    for number in range(5):
        commit(folder, {f"namespaces/acme/modules/m{number}/aws.yaml": f"number: {number}"})
        kept.append(source.read())
    assert opened() <= before + 1 + len(kept)  # a checkout answers for folders of its own commit
    texts = {file.path: file.read() for file in kept.pop().files.files}
    assert texts["namespaces/acme/modules/m1/aws.yaml"] == b"number: 1"
    kept.clear()
    assert opened() <= before + 1


def test_a_local_catalog_is_left_as_it_is(folder: Path, remotes: Remotes, cache: Path) -> None:
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    catalog(str(folder), remotes, cache).read()
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before
    assert not cache.exists()


def test_a_bare_repository_and_a_second_working_tree_are_catalogs(
    folder: Path, remotes: Remotes, cache: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(folder), "bare.git")
    git(folder, "worktree", "add", "--quiet", str(tmp_path / "second"), "-b", "second")
    assert catalog(str(tmp_path / "bare.git"), remotes, cache).read().files.revision.startswith("main@")
    assert catalog(str(tmp_path / "second"), remotes, cache).read().files.revision.startswith("second@")


def test_files_that_are_not_committed_do_not_count(folder: Path, remotes: Remotes, cache: Path) -> None:
    (folder / "registry.yaml").write_text("not committed")
    (file,) = (file for file in catalog(str(folder), remotes, cache).read().files.files if file.path == "registry.yaml")
    assert file.read() == b"kind: Registry"
