"""This checkout as others get it: a Git repository with what is in the working tree, committed."""

import subprocess
from pathlib import Path

import pytest

from tests.repositories import a_repository, commit, write

TOP = Path(__file__).parents[2]
ACTION = TOP / ".github" / "action"


def a_clone(path: Path) -> tuple[Path, str]:
    """(repository, its commit): a clone of this repository with the changes that are not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0 or not (TOP / ".git").exists():
        pytest.skip("this is no Git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name and (TOP / name).is_file()]
    repository = a_repository(path)
    write(repository, {name: (TOP / name).read_bytes() for name in names})
    for name in names:
        (repository / name).chmod((TOP / name).stat().st_mode)
    return repository, commit(repository)
