"""Folders that may not be read: said so, and not taken for folders that hold no repository."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.shell import Ran, environment, gitopsreg
from tests.opentofu import a_registry, module_file
from tests.repositories import git

# Nothing is forbidden to root, but for what it gives up itself.
_WEAK = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"] if os.geteuid() == 0 else []

Run = Callable[..., Ran]


@pytest.fixture
def weakly(tmp_path: Path) -> Run:
    """Runs gitopsreg as somebody to whom things can be forbidden."""
    probe = tmp_path / "probe"
    probe.mkdir(mode=0)
    if _WEAK and not shutil.which(_WEAK[0]):
        pytest.skip("root can't give up its rights without setpriv")
    if subprocess.run([*_WEAK, "ls", probe], capture_output=True, check=False).returncode == 0:
        pytest.skip("nothing is forbidden to this user")

    def run(*arguments: str | Path) -> Ran:
        command = [*_WEAK, sys.executable, "-m", "gitopsreg", *map(str, arguments)]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=False)
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Path]:
    there, catalog = tmp_path / "registry", tmp_path / "catalog"
    a_registry(there, module_file("acme/vpc/aws", "v1.0.0") | module_file("acme/net/aws", "v1.0.0"))
    assert gitopsreg("import", "opentofu-registry", there, "--url", there.as_uri(), "--out", catalog).code == 0
    git(catalog, "init", "-q", "-b", "main")
    git(catalog, "add", ".")
    git(catalog, "commit", "-qm", "all of it")
    yield catalog
    for folder in (catalog, catalog / ".git", there):
        folder.chmod(0o755)


@pytest.mark.parametrize("part", ["", ".git"])
def test_a_catalog_that_may_not_be_read(catalog: Path, weakly: Run, part: str) -> None:
    (catalog / part).chmod(0)
    for command in (("plan", "--catalog", catalog, "--store", catalog.parent / "store"), ("validate", catalog)):
        done = weakly(*command, *(("--base", "HEAD") if command[0] == "validate" else ()))
        assert done.code in {2, 3}
        assert done.stdout == ""
        assert f'"{catalog / part}"' in done.stderr
        assert "permission denied" in done.stderr
        assert "no Git repository" not in done.stderr
        assert f"let the user with id {os.geteuid()} read it" in done.stderr
        assert "mistake in gitopsreg" not in done.stderr


def test_an_upstream_that_may_not_be_read_costs_its_own_packages_only(catalog: Path, weakly: Run) -> None:
    there = catalog.parent / "registry"
    there.chmod(0)
    done = weakly("plan", "--catalog", catalog, "--store", catalog.parent / "store", "--allow-local-sources")
    assert (done.code, done.stderr) == (3, "")
    assert (
        f'2 packages of {there.as_uri()} can\'t be asked  UpstreamError: permission denied for "{there}"' in done.stdout
    )
