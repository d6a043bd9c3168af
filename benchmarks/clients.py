"""Clients that ask for versions while something else goes on: wrk with pauses, and what it tells."""

import re
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# So many connections with pauses of 10 ms on average ask 5,000 times a second, as long as answers take next to nothing.
_CONNECTIONS = 52


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
def asking(netloc: str, paths: Iterable[str], folder: Path) -> Iterator[Asked]:
    """Clients that ask for `paths` while the block runs; what they saw is told when it is over."""
    asked = Asked()
    file = folder / "paths"
    file.write_text("\n".join(paths) + "\n")
    command = ["wrk", "--latency", "--threads", "1", "--connections", str(_CONNECTIONS), "--duration", "7200"]
    command += ["--script", str(Path(__file__).with_name("paced.lua")), f"http://{netloc}", str(file)]
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
