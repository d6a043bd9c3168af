import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import IntegrityError, UpstreamError, UpstreamUnavailable
from gitopsreg.index.model import ModuleVersion
from gitopsreg.model.address import ModuleAddress
from gitopsreg.model.declaration import GitSource, ModuleDeclaration, VersionRules
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.transport.remotes import Remotes
from gitopsreg.upstream.base import Found, Release
from gitopsreg.upstream.git_tags import GitTags, read_tags
from tests.repositories import GitServer, a_repository, commit, git, raw_tree, tag, tree_of

ONE, TWO = "1" * 40, "2" * 40


class TestReadingTags:
    def test_an_optional_v_is_taken_off(self) -> None:
        found = read_tags({"v1.0.0": ONE, "1.1.0": TWO}, None)
        assert [(one.version.text, one.ref, one.commit) for one in found.found] == [
            ("1.0.0", "v1.0.0", ONE),
            ("1.1.0", "1.1.0", TWO),
        ]
        assert found.skipped == ()

    @pytest.mark.parametrize(
        ("prefix", "versions"),
        [
            ("vpc/v", ["1.0.0"]),
            ("vpc/", ["2.0.0"]),
            ("", ["3.0.0"]),
            (None, ["3.0.0", "4.0.0"]),
            ("none-", []),
        ],
    )
    def test_a_prefix_chooses_the_tags(self, prefix: str | None, versions: list[str]) -> None:
        tags = {"vpc/v1.0.0": ONE, "vpc/2.0.0": ONE, "3.0.0": ONE, "v4.0.0": ONE, "other/v5.0.0": ONE}
        assert [one.version.text for one in read_tags(tags, prefix).found] == versions

    def test_one_version_at_one_commit_is_one(self) -> None:
        (found,) = read_tags({"1.0.0": ONE, "v1.0.0": ONE}, None).found
        assert (found.ref, found.commit) == ("1.0.0", ONE)

    def test_one_version_at_two_commits_is_refused(self) -> None:
        found = read_tags({"1.0.0": ONE, "v1.0.0": TWO, "1.1.0": ONE}, None)
        assert [one.version.text for one in found.found] == ["1.1.0"]
        assert [one.ref for one in found.skipped] == ["1.0.0", "v1.0.0"]
        assert '"1.0.0" and "v1.0.0" name the same version' in found.skipped[0].reason

    def test_of_versions_that_differ_in_build_metadata_the_first_is_kept(self) -> None:
        found = read_tags({"1.0.0+b": ONE, "1.0.0+a": TWO}, None)
        assert [one.ref for one in found.found] == ["1.0.0+a"]
        assert [one.ref for one in found.skipped] == ["1.0.0+b"]
        assert "build metadata only" in found.skipped[0].reason

    def test_a_refused_version_does_not_stand_in_the_way_of_its_twin(self) -> None:
        found = read_tags({"1.0.0+a": ONE, "v1.0.0+a": TWO, "1.0.0+b": ONE}, None)
        assert [one.ref for one in found.found] == ["1.0.0+b"]

    @pytest.mark.parametrize("name", ["1.0", "v1", "01.0.0", "1.0.0.0", "1.0.0-", "V1.0.0", "1.0.0_x"])
    def test_what_looks_like_a_version_is_skipped_with_a_reason(self, name: str) -> None:
        found = read_tags({name: ONE}, None)
        assert (found.found, [one.ref for one in found.skipped]) == ((), [name])
        assert "is not a version" in found.skipped[0].reason

    @pytest.mark.parametrize("name", ["latest", "release/1.0.0", "nightly-2026", "version-1", ""])
    def test_what_does_not_is_passed_over(self, name: str) -> None:
        found = read_tags({name: ONE}, None)
        assert (found.found, found.skipped) == ((), ())

    def test_the_list_of_the_skipped_is_capped(self) -> None:
        assert len(read_tags({f"{number}.0": ONE for number in range(2000)}, None).skipped) == 1000

    def test_the_state_covers_all_that_counts_and_nothing_else(self) -> None:
        tags = {"v1.0.0": ONE, "v1.1.0": TWO}
        state = read_tags(tags, None).state
        assert read_tags(dict(reversed(tags.items())), None).state == state
        assert read_tags(tags | {"latest": ONE, "other/v1.0.0": ONE}, None).state == state
        for changed in (tags | {"v1.1.0": ONE}, tags | {"v1.2.0": ONE}, {"v1.0.0": ONE}, tags | {"v2": ONE}):
            assert read_tags(changed, None).state != state

    @given(
        st.dictionaries(
            st.from_regex(r"v?[0-2]\.[0-2]\.[0-2](-a|\+b|\+c|\.0)?", fullmatch=True), st.sampled_from([ONE, TWO])
        )
    )
    def test_laws(self, tags: dict[str, str]) -> None:
        result = read_tags(tags, None)
        versions = [one.version for one in result.found]
        assert versions == sorted(versions)
        assert len({version.without_build for version in versions}) == len(versions)
        assert all(tags[one.ref] == one.commit for one in result.found)
        assert not {one.ref for one in result.found} & {one.ref for one in result.skipped}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_repository(tmp_path / "served" / "vpc")


