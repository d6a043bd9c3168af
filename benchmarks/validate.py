"""How long `gitopsreg validate` takes, on catalogs made here, beside yardsticks measured in the same run.

`python benchmarks/validate.py [SIZE …]` prints a Markdown table. A loaded machine makes all numbers worse, the ratios
hardly: read those.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

_HEAD = "apiVersion: gitopsreg.io/v1alpha1\n"
_NAMESPACE = _HEAD + "kind: Namespace\nmetadata: {{name: {name}}}\nspec: {{displayName: Team {name}}}\n"
_MODULE = _HEAD + (
    "kind: Module\n"
    "metadata: {{name: {name}, namespace: {namespace}, labels: {{team: network}}}}\n"
    "spec:\n"
    "  system: aws\n"
    "  description: The module {name}, as its team wrote it\n"
    "  source: {{type: git, url: https://git.example.com/{namespace}/terraform-{name}.git}}\n"
    "  versions:\n"
    "    exclude: ['^1\\.3\\.']\n"
    '    constraint: ">= 1.0.0, < 4.0.0"\n'
    "    pins:\n"
    '      - {{version: "1.4.2", commit: 9c1d0f3b5b1b4a0e2f6c7d8e9f00112233445566}}\n'
)
_PARSE = (
    "import sys, yaml, pathlib\n"
    "for path in pathlib.Path(sys.argv[1]).rglob('*.yaml'):\n"
    "    yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)\n"
)
_A_NAMESPACE_HAS = 500


def main(sizes: Iterable[int]) -> None:
    _head()
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            catalog = Path(folder) / "catalog"
            _make(catalog, size)
            _measure(Path(folder), catalog, canonical=True)
    print(f"\nLoad after: {os.getloadavg()[0]:.1f}")


def measure(folder: Path, catalog: Path) -> None:
    """The same for one catalog that is there; `folder` is for what is remembered."""
    _head()
    _measure(folder, catalog, canonical=False)
    print(f"\nLoad after: {os.getloadavg()[0]:.1f}")


def _head() -> None:
    print(f"Load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, Python {sys.version.split()[0]}\n")
    print("| what | files | seconds | CPU seconds | yardstick | ratio (CPU) |")
    print("|---|---|---|---|---|---|")


def _measure(folder: Path, catalog: Path, *, canonical: bool) -> None:
    files = sum(1 for _ in catalog.rglob("*.yaml"))
    python = [sys.executable]
    ours = [*python, "-m", "gitopsreg", "validate", str(catalog)]
    cache = {"XDG_CACHE_HOME": str(folder / "cache")}
    nothing = _timed([*python, "-c", "pass"], {})
    parsing = _timed([*python, "-c", _PARSE, str(catalog)], {})
    _row("`python -c pass`", 0, nothing, "", None)
    _row("yaml (C) parses the same files", files, parsing, "", None)
    _row("validate, nothing remembered", files, _timed([*ours, "--no-cache"], {}), "yaml (C)", parsing)
    _timed(ours, cache, times=1)
    _row("validate again", files, _timed(ours, cache), "yaml (C)", parsing)
    changed = next(catalog.rglob("aws.yaml"))
    changed.write_text(changed.read_text() + "# changed\n")
    _row("validate, one file changed", files, _timed(ours, cache, times=1), "yaml (C)", parsing)
    if canonical:
        formatting = [*python, "-m", "gitopsreg", "fmt", "--check", str(catalog)]
        _row("fmt --check", files, _timed(formatting, {}, times=1), "yaml (C)", parsing)


def _make(catalog: Path, size: int) -> None:
    for number in range(size):
        namespace, name = f"team{number // _A_NAMESPACE_HAS}", f"module-{number}"
        home = catalog / "namespaces" / namespace
        place = home / "modules" / name / "aws.yaml"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(_MODULE.format(name=name, namespace=namespace))
        if number % _A_NAMESPACE_HAS == 0:
            (home / "namespace.yaml").write_text(_NAMESPACE.format(name=namespace))


def _timed(command: list[str], variables: dict[str, str], times: int = 3) -> tuple[float, float]:
    """(seconds on the wall, seconds of CPU), each the median."""
    wall, cpu = [], []
    for _ in range(times):
        before, started = os.times(), time.monotonic()
        subprocess.run(command, env=os.environ | variables, check=True, capture_output=True)
        wall.append(time.monotonic() - started)
        after = os.times()
        cpu.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return statistics.median(wall), statistics.median(cpu)


def _row(what: str, files: int, taken: tuple[float, float], yardstick: str, than: tuple[float, float] | None) -> None:
    ratio = f"{taken[1] / than[1]:.2f}" if than and than[1] else ""
    print(f"| {what} | {files:,} | {taken[0]:.2f} | {taken[1]:.2f} | {yardstick} | {ratio} |", flush=True)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [1, 1000, 27_000])
