"""Answers a second, compared: nginx with the same bytes as files, `gitopsreg serve`, and plain FastAPI.

`python -m benchmarks.hot_path [--seconds S] [--json FILE] [--only CASE]`. The clients are wrk's, with keep-alive. With
one worker the server has one core and wrk another; with two workers all share both. Half load is wrk with pauses
between the requests of each connection. What a server's own CPU took for a request is counted as well: where the
client is the limit, that says what the server had left.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.hot_registry import CASES, Case, make_store
from benchmarks.hot_servers import ALL, LAST, Server, get, nginx, nginx_on, ours, plain

TOKEN = "Authorization: Bearer " + "0123456789abcdef" * 2
NAMES = [case.name for case in CASES]
_CLOCK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PAUSE = 3  # milliseconds, on average, between the requests of one connection at half load


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Latencies in milliseconds; `micros`: CPU time of the server a request; `memory`: resident MiB of all workers."""

    server: str
    workers: int
    case: str
    token: bool
    per_second: float
    p50: float
    p99: float
    micros: float
    memory: float
    half_per_second: float
    half_p99: float
    failed: int


def main() -> None:
    given = _arguments()
    missing = [name for name in ("wrk", "taskset") if shutil.which(name) is None]
    if missing or nginx() is None:
        missing += [] if nginx() else ["nginx"]
        print(f"answers are not measured: install {' and '.join(missing)} ('apt-get install wrk nginx' on Debian)")
        return
    around = _around(given)
    with tempfile.TemporaryDirectory(prefix="hot-path-") as folder:
        figures = list(_all(Path(folder), given))
    around["loadAfter"] = os.getloadavg()
    print(", ".join(f"{name}: {value}" for name, value in around.items()) + "\n")
    _print(figures)
    if given.json:
        told = around | {"figures": [asdict(figure) for figure in figures]}
        Path(given.json).write_text(json.dumps(told, indent=1) + "\n")