@pytest.fixture
def server(folder: Path) -> Iterator[GitServer]:
    with GitServer(folder.parent) as server:
        yield server


@pytest.fixture
def remotes() -> Iterator[Remotes]:
    with Remotes(allow_local=True) as remotes:
        yield remotes


@pytest.fixture
def url(server: GitServer) -> str:
    return server.url("vpc/.git")


def upstream(url: str, remotes: Remotes, tmp_path: Path, *, path: str = "", seconds: float = 30) -> GitTags:
    source = GitSource(url=url, path=path)
    declaration = ModuleDeclaration(
        path="namespaces/acme/modules/vpc/aws.yaml",
        source=source,
        versions=VersionRules(),
        spec_digest=Sha256.of(b""),
        address=ModuleAddress("acme", "vpc", "aws"),
        timeout=timedelta(seconds=seconds),
    )
    return GitTags(declaration, source, remotes, tmp_path / "cache")


def release_of(outcome: Release | UpstreamError) -> ModuleVersion:
    assert isinstance(outcome, Release), outcome
    assert isinstance(outcome.record, ModuleVersion)
    (payload,) = outcome.payloads
    data = b"".join(payload.open())
    assert (Sha256.of(data), len(data)) == (payload.blob.sha256, payload.blob.size)
    assert payload.blob == outcome.record.archive
    return outcome.record


def test_tags_become_releases(folder: Path, server: GitServer, remotes: Remotes, url: str, tmp_path: Path) -> None:
    first = commit(folder, {"main.tf": "# 1"}, time="2026-01-01T00:00:00Z")
    tag(folder, "v1.0.0")
    commit(folder, {"main.tf": "# 2"}, time="2026-02-01T00:00:00Z")
    tag(folder, "v1.1.0", annotated=True)
    tags = upstream(url, remotes, tmp_path)
    found = tags.discover().found
    assert server.fetches == 0
    records = [release_of(outcome) for _, outcome in tags.releases(found)]
    assert [(record.version.text, record.published) for record in records] == [
        ("1.0.0", "2026-01-01T00:00:00Z"),
        ("1.1.0", "2026-02-01T00:00:00Z"),
    ]
    origin = records[0].origin
    assert (origin.url, origin.ref, origin.commit, origin.path) == (url, "v1.0.0", first, "")
    assert origin.tree == tree_of(folder, ref="v1.0.0")
    before = server.fetches
    assert [release_of(outcome) for _, outcome in tags.releases(found)] == records
    assert server.fetches == before


def test_nothing_wanted_asks_nothing(server: GitServer, remotes: Remotes, url: str, tmp_path: Path) -> None:
    assert list(upstream(url, remotes, tmp_path).releases(())) == []
    assert server.requests == []


