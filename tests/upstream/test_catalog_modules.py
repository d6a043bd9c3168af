from pathlib import Path

import pytest

from gitopsreg.errors import IntegrityError
from gitopsreg.index.model import ModuleVersion, Origin
from gitopsreg.model.address import ModuleAddress
from gitopsreg.model.declaration import CatalogSource, ModuleDeclaration, Pin, VersionRules
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.transport.git import Repository
from gitopsreg.upstream.base import Release
from gitopsreg.upstream.catalog_modules import CatalogModules
from tests.repositories import a_repository, commit, tree_of

FILES: dict[str, str | bytes] = {
    "catalog/content/vpc/1.0.0/main.tf": "# 1",
    "catalog/content/vpc/1.1.0/main.tf": "# 2",
    "catalog/content/vpc/1.1.0/modules/a/main.tf": "# a",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = a_repository(tmp_path / "catalog")
    commit(folder, FILES)
    return folder


def modules(folder: Path, **paths: str) -> CatalogModules:
    """`v1_0_0="content/…"`; the catalog root is `catalog/`."""
    pins = tuple(
        Pin(version=Version.parse(name.removeprefix("v").replace("_", ".")), path=path) for name, path in paths.items()
    )
    declaration = ModuleDeclaration(
        path="namespaces/acme/modules/vpc/aws.yaml",
        source=CatalogSource(),
        versions=VersionRules(pins=pins),
        spec_digest=Sha256.of(b""),
        address=ModuleAddress("acme", "vpc", "aws"),
    )
    repository = Repository(folder)
    head = repository.commit(repository.resolve("HEAD"))
    return CatalogModules(declaration, repository, head, tree_of(folder, "catalog"))


def test_pinned_folders_become_releases(folder: Path) -> None:
    upstream = modules(folder, v1_1_0="content/vpc/1.1.0", v1_0_0="content/vpc/1.0.0")
    found = upstream.discover().found
    assert [(one.version.text, one.ref) for one in found] == [
        ("1.0.0", "content/vpc/1.0.0"),
        ("1.1.0", "content/vpc/1.1.0"),
    ]
    assert [one.tree for one in found] == [tree_of(folder, f"catalog/{one.ref}") for one in found]
    (_, first), (_, second) = upstream.releases(found)
    assert isinstance(first, Release)
    assert isinstance(first.record, ModuleVersion)
    assert first.record.published == "2026-10-01T12:00:00Z"
    assert first.record.origin == Origin(
        url="catalog", ref=found[0].ref, commit=found[0].commit, tree=found[0].tree, path=found[0].ref
    )
    (payload,) = first.payloads
    assert Sha256.of(b"".join(payload.open())) == first.record.archive.sha256
    assert isinstance(second, Release)
    assert second.record.version.text == "1.1.0"


def test_a_commit_elsewhere_in_the_catalog_changes_nothing(folder: Path) -> None:
    def state_and_archive() -> tuple[Sha256, object]:
        upstream = modules(folder, v1_0_0="content/vpc/1.0.0")
        discovery = upstream.discover()
        ((_, release),) = upstream.releases(discovery.found)
        assert isinstance(release, Release)
        return discovery.state, release.payloads[0].blob

    before = state_and_archive()
    commit(folder, {"catalog/content/other/main.tf": "# other"})
    assert state_and_archive() == before
    commit(folder, {"catalog/content/vpc/1.0.0/main.tf": "# changed"})
    assert state_and_archive()[0] != before[0]


@pytest.mark.parametrize("path", ["content/none", "content/vpc/1.0.0/main.tf", "../catalog/content/vpc/1.0.0"])
def test_a_missing_folder_is_that_versions_error(folder: Path, path: str) -> None:
    upstream = modules(folder, v1_0_0="content/vpc/1.0.0", v2_0_0=path)
    (_, good), (_, bad) = upstream.releases(upstream.discover().found)
    assert isinstance(good, Release)
    assert isinstance(bad, IntegrityError)
    assert bad.reason == "IncompleteRelease"
    assert path in str(bad)


@pytest.mark.parametrize(
    ("name", "content"),
    [("link.tf", "-> ../1.0.0/main.tf"), ("call.tf", 'module "x" {\n  source = "../1.0.0"\n}')],
)
def test_a_folder_that_reaches_out_is_refused(folder: Path, name: str, content: str) -> None:
    commit(folder, {f"catalog/content/vpc/1.1.0/{name}": content})
    upstream = modules(folder, v1_1_0="content/vpc/1.1.0")
    ((_, outcome),) = upstream.releases(upstream.discover().found)
    assert isinstance(outcome, IntegrityError)
    assert outcome.reason == "UnsafeArchive"


def test_pins_without_a_path_are_not_its_business(folder: Path) -> None:
    upstream = modules(folder)
    assert upstream.discover().found == ()
    assert list(upstream.releases(())) == []
