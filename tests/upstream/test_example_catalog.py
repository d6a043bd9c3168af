"""The catalog that newcomers copy: valid, and every version in it passes the gates that real ones must pass."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.load import Loaded, load
from gitopsreg.index.model import ModuleVersion, ProviderVersion
from gitopsreg.model.declaration import (
    CatalogSource,
    GitSource,
    ModuleDeclaration,
    OpentofuGitSource,
    UnsupportedSource,
)
from gitopsreg.transport.git import Repository
from gitopsreg.upstream.base import Release, Upstream
from gitopsreg.upstream.catalog_modules import CatalogModules
from gitopsreg.upstream.catalog_providers import CatalogProviders
from tests.repositories import a_repository, commit

EXAMPLE = Path(__file__).parents[2] / "example-catalog"


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load(read_directory(EXAMPLE))


@pytest.fixture(scope="module")
def published(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[object]]:
    """What every version of every package came to, by address."""
    repository = a_repository(tmp_path_factory.mktemp("example") / "catalog")
    shutil.copytree(EXAMPLE, repository / "example-catalog", ignore=shutil.ignore_patterns("__pycache__"))
    commit(repository)
    git = Repository(repository)
    head = git.commit(git.resolve("HEAD"))
    root = git.subtree(head.tree, "example-catalog")
    assert root is not None
    results: dict[str, list[object]] = {}
    for declaration in loaded.catalog.packages:
        if isinstance(declaration.source, CatalogSource):
            upstream: Upstream = (
                CatalogModules(declaration, git, head, root)
                if isinstance(declaration, ModuleDeclaration)
                else CatalogProviders(declaration, git, head, root)
            )
            released = [result for _, result in upstream.releases(upstream.discover().found)]
            results[declaration.address.path] = [r.record if isinstance(r, Release) else r for r in released]
    return results


def test_nothing_is_wrong_with_it(loaded: Loaded) -> None:
    assert loaded.findings == ()
    assert loaded.registry_broken == ""


def test_every_version_is_published(published: dict[str, list[object]]) -> None:
    assert {address: len(records) for address, records in published.items()} == {
        "network/subnets/generic": 3,
        "platform/hello": 2,
        "platform/labels/generic": 2,
        "platform/naming/generic": 3,
    }
    for records in published.values():
        assert all(isinstance(record, ModuleVersion | ProviderVersion) for record in records), records


def test_the_provider_has_three_different_zips(published: dict[str, list[object]]) -> None:
    for record in published["platform/hello"]:
        assert isinstance(record, ProviderVersion)
        assert [str(build.platform) for build in record.builds] == ["darwin_arm64", "linux_amd64", "windows_amd64"]
        assert len({build.zip for build in record.builds}) == 3
        assert record.protocols == (("5.0",) if record.version.text == "1.0.0" else ("6.0",))


def test_the_module_with_a_neighbour_is_packed_with_it(published: dict[str, list[object]]) -> None:
    for record in published["network/subnets/generic"]:
        assert isinstance(record, ModuleVersion)
        assert record.subdirectory == "subnets"


def test_it_shows_a_yanked_version_and_a_deprecated_module(loaded: Loaded) -> None:
    assert [package.address.path for package in loaded.catalog.packages if package.versions.yanked] == [
        "network/subnets/generic"
    ]
    assert [package.address.path for package in loaded.catalog.packages if package.deprecation] == [
        "platform/labels/generic"
    ]


def test_it_shows_every_source_type_and_the_others_are_suspended(loaded: Loaded) -> None:
    others = [package for package in loaded.catalog.packages if not isinstance(package.source, CatalogSource)]
    assert all(package.suspend for package in others)
    types = {package.source.type for package in others if isinstance(package.source, UnsupportedSource)}
    assert types == {"release-assets", "http", "registry"}
    assert any(isinstance(package.source, GitSource) for package in others)
    assert any(isinstance(package.source, OpentofuGitSource) for package in others)


def test_the_release_files_can_be_made_again() -> None:
    script = EXAMPLE / "content/providers/hello/build.py"
    done = subprocess.run([sys.executable, script, "1.0.0", "1.1.0", "--check"], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_private_key_and_little_weight() -> None:
    files = [path for path in EXAMPLE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert not [path for path in files if b"PRIVATE KEY BLOCK" in path.read_bytes()]
    assert sum(path.stat().st_size for path in files if path.suffix in {".zip", ".sig"}) < 60 * 1024
