"""Modules over plain http, found with the host block that `client-config` prints."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.client import module_block
from tests.e2e.conftest import Running
from tests.e2e.process import alter_blob, serve
from tests.e2e.sample import EXECUTABLES, MONO, NET, ODD, ODD_CONTENT, ODD_FOLDER, ODD_VERSION, ZIPPED
from tests.server.house import ask

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("constraint", "chosen"),
    [
        ("~> 1.0", "1.10.0"),
        (">= 1.0.0, < 1.10.0", "1.1.0"),
        ("!= 2.0.0", "1.10.0"),
        ("", "2.0.0"),
        ("1.0.0", "1.0.0"),
        ("= 1.1.0", "1.1.0"),
    ],
)
def test_a_version_is_chosen_by_its_constraint(plain: Running, tmp_path: Path, constraint: str, chosen: str) -> None:
    client = plain.client(tmp_path)
    folder = client.get(f"{plain.host}/{NET}", constraint)
    assert client.module()["Version"] == chosen
    assert f'"{chosen}"' in folder.joinpath("main.tf").read_text()


def test_no_version_fits(plain: Running, tmp_path: Path) -> None:
    client = plain.client(tmp_path)
    client.write(module_block(f"{plain.host}/{NET}", "~> 3.0"))
    result = client.run("get", "-no-color")
    assert result.code == 1
    assert "no available version" in result.output


def test_a_sub_module(plain: Running, tmp_path: Path) -> None:
    folder = plain.client(tmp_path).get(f"{plain.host}/{NET}//modules/inner", "1.1.0")
    assert 'value = "inner 1.1.0"' in folder.joinpath("main.tf").read_text()


def test_a_module_from_a_sub_directory_with_its_neighbour(plain: Running, tmp_path: Path) -> None:
    client = plain.client(tmp_path)
    folder = client.get(f"{plain.host}/{MONO}", "1.0.0")
    assert folder.name == "subnets"
    assert client.installed("m.shared").joinpath("main.tf").read_text() == 'output "name" {\n  value = "shared"\n}\n'


def test_a_sub_module_of_a_module_from_a_sub_directory(plain: Running, tmp_path: Path) -> None:
    folder = plain.client(tmp_path).get(f"{plain.host}/{MONO}//modules/deep", "1.0.0")
    assert 'value = "deep"' in folder.joinpath("main.tf").read_text()


def test_a_zip_archive(plain: Running, tmp_path: Path) -> None:
    folder = plain.client(tmp_path).get(f"{plain.host}/{ZIPPED}", "1.0.0")
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "main.tf", "modules"]


@pytest.mark.pitfall(18)
@pytest.mark.pitfall(19)
@pytest.mark.pitfall(24)
def test_pitfall_18_19_24_the_installed_files_are_the_authors(plain: Running, tmp_path: Path) -> None:
    """Linked files have their content, nothing wraps them, and a version with a plus is found."""
    client = plain.client(tmp_path)
    folder = client.get(f"{plain.host}/{ODD}", ODD_VERSION)
    assert client.module()["Version"] == ODD_VERSION
    assert folder == client.folder / ".terraform/modules/m"
    author = plain.catalog / ODD_FOLDER
    for name in ODD_CONTENT:
        if name != "linked":
            assert folder.joinpath(name).read_bytes() == author.joinpath(name).read_bytes(), name
            assert not folder.joinpath(name).is_symlink(), name
    assert folder.joinpath("linked/data.bin").read_bytes() == b"plain\n"
    installed = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert installed == (ODD_CONTENT.keys() - {"linked"}) | {"linked/data.bin"}
    assert {name for name in installed if folder.joinpath(name).stat().st_mode & 0o100} == EXECUTABLES


@pytest.mark.pitfall(12)
def test_pitfall_12_files_lie_at_the_root_of_the_archive(plain: Running, tmp_path: Path) -> None:
    location = ask(plain.url, f"/v1/modules/{NET}/1.0.0/download").headers["x-terraform-get"]
    assert "//" not in location.partition("?")[0]
    folder = plain.client(tmp_path).get(f"{plain.host}/{NET}", "1.0.0")
    assert folder.joinpath("main.tf").is_file()


@pytest.mark.pitfall(13)
def test_pitfall_13_an_altered_archive_is_refused_and_nothing_is_installed(plain: Running, tmp_path: Path) -> None:
    # As good an archive as the right one: that of another version.
    right, wrong = (
        ask(plain.url, f"/v1/modules/{NET}/{version}/download").headers["x-terraform-get"]
        for version in ("1.0.0", "1.1.0")
    )
    shutil.copytree(plain.folder / "store", tmp_path / "store")
    alter_blob(tmp_path, right, ask(plain.url, wrong).body)
    with serve(tmp_path) as registry:
        altered = Running(registry.url, tmp_path, plain.catalog)
        client = altered.client(tmp_path)
        client.write(module_block(f"{altered.host}/{NET}", "1.0.0"))
        result = client.run("get", "-no-color")
    assert result.code == 1
    assert "Checksums did not match" in result.output
    assert not client.folder.joinpath(".terraform/modules/m").exists()


@pytest.mark.pitfall(27)
def test_pitfall_27_addresses_in_any_case_are_found(plain: Running, tmp_path: Path) -> None:
    folder = plain.client(tmp_path).get(f"{plain.host}/Acme/NET/generic", "1.0.0")
    assert folder.joinpath("main.tf").is_file()