def _around(given: argparse.Namespace) -> dict[str, object]:
    """What the figures depend on besides us. The load is that of others before we began."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "seconds": given.seconds,
        "connections": given.connections,
        "loadBefore": os.getloadavg(),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--only", metavar="CASE", action="append", choices=NAMES)
    return parser.parse_args()


def _all(folder: Path, given: argparse.Namespace) -> Iterator[Figure]:
    make_store(folder / "store")
    with ours(folder, 1) as server:
        _save(server, folder / "files")
    with ExitStack() as stack:
        # All are there all the time, and are asked in turn: what else happens on the machine happens to all.
        makers = (nginx_on(folder, 1), ours(folder, 1), plain(folder), nginx_on(folder, 2), ours(folder, 2))
        servers = [stack.enter_context(each) for each in makers]
        for case in CASES:
            for token in (False, True) if case.name in (given.only or NAMES) else ():
                for server in servers:
                    figure = _measure(server, case, token, given, folder)
                    print(_line(figure), file=sys.stderr, flush=True)
                    yield figure


# What is asked.


def _save(server: Server, files: Path) -> None:
    """The answers as files, for those that serve files; packed ones beside them."""
    for case in CASES:
        if case.status != 404:
            path = files / case.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(get(server.url + case.path)[2])
            packed = get(server.url + case.path, {"Accept-Encoding": "gzip"})
            if packed[1].get("content-encoding") == "gzip":
                path.with_name(path.name + ".gz").write_bytes(packed[2])


def _headers(server: Server, case: Case, *, token: bool) -> list[str]:
    found = [TOKEN] if token else []
    if case.packed:
        found.append("Accept-Encoding: gzip")
    if case.status == 304:
        etag = get(server.url + case.path)[1].get("etag")
        found += [f"If-None-Match: {etag}"] if etag else []
    return found


# Measuring.


def _measure(server: Server, case: Case, token: bool, given: argparse.Namespace, folder: Path) -> Figure:
    headers = _headers(server, case, token=token)
    url = server.url + case.path
    _check(server, case, headers, folder)
    before = _cpu(server)
    full = _wrk(server, url, headers, given.connections, given.seconds)
    spent = _cpu(server) - before
    half = _half(server, url, headers, full.per_second, given.seconds)
    return Figure(
        server=server.name,
        workers=server.workers,
        case=case.name,
        token=token,
        per_second=full.per_second,
        p50=full.p50,
        p99=full.p99,
        micros=spent / full.requests * 1e6,
        memory=sum(_resident(pid) for pid in server.pids),
        half_per_second=half.per_second,
        half_p99=half.p99,
        failed=(full.failed if case.status == 200 else 0) + full.errors,
    )


def _check(server: Server, case: Case, headers: list[str], folder: Path) -> None:
    """Nobody is measured who answers something else."""
    status, _, body = get(server.url + case.path, dict(line.split(": ", 1) for line in headers))
    plain = server.name == "FastAPI"
    wanted = 200 if plain and case.status == 304 else case.status
    if status != wanted:
        sys.exit(f"{server.name} answers {case.name} with {status}, not {wanted}")
    path = folder / "files" / case.path.lstrip("/")
    path = path.with_name(path.name + ".gz") if case.packed and not plain else path
    # Links are signed anew every ten minutes.
    if status == 200 and not case.linked and body != path.read_bytes():
        sys.exit(f"{server.name} answers {case.name} with other bytes")


@dataclass(frozen=True, slots=True)
class Run:
    requests: int
    per_second: float
    p50: float
    p99: float
    failed: int
    errors: int


def _wrk(
    server: Server, url: str, headers: list[str], connections: int, seconds: float, script: Path | None = None
) -> Run:
    cores, threads = (LAST, 1) if server.workers == 1 else (ALL, 2)
    command = ["taskset", "-c", cores, "wrk", f"-t{threads}", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    command += ["--latency", *(part for line in headers for part in ("-H", line))]
    command += ["-s", str(script)] if script else []
    text = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    requests = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if requests is None or rate is None:
        sys.exit(f"wrk said something else:\n{text}")
    return Run(
        requests=int(requests[1]),
        per_second=float(rate[1]),
        p50=_latency(text, 50),
        p99=_latency(text, 99),
        failed=int(failed[1]) if failed else 0,
        errors=sum(map(int, errors.groups())) if errors else 0,
    )


def _latency(text: str, percent: int) -> float:
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", text)
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]] if found else float("nan")


def _half(server: Server, url: str, headers: list[str], full: float, seconds: float) -> Run:
    """So many connections that their pauses leave half of the full load."""
    connections = max(2, round(full / 2 * _PAUSE / 1000))
    script = Path(__file__).with_name("pauses.lua")
    return _wrk(server, url, headers, connections, seconds, script)


def _cpu(server: Server) -> float:
    """Seconds that its workers have used so far."""
    stats = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in server.pids)
    return sum((int(fields[11]) + int(fields[12])) / _CLOCK for fields in stats)


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1024 / 1024


# Telling.


def _line(figure: Figure) -> str:
    return (
        f"{figure.server:<10}{figure.workers:>2} {figure.case:<18}{'token' if figure.token else '':<6}"
        f"{figure.per_second:>10,.0f}/s  p50 {figure.p50:6.2f}  p99 {figure.p99:6.2f} ms  {figure.micros:7.2f} µs "
        f"{figure.memory:6.0f} MiB  half {figure.half_per_second:>9,.0f}/s p99 {figure.half_p99:6.2f} ms"
        + (f"  {figure.failed} failed" if figure.failed else "")
    )


def _print(figures: list[Figure]) -> None:
    base = {(each.workers, each.case, each.token): each for each in figures if each.server == "nginx"}
    print("| server | workers | answer | token | per second | of nginx | CPU µs | of nginx | p50 ms | p99 ms ", end="")
    print("| half load | p99 ms | MiB |\n" + "|---" * 13 + "|")
    for each in figures:
        other = base.get((each.workers, each.case, each.token))
        rate = f"{each.per_second / other.per_second:.2f}" if other else ""
        work = f"{other.micros / each.micros:.2f}" if other and each.micros else ""
        print(
            f"| {each.server} | {each.workers} | {each.case} | {'yes' if each.token else ''} | {each.per_second:,.0f} "
            f"| {rate} | {each.micros:.1f} | {work} | {each.p50:.2f} | {each.p99:.2f} "
            f"| {each.half_per_second:,.0f} | {each.half_p99:.2f} | {each.memory:.0f} |"
        )


if __name__ == "__main__":
    main()
