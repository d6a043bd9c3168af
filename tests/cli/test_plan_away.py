"""A plan while what many packages come from is away: told once, and counted."""

from pathlib import Path

import pytest

from tests.cli.shell import gitopsreg
from tests.opentofu import a_registry, module_file
from tests.repositories import git

NAMES = ("dns", "net", "vpc")


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """A repository with a declaration for each package of a registry that has gone since."""
    there = tmp_path / "registry"
    a_registry(
        there, {path: text for name in NAMES for path, text in module_file(f"acme/{name}/aws", "v1.0.0").items()}
    )
    catalog = tmp_path / "catalog"
    imported = gitopsreg("import", "opentofu-registry", there, "--url", there.as_uri(), "--out", catalog)
    assert imported.code == 0, imported.stderr
    git(catalog, "init", "-q", "-b", "main")
    git(catalog, "add", ".")
    git(catalog, "commit", "-qm", "all of it")
    git(catalog, "commit", "-qm", "nothing", "--allow-empty")
    there.rename(tmp_path / "away")
    return catalog


def test_one_line_tells_of_all_its_packages(catalog: Path) -> None:
    common = ("--store", catalog.parent / "store", "--allow-local-sources")
    there = catalog.parent / "registry"
    url = there.as_uri()
    done = gitopsreg("plan", "--catalog", catalog, *common)
    assert done.code == 3
    (told,) = (line.strip() for line in done.stdout.splitlines() if url in line or "acme/" in line)
    why = f'"{there}" is no Git repository: Repository not found at {there}'
    assert told == f"3 packages of {url} can't be asked  NotFound: {why}"
    change = gitopsreg("plan", "--base", "HEAD~1", *common, cwd=catalog)
    assert change.code == 3
    assert "Sources that did not answer (1)" in change.stdout
    assert f"  3 packages of {url} can't be asked: " in change.stdout
    assert "acme/" not in change.stdout


def test_programs_get_each_of_them(catalog: Path) -> None:
    done = gitopsreg(
        "plan", "--catalog", catalog, "--store", catalog.parent / "store", "--allow-local-sources", "--output", "json"
    )
    assert [problem["who"] for problem in done.json["problems"]] == [f"module:acme/{name}/aws" for name in NAMES]
