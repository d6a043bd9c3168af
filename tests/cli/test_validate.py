from pathlib import Path

import pytest

from tests.cli.catalogs import AT_MODULE, NAMESPACE, a_module
from tests.cli.shell import gitopsreg, on_terminal
from tests.repositories import write

WRONG = a_module("1.0.0")[AT_MODULE].replace('"1.0.0"', "1.10")


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    write(tmp_path, {"namespaces/platform/namespace.yaml": NAMESPACE} | a_module("1.0.0"))
    return tmp_path


def test_clean(catalog: Path) -> None:
    done = gitopsreg("validate", catalog)
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith("Found 0 errors, 0 warnings in 2 files")
    assert done.stdout.endswith("\n")


def test_this_folder_is_the_default_and_settings_may_name_another(catalog: Path) -> None:
    assert gitopsreg("validate", cwd=catalog).code == 0
    assert gitopsreg("validate", cwd=catalog.parent, GITOPSREG_PATH=catalog.name).stdout.startswith("Found 0 errors")


def test_findings(catalog: Path) -> None:
    write(catalog, {AT_MODULE: WRONG})
    done = gitopsreg("validate", cwd=catalog)
    assert done.code == 1
    assert f"{AT_MODULE}:9:" in done.stdout
    assert "error[GR" in done.stdout
    assert "\x1b" not in done.stdout


def test_json(catalog: Path) -> None:
    write(catalog, {AT_MODULE: WRONG})
    done = gitopsreg("validate", catalog, "--output", "json")
    assert done.code == 1
    assert done.json["schemaVersion"] == 1
    assert done.json["summary"]["errors"] >= 1
    assert {"rule", "severity", "message", "path", "line", "column"} <= set(done.json["findings"][0])


def test_a_folder_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    done = gitopsreg("validate", tmp_path / "gone")
    assert done.code == 2
    assert "name the catalog's folder" in done.stderr


def test_colours_on_a_terminal_unless_unwanted(catalog: Path) -> None:
    write(catalog, {AT_MODULE: WRONG})
    code, coloured = on_terminal("validate", catalog)
    assert code == 1
    assert "\x1b[1;31merror[GR" in coloured
    _, plain = on_terminal("validate", catalog, NO_COLOR="1")
    assert "\x1b[" not in plain
    assert "error[GR" in plain