def test_a_sub_directory_is_packed(folder: Path, remotes: Remotes, url: str, tmp_path: Path) -> None:
    commit(folder, {"modules/vpc/main.tf": "# x"})
    tag(folder, "v1.0.0")
    tags = upstream(url, remotes, tmp_path, path="modules/vpc")
    ((_, outcome),) = tags.releases(tags.discover().found)
    record = release_of(outcome)
    assert (record.subdirectory, record.origin.path) == ("", "modules/vpc")
    assert record.origin.tree == tree_of(folder, "modules/vpc")


def test_a_bad_version_costs_one_version(folder: Path, remotes: Remotes, url: str, tmp_path: Path) -> None:
    commit(folder, {"README.md": "not yet a module"})
    tag(folder, "v0.1.0")
    commit(folder, {"vpc/main.tf": "# x"})
    tag(folder, "v0.2.0")
    commit(folder, {"vpc/link": "-> /etc/passwd"})
    tag(folder, "v0.3.0")
    tags = upstream(url, remotes, tmp_path, path="vpc")
    outcomes = [outcome for _, outcome in tags.releases(tags.discover().found)]
    assert isinstance(outcomes[0], IntegrityError)
    assert outcomes[0].reason == "IncompleteRelease"
    assert 'tag "v0.1.0": there is no folder "vpc"' in str(outcomes[0])
    assert release_of(outcomes[1]).version.text == "0.2.0"
    assert isinstance(outcomes[2], IntegrityError)
    assert outcomes[2].reason == "UnsafeArchive"


def test_a_tag_that_moves_while_it_is_read_is_not_published(
    folder: Path, remotes: Remotes, url: str, tmp_path: Path
) -> None:
    commit(folder, {"main.tf": "# 1"})
    tag(folder, "v1.0.0")
    tags = upstream(url, remotes, tmp_path)
    found = tags.discover().found
    commit(folder, {"main.tf": "# 2"})
    tag(folder, "v1.0.0")
    ((_, outcome),) = tags.releases(found)
    assert isinstance(outcome, UpstreamUnavailable)
    assert (outcome.reason, "moved" in str(outcome)) == ("UpstreamError", True)
    ((_, outcome),) = tags.releases(tags.discover().found)
    assert release_of(outcome).origin.commit == git(folder, "rev-parse", "HEAD")


def test_a_tag_that_goes_while_it_is_read_costs_one_version(
    folder: Path, remotes: Remotes, url: str, tmp_path: Path
) -> None:
    for name in ("v1.0.0", "v1.1.0"):
        commit(folder, {"main.tf": f"# {name}"})
        tag(folder, name)
    tags = upstream(url, remotes, tmp_path)
    found = tags.discover().found
    git(folder, "tag", "--delete", "v1.1.0")
    outcomes = [outcome for _, outcome in tags.releases(found)]
    assert release_of(outcomes[0]).version.text == "1.0.0"
    assert isinstance(outcomes[1], UpstreamUnavailable)


def test_a_tag_that_is_no_commit_costs_one_version(folder: Path, remotes: Remotes, url: str, tmp_path: Path) -> None:
    commit(folder, {"main.tf": "# x"})
    tag(folder, "v1.0.0")
    git(folder, "tag", "v1.1.0", tree_of(folder))
    tags = upstream(url, remotes, tmp_path)
    outcomes = dict(tags.releases(tags.discover().found))
    by_version = {found.version.text: outcome for found, outcome in outcomes.items()}
    assert release_of(by_version["1.0.0"]).version.text == "1.0.0"
    assert isinstance(by_version["1.1.0"], UpstreamError)


