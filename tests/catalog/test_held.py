from dataclasses import replace
from pathlib import Path

import pytest

from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.files import LARGEST_FILE, CatalogFile
from gitopsreg.catalog.held import held
from gitopsreg.catalog.load import Memo, load
from gitopsreg.catalog.revision import files_at
from tests.catalog.catalogs import AT_KEY, AT_MODULE, AT_NAMESPACE, MODULE, NAMESPACE, a_catalog, a_file
from tests.repositories import a_repository, commit


def unreadable() -> bytes:
    raise PermissionError


def test_a_file_has_the_same_name_in_a_folder_as_in_a_commit(tmp_path: Path) -> None:
    folder = a_repository(tmp_path / "catalog")
    commit(folder, {AT_NAMESPACE: NAMESPACE, AT_MODULE: MODULE, AT_KEY: ""})
    found = held(read_directory(folder))
    assert found is not None
    assert {file.path: file.oid for file in found.files} == {
        file.path: file.oid for file in files_at(folder, "HEAD").files
    }
    memo = Memo()
    load(found, memo=memo)
    load(files_at(folder, "HEAD"), memo=memo)
    assert memo.parsed == 3


def test_what_is_held_is_what_was_read(tmp_path: Path) -> None:
    (tmp_path / "registry.yaml").write_text("a: 1")
    found = held(read_directory(tmp_path))
    (tmp_path / "registry.yaml").unlink()
    assert found is not None
    assert found.files[0].read() == found.files[0].read() == b"a: 1"


@pytest.mark.parametrize(
    "file",
    [
        a_file(AT_MODULE, MODULE, "symlink"),
        a_file("namespaces/platform/README.md", "#"),
        a_file(AT_MODULE, "#" * (LARGEST_FILE + 1)),
    ],
    ids=["a link", "no declaration", "too large"],
)
def test_what_no_check_reads_is_not_read(file: CatalogFile) -> None:
    untouched = replace(file, read=unreadable)
    found = held(replace(a_catalog({}), files=(untouched,)))
    assert found is not None
    assert found.files == (untouched,)


def test_what_can_t_be_read_or_is_too_much_is_not_held() -> None:
    assert held(a_catalog({}, replace(a_file(AT_MODULE, MODULE), read=unreadable))) is None
    assert held(a_catalog({AT_MODULE: MODULE}), room=100) is None
