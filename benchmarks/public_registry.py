"""How long `gitopsreg import opentofu-registry` takes on the public OpenTofu registry's own data, and `validate` on the
catalog that it makes.

`python benchmarks/public_registry.py [REGISTRY]`: REGISTRY is a folder laid out like opentofu/registry, or a tar of
one; by default the archive that lies beside the clone, if it does.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from validate import measure

BESIDE = Path(__file__).parents[2] / "shared" / "data" / "opentofu-registry-a-m.tar.xz"


def main(registry: Path) -> None:
    if not registry.exists():
        print(f"no data at {registry.name}: name a registry laid out like opentofu/registry")
        return
    with tempfile.TemporaryDirectory() as folder:
        catalog = Path(folder) / "catalog"
        _import(_unpacked(registry, Path(folder) / "registry"), catalog)
        measure(Path(folder), catalog)


def _unpacked(registry: Path, folder: Path) -> Path:
    if registry.is_dir():
        return registry
    with tarfile.open(registry) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _import(registry: Path, catalog: Path) -> None:
    command = [sys.executable, "-m", "gitopsreg", "import", "opentofu-registry", str(registry), "--out", str(catalog)]
    before, started = os.times(), time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, after = time.monotonic() - started, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    print(*done.stdout.splitlines()[:2], sep="; ")
    print(f"import: {seconds:.2f} s, {used:.2f} s of CPU\n", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else BESIDE)