class TestABadTagAmongGoodOnes:
    """It costs one version, whatever is wrong with it, and the copy stays."""

    @pytest.fixture
    def tags(self, folder: Path, remotes: Remotes, url: str, tmp_path: Path) -> GitTags:
        for name in ("v1.0.0", "v1.1.0", "v1.2.0"):
            commit(folder, {"main.tf": f"# {name}"})
            tag(folder, name)
        return upstream(url, remotes, tmp_path)

    def outcomes(self, tags: GitTags) -> dict[str, Release | UpstreamError]:
        return {found.version.text: outcome for found, outcome in tags.releases(tags.discover().found)}

    @pytest.mark.parametrize("annotated", [False, True])
    def test_a_tag_on_a_file(self, tags: GitTags, folder: Path, server: GitServer, annotated: bool) -> None:
        blob = git(folder, "rev-parse", "HEAD:main.tf")
        git(folder, "tag", *(("--annotate", "--message", "x") if annotated else ()), "v0.0.1", blob)
        self.check(self.outcomes(tags), "is a blob, where a commit belongs")
        before = server.fetches
        self.check(self.outcomes(tags), "is a blob, where a commit belongs")
        assert server.fetches == before

    def test_a_file_that_is_a_folder(self, tags: GitTags, folder: Path) -> None:
        inner = raw_tree(folder, [("100644", b"x", b"x")])
        tree = raw_tree(folder, [("100644", b"main.tf", b"# x"), ("100644", b"odd", inner)])
        git(folder, "tag", "v0.0.1", git(folder, "commit-tree", "-m", "odd", tree))
        self.check(self.outcomes(tags), "is a tree, where a blob belongs")

    def check(self, found: dict[str, Release | UpstreamError], says: str) -> None:
        bad = found.pop("0.0.1")
        assert isinstance(bad, IntegrityError)
        assert says in str(bad)
        assert [release_of(outcome).version.text for outcome in found.values()] == ["1.0.0", "1.1.0", "1.2.0"]

    def test_a_copy_that_lost_an_object_is_made_anew_once(
        self, tags: GitTags, folder: Path, server: GitServer, tmp_path: Path
    ) -> None:
        self.outcomes(tags)
        (copy,) = (tmp_path / "cache").glob("*.git")
        packs = [pack.rename(tmp_path / pack.name) for pack in (copy / "objects/pack").glob("*.pack")]
        for pack in packs:
            subprocess.run(["git", "-C", str(copy), "unpack-objects", "-q"], input=pack.read_bytes(), check=True)
        # libgit2 remembers packs by their path.
        copy = copy.rename(copy.with_name(copy.name.replace(".git", "-moved.git")))
        for name in ("v1.0.0", "v1.1.0"):
            oid = git(folder, "rev-parse", f"{name}:main.tf")
            (copy / "objects" / oid[:2] / oid[2:]).unlink()
        before = server.fetches
        found = self.outcomes(tags)
        assert {release_of(outcome).version.text for outcome in found.values()} == {"1.0.0", "1.1.0", "1.2.0"}
        assert server.fetches == 2 * before


def test_an_upstream_that_is_gone_is_unavailable(server: GitServer, remotes: Remotes, url: str, tmp_path: Path) -> None:
    tags = upstream(url, remotes, tmp_path)
    server.status = 503
    with pytest.raises(UpstreamUnavailable):
        tags.discover()
    wanted = [Found(version=Version.parse(f"1.{n}.0"), ref=f"v1.{n}.0", commit=ONE) for n in range(50)]
    server.requests.clear()
    with pytest.raises(UpstreamUnavailable):
        list(tags.releases(wanted))
    assert len(server.requests) < 20


def test_a_server_that_stalls_is_unavailable(
    folder: Path, server: GitServer, remotes: Remotes, url: str, tmp_path: Path
) -> None:
    server.stall = True
    with pytest.raises(UpstreamUnavailable) as caught:
        upstream(url, remotes, tmp_path, seconds=0.5).discover()
    assert caught.value.reason == "Timeout"


def test_two_modules_of_one_repository(folder: Path, remotes: Remotes, url: str, tmp_path: Path) -> None:
    commit(folder, {"a/main.tf": "# a", "b/main.tf": 'module "a" {\n  source = "../a"\n}'})
    tag(folder, "v1.0.0")
    records = []
    for path in ("a", "b"):
        tags = upstream(url, remotes, tmp_path, path=path)
        ((_, outcome),) = tags.releases(tags.discover().found)
        records.append(release_of(outcome))
    assert [record.subdirectory for record in records] == ["", "b"]
    assert len(list((tmp_path / "cache").glob("*.git"))) == 1
