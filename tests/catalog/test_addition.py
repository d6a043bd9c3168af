import stat
from pathlib import Path

import pytest

from gitopsreg.catalog.addition import CatalogFolder, write_new
from gitopsreg.errors import ConfigError
from tests.catalog.catalogs import AT_MODULE, AT_NAMESPACE, MODULE, NAMESPACE
from tests.repositories import write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, {AT_NAMESPACE: NAMESPACE})
    return tmp_path


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_sound_file_is_written_whole(folder: Path) -> None:
    trial = CatalogFolder(folder).try_file(AT_MODULE, MODULE)
    assert trial.findings == ()
    assert not (folder / AT_MODULE).exists()
    trial.write()
    assert everything(folder) == {AT_NAMESPACE: NAMESPACE.encode(), AT_MODULE: MODULE.encode()}
    assert stat.S_IMODE((folder / AT_MODULE).stat().st_mode) == stat.S_IMODE((folder / AT_NAMESPACE).stat().st_mode)


def test_only_what_the_file_brings_is_told(folder: Path) -> None:
    write(folder, {"namespaces/platform/modules/bad/aws.yaml": "kind: ["})
    catalog = CatalogFolder(folder)
    assert catalog.loaded.errors
    assert catalog.try_file(AT_MODULE, MODULE).findings == ()
    broken = catalog.try_file(AT_MODULE, MODULE.replace("https", "ftp"))
    assert [finding.rule for finding in broken.errors] == ["GR503"]


@pytest.mark.parametrize("taken", [AT_MODULE, AT_MODULE.replace(".yaml", ".yml"), AT_MODULE.replace("vpc", "VPC")])
def test_what_is_there_is_named_and_stays(folder: Path, taken: str) -> None:
    write(folder, {taken: MODULE})
    with pytest.raises(ConfigError, match=r"is there already: Module module:platform/vpc/aws from git https://github"):
        CatalogFolder(folder).try_file(AT_MODULE, MODULE)
    assert everything(folder)[taken] == MODULE.encode()


def test_somebody_who_was_quicker_is_not_overwritten(folder: Path) -> None:
    trial = CatalogFolder(folder).try_file(AT_MODULE, MODULE)
    write(folder, {AT_MODULE: "theirs"})
    with pytest.raises(ConfigError, match="made just now"):
        trial.write()
    assert everything(folder) == {AT_NAMESPACE: NAMESPACE.encode(), AT_MODULE: b"theirs"}


def test_a_link_leads_nowhere(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / "namespaces/platform/modules").symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="no ordinary folder"):
        CatalogFolder(folder).try_file(AT_MODULE, MODULE)
    assert list(elsewhere.iterdir()) == []


def test_a_folder_without_a_catalog_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="new-catalog"):
        CatalogFolder(tmp_path)


def test_an_unknown_namespace_with_what_was_meant(folder: Path) -> None:
    catalog = CatalogFolder(folder)
    with pytest.raises(ConfigError, match=r'no namespace "platfrom": did you mean "platform"\?'):
        catalog.need_namespace("platfrom")
    with pytest.raises(ConfigError, match="gitopsreg add namespace data"):
        catalog.need_namespace("data")


def test_no_crumbs_are_left_when_a_file_can_not_be_written(folder: Path) -> None:
    with pytest.raises(FileExistsError):
        write_new(folder / AT_NAMESPACE, "other")
    assert everything(folder) == {AT_NAMESPACE: NAMESPACE.encode()}
