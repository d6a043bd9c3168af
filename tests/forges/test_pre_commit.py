"""The hooks as pre-commit runs them: installed with pip from a clone of this checkout, in a repository of a user."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import environment
from tests.forges.checkout import TOP, a_clone
from tests.repositories import commit, git, write

PRE_COMMIT = Path(sys.executable).with_name("pre-commit")
WRONG = "namespaces/platform/modules/greeting/generic.yaml"


def index_answers(folder: Path) -> bool:
    """Whether pip can get what a hook's environment is built with."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    command.append("hatchling")
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return done.returncode == 0


def run(catalog: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = environment(PRE_COMMIT_HOME=str(home), PRE_COMMIT_COLOR="never")
    return subprocess.run(
        [str(PRE_COMMIT), *arguments],
        cwd=catalog,
        env=variables,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def test_the_manifest_is_one(tmp_path: Path) -> None:
    done = run(TOP, tmp_path, "validate-manifest", str(TOP / ".pre-commit-hooks.yaml"))
    assert done.returncode == 0, done.stdout


@pytest.mark.timeout(600)
def test_a_new_catalog_is_guarded_by_the_hooks(tmp_path: Path) -> None:
    if os.environ.get("CI") != "true" and not index_answers(tmp_path / "download"):
        pytest.skip("pip can't reach a package index, which pre-commit installs hooks from")
    tools, revision = a_clone(tmp_path / "tools")
    catalog, home = tmp_path / "catalog", tmp_path / "home"
    source = ("--tools", f"file://{tools}", "--tools-revision", revision)
    subprocess.run([sys.executable, "-m", "gitopsreg", "new-catalog", str(catalog), "--git", *source], check=True)
    commit(catalog)

    clean = run(catalog, home, "run", "--all-files")
    assert clean.returncode == 0, clean.stdout + clean.stderr
    for hook in ("fmt", "codeowners", "validate"):
        assert f"gitopsreg {hook}" in clean.stdout
    assert clean.stdout.count("Passed") == 3
    assert git(catalog, "status", "--porcelain") == ""

    # What is wrong stops the commit and is told, with its place.
    write(catalog, {WRONG: (catalog / WRONG).read_text().replace('"1.0.0"', "1.0")})
    git(catalog, "add", "--all")
    wrong = run(catalog, home, "run", "gitopsreg-validate")
    assert wrong.returncode == 1
    assert f"{WRONG}:" in wrong.stdout
    assert "[GR201]" in wrong.stdout
    git(catalog, "reset", "--quiet", "--hard")

    # New owners change CODEOWNERS in the same commit.
    owners = catalog / "namespaces/platform/namespace.yaml"
    owners.write_text(owners.read_text().replace("acme/platform", "acme/others"))
    git(catalog, "add", "--all")
    owned = run(catalog, home, "run", "gitopsreg-codeowners")
    assert owned.returncode == 1
    assert "files were modified by this hook" in owned.stdout
    assert "@acme/others" in (catalog / ".github/CODEOWNERS").read_text()
    git(catalog, "add", "--all")
    assert run(catalog, home, "run").returncode == 0

    # A file that holds no declaration concerns none of them.
    git(catalog, "reset", "--quiet", "--hard")
    write(catalog, {"notes.txt": "x"})
    git(catalog, "add", "--all")
    assert run(catalog, home, "run").stdout.count("Skipped") == 3
