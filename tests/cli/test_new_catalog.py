import subprocess
from pathlib import Path

import pytest

from tests.cli.shell import gitopsreg
from tests.repositories import commit

STYLES = ("github", "gitlab")


@pytest.mark.parametrize("style", STYLES)
def test_what_is_made_has_no_finding(tmp_path: Path, style: str) -> None:
    done = gitopsreg("new-catalog", "mine", "--style", style, cwd=tmp_path)
    assert (done.code, done.stderr) == (0, "")
    folder = tmp_path / "mine"
    for line in done.stdout.splitlines()[1:]:
        if not line.startswith("  next: "):
            assert (folder / line.strip()).is_file()
    assert not (folder / ".git").exists()
    for check in (("validate", "--strict"), ("codeowners", "--check", "--style", style), ("fmt", "--check")):
        done = gitopsreg(*check, cwd=folder)
        assert done.code == 0, done
    for path in folder.rglob("*"):
        assert "@NAMESPACE@" not in (path.read_text() if path.is_file() else "")


def test_it_can_be_published_as_it_is(tmp_path: Path) -> None:
    assert gitopsreg("new-catalog", "mine", "--git", cwd=tmp_path).code == 0
    folder = tmp_path / "mine"
    head = subprocess.run(["git", "symbolic-ref", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
    assert head.stdout == "refs/heads/main\n"
    commit(folder)
    store = tmp_path / "store"
    done = gitopsreg("reconcile", "--catalog", folder, "--store", store, "--cache", tmp_path / "cache")
    assert done.code == 0, done.stderr
    assert "module:platform/greeting/generic" in gitopsreg("status", "--store", store).stdout


def test_own_names(tmp_path: Path) -> None:
    arguments = (
        "--namespace",
        "network",
        "--owner",
        "@acme/network",
        "--admin",
        "@octocat",
        "--admin",
        "a@example.com",
    )
    done = gitopsreg("new-catalog", "mine", *arguments, "--output", "json", cwd=tmp_path)
    assert "namespaces/network/namespace.yaml" in done.json["files"]
    text = (tmp_path / "mine/.github/CODEOWNERS").read_text()
    assert "/namespaces/network/ @acme/network\n" in text
    assert "/registry.yaml @octocat a@example.com\n" in text


def test_tools_from_elsewhere(tmp_path: Path) -> None:
    arguments = ("--tools", "https://git.example.com/mirror/gitopsreg.git", "--tools-revision", "a" * 40)
    assert gitopsreg("new-catalog", "mine", *arguments, cwd=tmp_path).code == 0
    folder = tmp_path / "mine"
    hooks = (folder / ".pre-commit-config.yaml").read_text()
    assert f"repo: https://git.example.com/mirror/gitopsreg.git\n    rev: {'a' * 40}\n" in hooks
    workflow = (folder / ".github/workflows/validate.yml").read_text()
    assert f"uses: mirror/gitopsreg@{'a' * 40}\n" in workflow


def test_a_folder_that_holds_only_git_is_empty(tmp_path: Path) -> None:
    (tmp_path / "mine/.git").mkdir(parents=True)
    assert gitopsreg("new-catalog", "mine", cwd=tmp_path).code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((".",), 'is not empty, it holds "file"'),
        (("file",), '"file" can\'t be used: Not a directory'),
        (("x", "--namespace", "My Team"), "is not a legal namespace"),
        (("x", "--owner", "acme"), "does not say what kind of owner"),
        (("x", "--style", "gitea"), 'write "github" or "gitlab"'),
        (("x", "--tools", "ftp://example.com/x"), "--tools: "),
        (("x", "--tools", "https://e.com/a\n    rev: x"), "--tools: "),
        (("x", "--tools-revision", "v1\n  x"), "write a tag or a commit"),
    ],
)
def test_nothing_is_made_when_anything_is_wrong(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "file").touch()
    done = gitopsreg("new-catalog", *arguments, cwd=tmp_path)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_name_that_no_client_could_use(tmp_path: Path) -> None:
    done = gitopsreg("new-catalog", "mine", "--namespace", "search", cwd=tmp_path)
    assert done.code == 1
    assert "[GR504]" in done.stderr
    assert not (tmp_path / "mine").exists()
