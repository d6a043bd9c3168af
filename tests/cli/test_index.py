"""`gitopsreg index export`."""

from pathlib import Path

from tests.cli.catalogs import a_catalog
from tests.cli.shell import gitopsreg


def test_an_index_is_written_whole_and_to_stdout_too(tmp_path: Path) -> None:
    catalog, store, file = a_catalog(tmp_path / "catalog"), tmp_path / "store", tmp_path / "index.json"
    assert gitopsreg("reconcile", "--catalog", catalog, "--store", store, "--cache", tmp_path / "cache").code == 0
    assert gitopsreg("index", "export", file, "--store", store).code == 0
    assert gitopsreg("index", "export", "-", "--store", store).stdout == file.read_text()


def test_what_can_not_be_done_is_told(tmp_path: Path) -> None:
    empty = gitopsreg("index", "export", tmp_path / "x.json", "--store", tmp_path / "store")
    assert empty.code == 3
    assert "nothing has been published" in empty.stderr
    assert not (tmp_path / "x.json").exists()
    assert "no store is given" in gitopsreg("index", "export", "x").stderr


def test_a_group_has_its_help() -> None:
    assert "export" in gitopsreg("index", "--help").stdout
    assert gitopsreg("index", "--help").code == 0
