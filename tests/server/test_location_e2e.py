"""The location of a module as the real terraform reads it: sub-directories, queries, versions with a plus."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_module, a_module_version
from tests.server.house import Answer, a_tarball, ask, publish_packages, running, store_bytes
from tests.terraform import Terraform

pytestmark = pytest.mark.e2e

FILES = {
    "main.tf": 'module "deep" {\n  source = "./deep"\n}\n',
    "deep/main.tf": 'output "name" {\n  value = "deep"\n}\nmodule "shared" {\n  source = "../shared"\n}\n',
    "deep/inner/main.tf": 'output "name" {\n  value = "inner"\n}\n',
    "deep/ä dir%20x+y/main.tf": 'output "name" {\n  value = "spaced"\n}\n',
    "deep/50%23&a=b;{c}/main.tf": 'output "name" {\n  value = "special"\n}\n',
    "shared/main.tf": 'output "name" {\n  value = "shared"\n}\n',
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    store = MemoryStore()
    archive = store_bytes(store, a_tarball(FILES))
    whole = [a_module_version(text, archive=archive) for text in ("1.0.0", "2.0.0+build.5")]
    inside = a_module_version("3.0.0", archive=archive, subdirectory="deep")
    spaced = a_module_version("4.0.0", archive=archive, subdirectory="deep/ä dir%20x+y")
    special = a_module_version("5.0.0", archive=archive, subdirectory="deep/50%23&a=b;{c}")
    publish_packages(store, replace(a_module(), versions=(*whole, inside, spaced, special)))
    with running(store) as address:
        yield address


def _get(url: str, tmp_path: Path, source: str, version: str) -> list[str]:
    """The folders of the installed modules, below the one that holds the archive."""
    work = tmp_path / "work"
    work.mkdir()
    work.joinpath("main.tf").write_text(
        f'module "m" {{\n  source  = "reg.test/platform/vpc/aws{source}"\n  version = "{version}"\n}}\n'
    )
    result = Terraform(tmp_path / "home", hosts={"reg.test": url}).run("get", "-no-color", cwd=work)
    assert result.code == 0, result.output
    return [line.partition("- m in ")[2] for line in result.lines if "- m in " in line]


@pytest.mark.parametrize(
    ("source", "version", "folder"),
    [
        ("", "1.0.0", ""),
        ("//deep", "1.0.0", "/deep"),
        ("", "2.0.0+build.5", ""),
        ("", "3.0.0", "/deep"),
        ("//inner", "3.0.0", "/deep/inner"),
        ("", "4.0.0", "/deep/ä dir%20x+y"),
        ("", "5.0.0", "/deep/50%23&a=b;{c}"),
    ],
)
def test_terraform_installs(url: str, tmp_path: Path, source: str, version: str, folder: str) -> None:
    assert _get(url, tmp_path, source, version) == [f".terraform/modules/m{folder}"]


@pytest.mark.pitfall(13)
def test_pitfall_13_terraform_refuses_an_archive_that_is_not_what_the_checksum_says(tmp_path: Path) -> None:
    store = MemoryStore()
    archive = store_bytes(store, a_tarball(FILES))
    publish_packages(store, replace(a_module(), versions=(a_module_version(archive=archive),)))
    store.put(f"blobs/{archive.sha256.hex}", a_tarball({"main.tf": "# altered"}))
    with running(store) as url, pytest.raises(AssertionError, match="Checksums did not match"):
        _get(url, tmp_path, "", "1.0.0")


def test_the_location_is_what_the_archive_is_fetched_by(url: str) -> None:
    location = ask(url, "/v1/modules/platform/vpc/aws/3.0.0/download").headers["x-terraform-get"]
    path, _, query = location.partition("?")
    fetched: Answer = ask(url, f"{path.partition('//')[0]}?{query}")
    assert fetched.status == 200
