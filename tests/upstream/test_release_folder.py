from pathlib import Path

import pytest

from gitopsreg.errors import ConfigError
from gitopsreg.upstream.release_folder import find_releases
from tests.releases import AReleaseFolder, open_files


def a_release(folder: Path, version: str = "1.0.0", provider_type: str = "hello") -> AReleaseFolder:
    release = AReleaseFolder(version=version, provider_type=provider_type)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in release.files.items():
        (folder / name).write_bytes(data)
    return release


def test_one_version(tmp_path: Path) -> None:
    release = a_release(tmp_path)
    before = open_files()
    (found,) = find_releases(tmp_path)
    assert (found.type, found.version.text) == ("hello", "1.0.0")
    assert sorted(map(str, found.platforms)) == ["darwin_arm64", "linux_amd64", "windows_amd64"]
    assert {name: b"".join(file.open()) for name, file in found.files.items()} == release.files
    assert {name: file.size for name, file in found.files.items()} == {n: len(d) for n, d in release.files.items()}
    assert open_files() == before


def test_one_folder_a_version_by_precedence(tmp_path: Path) -> None:
    for version in ("1.10.0", "1.9.0", "2.0.0-rc.1"):
        a_release(tmp_path / version, version)
    (tmp_path / "notes").mkdir()
    assert [one.version.text for one in find_releases(tmp_path)] == ["1.9.0", "1.10.0", "2.0.0-rc.1"]


def test_links_are_no_part_of_a_release(tmp_path: Path) -> None:
    a_release(tmp_path / "real/1.0.0")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/1.0.0").symlink_to(tmp_path / "real/1.0.0")
    with pytest.raises(ConfigError, match="holds no release"):
        find_releases(tmp_path / "linked")


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ({}, "holds no release"),
        ({"a": ("hello", "1.0.0"), "b": ("other", "1.0.0")}, "releases of hello and other"),
        ({"a": ("hello", "1.0")}, 'write all three parts, "1.0.0"'),
    ],
)
def test_what_is_no_providers_folder(tmp_path: Path, folders: dict[str, tuple[str, str]], message: str) -> None:
    for folder, (kind, version) in folders.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"terraform-provider-{kind}_{version}_SHA256SUMS").touch()
    with pytest.raises(ConfigError, match=message):
        find_releases(tmp_path)


def test_two_versions_in_one_folder(tmp_path: Path) -> None:
    a_release(tmp_path, "1.0.0")
    a_release(tmp_path, "1.1.0")
    with pytest.raises(ConfigError, match="each version needs a folder of its own"):
        find_releases(tmp_path)
