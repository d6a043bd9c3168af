"""A registry in Git, a catalog of it and a store, all in one folder: what the benchmarks of growth live in."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bare_repository import BareRepository
from benchmarks.process import Ran, run
from benchmarks.registry_files import registry_files, with_one_more_version

BESIDE = Path(__file__).parents[2] / "shared" / "data" / "opentofu-registry-a-m.tar.xz"
GITOPSREG = (sys.executable, "-m", "gitopsreg")


def unpacked(source: Path, scratch: Path) -> Path | None:
    """The folder with a registry's files; None where there is none: then packages are made up."""
    if source.is_dir() or not source.exists():
        return source if source.is_dir() else None
    folder = scratch / "data"
    folder.mkdir()
    subprocess.run(["tar", "-xf", str(source), "-C", str(folder)], check=True)
    return folder


@dataclass(frozen=True, slots=True)
class World:
    """`folder` is made by `create`, and may be opened again by another process."""

    folder: Path

    def create(self, packages: int, data: Path | None) -> Ran:
        """A registry of so many packages and a catalog that declares them; how the import went."""
        self.registry.commit(registry_files(packages, data))
        written = self.folder / "written"
        command = [*GITOPSREG, "import", "opentofu-registry", str(self.registry.path), "--url", self.registry.url]
        ran = run([*command, "--out", str(written)])
        self.catalog.commit(_files_below(written))
        shutil.rmtree(written)
        return ran

    @property
    def registry(self) -> BareRepository:
        return BareRepository(self.folder / "registry.git")

    @property
    def catalog(self) -> BareRepository:
        return BareRepository(self.folder / "catalog.git")

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def variables(self) -> Mapping[str, str]:
        """Settings for our commands."""
        return {
            "GITOPSREG_CATALOG": str(self.folder / "catalog.git"),
            "GITOPSREG_STORE": str(self.store),
            "GITOPSREG_CACHE": str(self.folder / "cache"),
            "GITOPSREG_ALLOW_LOCAL_SOURCES": "true",
        }

    def reconcile(self) -> tuple[Ran, dict[str, Any]]:
        """What a public registry lists and nobody can serve ends it with 1."""
        ran = run([*GITOPSREG, "reconcile", "--output", "json"], self.variables, accept=(0, 1))
        return ran, json.loads(ran.out)

    def describe(self, nth: int) -> None:
        """A commit that gives one module another description; another one for each `nth`."""
        catalog = self.catalog
        paths = [path for path in catalog.paths() if "/modules/" in path]
        path = paths[nth * 7919 % len(paths)]
        changed = catalog.read(path).replace(b"\nspec:\n", b"\nspec:\n  description: Change number %d\n" % nth, 1)
        catalog.commit([(path, changed)])

    def release(self, nth: int) -> None:
        """A commit upstream: somebody released a provider; another one for each `nth`."""
        registry = self.registry
        paths = [path for path in registry.paths() if path.startswith("providers/")]
        for path in (*paths[nth:], *paths[:nth]):
            content = registry.read(path)
            if b'"version"' in content and b"999.0.0" not in content:
                registry.commit([(path, with_one_more_version(content))])
                return

    def stored(self) -> dict[str, int]:
        """The store's files by path, locks left out, with the time of their last change."""
        paths = (path for path in self.store.rglob("*") if path.is_file() and "~locks" not in path.parts)
        return {path.relative_to(self.store).as_posix(): path.stat().st_mtime_ns for path in paths}


def _files_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()
