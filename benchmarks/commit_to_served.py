"""How long after a push a version is listed over HTTP: `gitopsreg up` as a team would run it, with a webhook.

`python -m benchmarks.commit_to_served [--quick] [--packages N] [--pushes N] [--json FILE]`: 200 pushes each to remotes
that are folders and to remotes behind HTTP (`git http-backend`), to a registry as large as the public one; then HTTP
again while wrk asks 5,000 times a second for versions. `--quick`: 1,000 packages, 20 pushes. Every other push is a
commit to the catalog that declares one package more, the rest new tags of a module's repository of 100 files, which is
packed and stored. The clock starts when `git push` returns; then the webhook is sent, as a forge does.
"""

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.registry_files import PUBLIC
from benchmarks.result import Result, arguments
from benchmarks.team import SECRET, Server, Team
from benchmarks.world import BESIDE, GITOPSREG, World, unpacked
from tests.repositories import GitServer

# So many connections with pauses of 10 ms on average ask 5,000 times a second, as long as answers take next to nothing.
_CONNECTIONS = 52


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
                team.settle(most=options.pushes)
                world.reconcile()
                _measure(result, team, options, remote)
            shutil.rmtree(world.folder)
    result.save(options.json)


def _options() -> Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--packages", type=int, metavar="N")
    parser.add_argument("--pushes", type=int, metavar="N")
    parser.add_argument("--data", type=Path, default=BESIDE, metavar="PATH", help="a registry, or an archive of one")
    options = parser.parse_args()
    options.packages = options.packages or (1_000 if options.quick else PUBLIC)
    options.pushes = options.pushes or (20 if options.quick else 200)
    return options


def _measure(result: Result, team: "Team", options: Namespace, remote: str) -> None:
    with _up(team) as server:
        _row(result, team.push_all(server, options.pushes // 2 * 2), options, remote, "nothing else to do")
    if remote == "HTTP" and shutil.which("wrk"):
        with _up(team) as server, _asked(team, server) as asked:
            seconds = team.push_all(server, options.pushes // 2 * 2)
        _row(result, seconds, options, remote, f"asked {asked.rate:,.0f} times a second")
        result.row(
            "Clients meanwhile",
            {
                "packages": options.packages, "requests": asked.requests, "a second": asked.rate,
                "failed": asked.failed, "p50 ms": asked.p50, "p99 ms": asked.p99, "longest ms": asked.longest,
            },
        )  # fmt: skip


def _row(result: Result, seconds: dict[str, list[float]], options: Namespace, remote: str, load: str) -> None:
    for what, each in seconds.items():
        p95 = statistics.quantiles(each, n=20, method="inclusive")[-1]
        result.row(
            "From the push to the listed version",
            {
                "packages": options.packages, "remote": remote, "load": load, "pushed": what, "pushes": len(each),
                "p50 ms": statistics.median(each) * 1000, "p95 ms": p95 * 1000, "longest ms": max(each) * 1000,
            },
        )  # fmt: skip


@contextmanager
def _up(team: Team) -> Iterator[Server]:
    receiver = [{"name": "push", "type": "bearer", "secrets": [{"env": "HOOK_SECRET"}]}]
    variables = {
        **team.world.variables,
        "GITOPSREG_CATALOG": f"{team.base}catalog.git",
        "GITOPSREG_RECEIVERS": json.dumps(receiver),
        "HOOK_SECRET": SECRET,
    }
    command = [*GITOPSREG, "up", "--listen", "127.0.0.1:0", "--output", "json", "--log-level", "error"]
    with subprocess.Popen(command, env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                if url := json.loads(line).get("url"):
                    break
            else:
                raise RuntimeError("gitopsreg up ended before it served")
            yield Server(urlsplit(url).netloc)
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout = None
            process.wait()


@dataclass(slots=True)
class Asked:
    """What wrk tells in the end; latencies in milliseconds."""

    requests: int = 0
    rate: float = 0.0
    failed: int = 0
    p50: float = 0.0
    p99: float = 0.0
    longest: float = 0.0


@contextmanager
def _asked(team: Team, server: Server) -> Iterator[Asked]:
    """Clients that ask for versions while the block runs."""
    asked = Asked()
    paths = team.world.folder / "paths"
    paths.write_text("\n".join(team.listed()) + "\n")
    command = ["wrk", "--latency", "--threads", "1", "--connections", str(_CONNECTIONS), "--duration", "3600"]
    command += ["--script", str(Path(__file__).with_name("paced.lua")), f"http://{server.netloc}", str(paths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield asked
        finally:
            process.send_signal(signal.SIGINT)  # then it tells what it saw
            _read(process.communicate()[0], asked)


def _read(told: str, asked: Asked) -> None:
    def milliseconds(pattern: str) -> float:
        found = re.search(pattern + r"\s+([\d.]+)(us|ms|s)", told)
        return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]] if found else float("nan")

    count = re.search(r"(\d+) requests in", told)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", told)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    asked.requests, asked.rate = int(count[1]) if count else 0, float(rate[1]) if rate else 0.0
    asked.failed = sum(map(int, errors.groups())) if errors else 0
    asked.failed += int(refused[1]) if refused else 0
    asked.p50, asked.p99 = milliseconds("50%"), milliseconds("99%")
    asked.longest = milliseconds(r"Latency\s+\S+\s+\S+")


if __name__ == "__main__":
    main()
