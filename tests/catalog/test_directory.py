import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.load import Memo, load
from gitopsreg.errors import ConfigError
from tests.catalog.catalogs import AT_MODULE, MODULE, WHOLE, a_catalog


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, text in WHOLE.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "content" / "internal" / "1.0.0").mkdir(parents=True)
    return tmp_path


def test_a_directory_is_read_like_a_commit(root: Path) -> None:
    found = load(replace(read_directory(root), root=""))
    wanted = load(a_catalog(WHOLE))
    assert found.findings == ()
    assert found.catalog == replace(wanted.catalog, revision="worktree", time="")


def test_findings_show_the_directory_as_it_was_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / AT_MODULE).write_text("a: b\n")
    monkeypatch.chdir(root.parent)
    assert load(read_directory(Path(root.name))).findings[0].path == f"{root.name}/{AT_MODULE}"
    assert load(read_directory(root)).findings[0].path == f"{root}/{AT_MODULE}"
    monkeypatch.chdir(root)
    assert load(read_directory(Path())).findings[0].path == AT_MODULE


def test_only_declared_folders_are_read(root: Path) -> None:
    for name in (".git/config.yaml", "content/x.yaml", "docs/a.yaml", "README.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("a: [")
    assert {file.path for file in read_directory(root).files} == set(WHOLE)


@pytest.mark.parametrize("path", ["missing", AT_MODULE])
def test_what_is_no_directory_is_the_operator_s_to_mend(root: Path, path: str) -> None:
    with pytest.raises(ConfigError, match=r"is not a directory: name the folder that holds registry\.yaml"):
        read_directory(root / path)


def test_symlinks_are_findings_and_never_followed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "dns").mkdir()
    (outside / "dns" / "aws.yaml").write_text(MODULE)
    (root / AT_MODULE).unlink()
    (root / AT_MODULE).symlink_to(outside / "dns" / "aws.yaml")
    (root / "namespaces/platform/modules/dns").symlink_to(outside / "dns")
    (root / "storage").symlink_to(outside)
    found = load(replace(read_directory(root), root=""))
    assert [(finding.rule, finding.path) for finding in found.findings] == [
        ("GR107", "namespaces/platform/modules/dns"),
        ("GR107", AT_MODULE),
        ("GR107", "storage"),
    ]
    assert [package.path for package in found.catalog.invalid] == [AT_MODULE]


def test_a_symlink_that_appears_between_listing_and_reading_is_not_followed(root: Path) -> None:
    files = read_directory(root)
    (root / AT_MODULE).rename(root / "elsewhere.yaml")
    (root / AT_MODULE).symlink_to(root / "elsewhere.yaml")
    assert [finding.rule for finding in load(files).findings] == ["GR013"]


def test_a_pipe_is_a_finding_and_blocks_nobody(root: Path) -> None:
    os.mkfifo(root / "namespaces/platform/keys/pipe.yaml")
    assert [finding.rule for finding in load(read_directory(root)).findings] == ["GR107"]


def test_a_file_that_becomes_a_pipe_blocks_nobody(root: Path) -> None:
    files = read_directory(root)
    (root / AT_MODULE).unlink()
    os.mkfifo(root / AT_MODULE)
    found = load(files).findings
    assert [(finding.rule, finding.message) for finding in found] == [
        ("GR013", "the file can't be read: it is no file any more")
    ]


def test_folders_too_deep_are_a_finding(root: Path) -> None:
    (root / "namespaces" / "/".join(["d"] * 40)).mkdir(parents=True)
    found = load(read_directory(root)).findings
    assert [finding.rule for finding in found] == ["GR107"]
    assert found[0].path.count("/d") == 32


def test_a_large_file_is_not_read(root: Path) -> None:
    with (root / AT_MODULE).open("wb") as file:
        file.truncate(10 * 1024**3)
    assert [finding.rule for finding in load(read_directory(root)).findings] == ["GR007"]


def test_names_that_no_one_can_print_are_shown_as_escapes(root: Path) -> None:
    place = os.fsencode(root / "namespaces") + b"/\xff\x1b[31m.yaml"
    os.close(os.open(place, os.O_CREAT | os.O_WRONLY))
    found = load(read_directory(root)).findings
    assert {finding.rule for finding in found} == {"GR011", "GR102"}
    assert "\\xff\\x1b[31m.yaml" in str(found[0])
    assert all(str(finding).isprintable() for finding in found)


def test_a_changed_file_is_read_again_and_no_other(root: Path) -> None:
    memo = Memo()
    load(read_directory(root), memo=memo)
    load(read_directory(root), memo=memo)
    assert memo.parsed == len(WHOLE)
    (root / AT_MODULE).write_text(MODULE + "  suspend: true\n")
    load(read_directory(root), memo=memo)
    assert memo.parsed == len(WHOLE) + 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("content", True), ("content/internal/1.0.0", True), ("content/none", False), ("", False), (".", False),
        ("content/../content", False), ("/etc", False), ("registry.yaml", False), ("linked", False),
        ("linked/internal", False), ("content//internal", False), ("a\0b", False), (AT_MODULE, False),
    ],
)  # fmt: skip
def test_which_folders_there_are(root: Path, path: str, expected: bool) -> None:
    (root / "linked").symlink_to(root / "content")
    assert read_directory(root).has_folder(path) is expected


def test_checking_a_directory_needs_neither_git_nor_server() -> None:
    """A linter in a hook should start quickly: no heavy library may creep in."""
    program = (
        "import sys, gitopsreg.catalog.load, gitopsreg.catalog.directory, gitopsreg.catalog.report\n"
        "heavy = {'pygit2', 'fastapi', 'starlette', 'uvicorn', 'httpx', 'pydantic', 'pysequoia', 'rich', 'typer'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
