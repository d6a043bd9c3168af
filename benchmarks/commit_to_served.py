"""How long after a push a version is listed over HTTP: the registry as a team would run it, with a webhook.

`python -m benchmarks.commit_to_served [--quick] [--packages N] [--pushes N] [--apart] [--json FILE]`: 200 pushes each
to remotes that are folders and to remotes behind HTTP (`git http-backend`), to a registry as large as the public one;
then HTTP again while wrk asks 5,000 times a second for versions. The registry is `gitopsreg up`; `--apart` measures it
once more as two processes, `serve` and `reconcile --watch`. `--quick`: 1,000 packages, 20 pushes. Every other push is a
commit to the catalog that declares one package more, the rest new tags of a module's repository of 100 files, which is
packed and stored. The clock starts when `git push` returns; then the webhook is sent, as a forge does.
"""

import shutil
import statistics
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clients import Asked, asking
from benchmarks.registry_files import PUBLIC
from benchmarks.result import Result, arguments
from benchmarks.running import WAYS
from benchmarks.team import Team
from benchmarks.world import BESIDE, World, unpacked
from tests.repositories import GitServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`way` is one of WAYS; `asked`: by clients, meanwhile."""

    remote: str
    way: str
    asked: bool = False


def main() -> None:
    options = _options()
    result = Result("commit_to_served")
    with tempfile.TemporaryDirectory(prefix="commit-to-served-") as scratch:
        data = unpacked(options.data, Path(scratch))
        for remote in ("folders", "HTTP"):
            world = World(Path(scratch) / remote)
            world.create(options.packages, data)
            with GitServer(world.folder) as server:
                team = Team(world, server.url() if remote == "HTTP" else f"{world.folder.as_uri()}/")
                cases = list(_cases(remote, apart=options.apart))
                team.settle(most=len(cases) * options.pushes // 2)
                world.reconcile()
                for case in cases:
                    _measure(result, team, options, case)
            shutil.rmtree(world.folder)
    result.save(options.json)


def _options() -> Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--packages", type=int, metavar="N")
    parser.add_argument("--pushes", type=int, metavar="N")
    parser.add_argument("--apart", action="store_true", help="as two processes too")
    parser.add_argument("--data", type=Path, default=BESIDE, metavar="PATH", help="a registry, or an archive of one")
    options = parser.parse_args()
    options.packages = options.packages or (1_000 if options.quick else PUBLIC)
    options.pushes = (options.pushes or (20 if options.quick else 200)) // 2 * 2
    return options


def _cases(remote: str, *, apart: bool) -> Iterator[Case]:
    for way in WAYS if apart else ("up",):
        yield Case(remote=remote, way=way)
        if remote == "HTTP" and shutil.which("wrk"):
            yield Case(remote=remote, way=way, asked=True)


def _measure(result: Result, team: Team, options: Namespace, case: Case) -> None:
    asked: Asked | None = None
    with WAYS[case.way](team) as server:
        before = server.memory()
        if case.asked:
            with asking(server.netloc, team.listed(), team.world.folder) as asked:
                seconds = team.push_all(server, options.pushes)
        else:
            seconds = team.push_all(server, options.pushes)
        memory = {"MB before": before, "MB after": server.memory()}
    about = {"packages": options.packages, "remote": case.remote, "registry": case.way}
    about["load"] = f"asked {asked.rate:,.0f} times a second" if asked else "nothing else to do"
    for what, each in seconds.items():
        result.row("From the push to the listed version", about | _figures(what, each) | memory)
        rows = ({"push": nth, "ms": one * 1000} for nth, one in enumerate(each, start=1))
        result.keep("Each push", (about | {"pushed": what} | row for row in rows))
    if asked:
        _clients(result, about, asked)


def _figures(what: str, seconds: list[float]) -> dict[str, str | int | float]:
    """The last quarter of the pushes is told apart: it shows whether they take ever longer."""
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    last = seconds[-len(seconds) // 4 :]
    return {
        "pushed": what, "pushes": len(seconds), "p50 ms": statistics.median(seconds) * 1000, "p95 ms": p95 * 1000,
        "longest ms": max(seconds) * 1000, "p50 of the last ms": statistics.median(last) * 1000,
    }  # fmt: skip


def _clients(result: Result, about: dict[str, str | int], asked: Asked) -> None:
    result.row(
        "Clients meanwhile",
        {
            "packages": about["packages"], "registry": about["registry"], "requests": asked.requests,
            "a second": asked.rate, "failed": asked.failed, "p50 ms": asked.p50, "p99 ms": asked.p99,
            "longest ms": asked.longest,
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()
