from pathlib import Path

import pytest

from gitopsreg.errors import IntegrityError
from gitopsreg.index.model import ModuleVersion, Remote
from gitopsreg.model.declaration import GitSource
from gitopsreg.transport.remotes import Remotes
from gitopsreg.upstream.base import Release
from gitopsreg.upstream.referenced_tags import ReferencedTags, git_address
from tests.builders import a_module_declaration
from tests.repositories import GitServer, a_repository, commit, tag

COMMIT = "c" * 40
NOW = "2026-11-21T12:00:00Z"


@pytest.mark.parametrize(
    ("url", "path", "address"),
    [
        ("https://git.example.com/acme/vpc.git", "", "git::https://git.example.com/acme/vpc.git"),
        ("https://git.example.com/acme/vpc", "modules/vpc", "git::https://git.example.com/acme/vpc//modules/vpc"),
        ("https://git.example.com/acme/vpc", "/a b/", "git::https://git.example.com/acme/vpc//a b"),
        ("ssh://git@git.example.com:2222/vpc.git", "", "git::ssh://git@git.example.com:2222/vpc.git"),
        ("git@git.example.com:acme/vpc.git", "x", "git::ssh://git@git.example.com/acme/vpc.git//x"),
        ("/srv/git/vpc", "", "git::file:///srv/git/vpc"),
        ("file:///srv/git/vpc", "", "git::file:///srv/git/vpc"),
    ],
)
def test_an_address_is_one_that_clients_read(url: str, path: str, address: str) -> None:
    assert git_address(url, path, COMMIT) == f"{address}?ref={COMMIT}"


def test_a_folder_that_no_address_can_name_is_refused() -> None:
    source = GitSource(url="https://git.example.com/vpc.git", path="a?b")
    with Remotes() as remotes, pytest.raises(IntegrityError, match="rename it"):
        next(ReferencedTags(a_module_declaration(source=source), source, remotes, NOW).releases(()))


def test_versions_are_tags_and_nothing_is_fetched(tmp_path: Path) -> None:
    repository = a_repository(tmp_path / "git/vpc")
    first = commit(repository, {"modules/vpc/main.tf": "# 1.0.0\n"})
    tag(repository, "vpc/v1.0.0", annotated=True)
    with GitServer(repository.parent) as server, Remotes(allow_local=True) as remotes:
        source = GitSource(url=server.url("vpc/.git"), path="modules/vpc", tag_prefix="vpc/v")
        upstream = ReferencedTags(a_module_declaration(source=source), source, remotes, NOW)
        discovery = upstream.discover()
        ((found, release),) = upstream.releases(discovery.found)
        assert server.fetches == 0
    assert isinstance(release, Release)
    record = release.record
    assert isinstance(record, ModuleVersion)
    assert (found.commit, record.origin.commit, record.origin.ref) == (first, first, "vpc/v1.0.0")
    assert record.archive == Remote(f"git::{source.url}//modules/vpc?ref={first}")
    assert (record.published, release.payloads) == (NOW, ())
