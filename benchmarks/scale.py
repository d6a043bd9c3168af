"""What a registry costs as it grows: from an import to one changed line, with the real commands.

`python -m benchmarks.scale [--quick] [--large] [--data PATH] [--json FILE] [PACKAGES …]`: sizes, by default 1,000,
5,000, 16,000 and 27,479 (the public registry); `--large` adds 100,000, which wants 10 GB of disk and a quarter of an
hour. PATH is a folder laid out like opentofu/registry or an archive of one, by default the archive that lies beside the
clone; it holds packages a to m, so larger registries have the same under other names too. Without any the packages are
made up.

For each size: `gitopsreg import opentofu-registry`, a commit, `gitopsreg reconcile` into an empty store (all by
reference, from repositories on this machine), again with nothing changed, with one declaration changed, with one
version more upstream; `gitopsreg serve` on what came of it. Then the same in a process that goes on, as `--watch` does.
"""

import json
import shutil
import statistics
import sys
import tempfile
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.process import Ran, peak, run
from benchmarks.registry_files import PUBLIC
from benchmarks.result import Result, arguments
from benchmarks.server_start import _serving as serving
from benchmarks.world import BESIDE, World, unpacked
from gitopsreg.reconcile.events import Silent
from gitopsreg.settings.sources import load
from gitopsreg.wiring.reconciling import make_reconciler

SIZES = (1_000, 5_000, 16_000, PUBLIC)
LARGE = 100_000
TIMES = 3


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("sizes", nargs="*", type=int, metavar="PACKAGES")
    parser.add_argument("--large", action="store_true", help="100,000 packages too")
    parser.add_argument("--data", type=Path, default=BESIDE, metavar="PATH", help="a registry, or an archive of one")
    parser.add_argument("--running", type=Path, metavar="FOLDER", help="(for the script itself)")
    options = parser.parse_args()
    if options.running:
        print(json.dumps(_running(World(options.running))))
        return
    result = Result("scale")
    with tempfile.TemporaryDirectory(prefix="scale-") as scratch:
        data = unpacked(options.data, Path(scratch))
        for size in _sizes(options):
            _measure(result, World(Path(scratch) / str(size)), size, data)
            shutil.rmtree(Path(scratch) / str(size))
    result.save(options.json)


def _sizes(options: Namespace) -> tuple[int, ...]:
    sizes = tuple(options.sizes) or ((300, 1_000) if options.quick else SIZES)
    return (*sizes, LARGE) if options.large else sizes


def _measure(result: Result, world: World, size: int, data: Path | None) -> None:
    imported = world.create(size, data)
    cold, told = world.reconcile()
    files = world.stored()
    result.row(
        "A registry from nothing",
        {
            "packages": size, "published": told["packages"], "versions": told["versionsAdded"],
            "import s": imported.seconds, "import MB": imported.peak,
            "reconcile s": cold.seconds, "CPU s": cold.cpu, "reconcile MB": cold.peak,
            "objects": len(files), "store MB": sum((world.store / file).stat().st_size for file in files) / 1e6,
        },
    )  # fmt: skip
    _changes(result, world, size)
    _served(result, world, size)
    command = [sys.executable, "-m", "benchmarks.scale", "--running", str(world.folder)]
    figures = json.loads(run(command, world.variables).out)
    for what, (seconds, cpu, memory) in figures.items():
        row = {"packages": size, "what": what, "ms": seconds * 1000, "CPU ms": cpu * 1000, "MB": memory}
        result.row("A process that goes on running", row)


def _changes(result: Result, world: World, size: int) -> None:
    works: dict[str, Callable[[int], None]] = {
        "nothing": lambda _: None,
        "one declaration": world.describe,
        "one version upstream": world.release,
    }
    for what, change in works.items():
        ran: list[Ran] = []
        written: list[tuple[int, str]] = []
        for nth in range(TIMES):
            change(nth)
            before = world.stored()
            ran.append(world.reconcile()[0])
            written.append(_written(before, world.stored()))
        result.row(
            "One change, by `gitopsreg reconcile`",
            {
                "packages": size, "changed": what, "seconds": statistics.median(one.seconds for one in ran),
                "CPU s": statistics.median(one.cpu for one in ran), "MB": max(one.peak for one in ran),
                "objects": max(written)[0], "of which": max(written)[1],
            },
        )  # fmt: skip


def _written(before: dict[str, int], after: dict[str, int]) -> tuple[int, str]:
    """How many objects are new or not as they were, and how many by the first part of their keys."""
    changed = Counter(path.split("/")[0] for path in after if before.get(path) != after[path])
    return changed.total(), ", ".join(f"{changed[kind]} {kind}" for kind in sorted(changed))


def _served(result: Result, world: World, size: int) -> None:
    for what in ("first start, no cache", "second start"):
        with serving(world.store, world.folder / "serving") as server:
            at_once = server.memory
            server.settle()
            result.row(
                "`gitopsreg serve`",
                {
                    "packages": size, "what": what, "ready s": server.ready,
                    "MB when ready": at_once * 1.048576, "MB with all packages read": server.memory * 1.048576,
                },
            )  # fmt: skip


def _running(world: World) -> dict[str, tuple[float, float, float]]:
    """What `--watch` does, without the waiting: seconds, those of CPU, and the most memory (MB) so far."""
    figures: dict[str, tuple[float, float, float]] = {}

    def measure(what: str, change: Callable[[int], object], work: Callable[[], object], times: int = TIMES) -> None:
        taken: list[tuple[float, float]] = []
        for nth in range(times):
            change(100 + nth)
            began, used = time.perf_counter(), time.process_time()
            work()
            taken.append((time.perf_counter() - began, time.process_time() - used))
        wall, cpu = (statistics.median(column) for column in zip(*taken, strict=True))
        figures[what] = wall, cpu, peak()

    with make_reconciler(load({}), Silent()) as reconciler:
        measure("first run", lambda _: None, reconciler.run, times=1)
        measure("tick, nothing changed", lambda _: None, reconciler.tick, times=20)
        measure("asked to run, nothing changed", lambda _: None, reconciler.run)
        measure("one declaration changed", world.describe, reconciler.tick)
        measure("one version upstream", world.release, reconciler.run)
    return figures


if __name__ == "__main__":
    main()
