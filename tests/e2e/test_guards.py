"""The two halves apart: `reconcile` as a job with its exit codes, and the guards that hold a publish back."""

from pathlib import Path

import pytest

from tests.cli.shell import Ran, gitopsreg
from tests.e2e.asking import module_archive, module_versions, status
from tests.e2e.catalogs import a_catalog, a_catalog_module, module_file
from tests.e2e.process import eventually, places, serve
from tests.repositories import commit, git

pytestmark = pytest.mark.e2e

NAMES = tuple(f"acme/net{number}/generic" for number in range(5))


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return a_catalog(tmp_path / "catalog", *(a_catalog_module(name, "1.0.0") for name in NAMES))


def _reconcile(catalog: Path | str, folder: Path, *arguments: str) -> Ran:
    return gitopsreg("reconcile", "--catalog", catalog, *places(folder), "--output", "json", *arguments)


def test_a_mass_removal_waits_for_a_person(catalog: Path, tmp_path: Path) -> None:
    first = _reconcile(catalog, tmp_path)
    assert (first.code, first.json["packages"], first.json["published"]) == (0, 5, True)
    with serve(tmp_path) as server:
        url = server.url
        before = module_archive(url, NAMES[0], "1.0.0")
        git(catalog, "rm", "--quiet", *map(module_file, NAMES[:3]))
        commit(catalog, a_catalog_module(NAMES[4], "1.0.0", "1.1.0"))

        held = _reconcile(catalog, tmp_path)
        assert (held.code, held.json["published"]) == (1, False)
        assert "3 of 5 packages would be removed" in held.json["blocked"]
        plan = held.json["blockedPlan"]
        assert status(tmp_path)["blockedPlan"] == plan
        assert gitopsreg("status", "--store", tmp_path / "store", "--exit-code").code == 1
        assert [module_versions(url, name) for name in NAMES] == [["1.0.0"]] * 5

        wrong = _reconcile(catalog, tmp_path, "--approve", "sha256:" + "0" * 64)
        assert (wrong.code, wrong.json["published"]) == (1, False)
        approved = _reconcile(catalog, tmp_path, "--approve", plan)
        assert (approved.code, approved.json["published"]) == (0, True)
        eventually(lambda: [module_versions(url, name) for name in NAMES[:3]] == [[]] * 3)
        assert module_versions(url, NAMES[4]) == ["1.0.0", "1.1.0"]
        assert module_archive(url, NAMES[0], "1.0.0") == before
    assert status(tmp_path)["blockedPlan"] == ""


def test_an_empty_catalog_takes_nothing_away(catalog: Path, tmp_path: Path) -> None:
    assert _reconcile(catalog, tmp_path).code == 0
    git(catalog, "rm", "--quiet", "-r", "namespaces/acme/modules")
    commit(catalog)
    held = _reconcile(catalog, tmp_path)
    assert held.code == 1
    assert "declares no package" in held.json["blocked"]
    with serve(tmp_path) as server:
        assert [module_versions(server.url, name) for name in NAMES] == [["1.0.0"]] * 5


def test_exit_code_0_also_when_nothing_is_new(catalog: Path, tmp_path: Path) -> None:
    first, second = _reconcile(catalog, tmp_path), _reconcile(catalog, tmp_path)
    assert (first.code, second.code) == (0, 0)
    assert (second.json["published"], second.json["snapshot"]) == (False, first.json["snapshot"])


def test_exit_code_1_for_a_declaration_that_fails(catalog: Path, tmp_path: Path) -> None:
    commit(catalog, {module_file(NAMES[0]): "kind: [Module\n"})
    done = _reconcile(catalog, tmp_path)
    assert (done.code, done.json["published"], done.json["packages"]) == (1, True, 4)
    assert [item["who"] for item in done.json["failed"]] == [f"module:{NAMES[0]}"]


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/catalog.git", "/nowhere/at/all"])
def test_exit_code_3_for_a_catalog_out_of_reach(catalog: Path, tmp_path: Path, url: str) -> None:
    fresh = _reconcile(url, tmp_path / "fresh")
    assert fresh.code == 3
    assert fresh.stderr.startswith("error: ")
    assert "Traceback" not in fresh.stderr


def test_exit_code_2_for_wrong_use(catalog: Path, tmp_path: Path) -> None:
    assert _reconcile(catalog, tmp_path, "--interval", "sometimes").code == 2
    assert gitopsreg("reconcile", "--catalog", catalog).code == 2
