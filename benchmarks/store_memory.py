"""How much memory a store takes for a large value, and how fast it is, against a server on this machine.

`python -m benchmarks.store_memory KIND …`: s3, azure, gcs, filesystem. The store runs in a process of its own, so that
the server's memory is not counted; the servers keep what they are given in memory.
"""

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from gitopsreg.wiring.stores import store_at

MIB = 1024 * 1024
SIZES = (64, 2048)  # MiB


def _s3() -> tuple[str, dict[str, str]]:
    server = importlib.import_module("tests.storage.s3_server")
    return str(server.new_address()), server.CREDENTIALS


def _azure() -> tuple[str, dict[str, str]]:
    server = importlib.import_module("tests.storage.azure_server")
    return str(server.new_address()), dict(server.WITH_KEY)


def _gcs() -> tuple[str, dict[str, str]]:
    server = importlib.import_module("tests.storage.gcs_server")
    return str(server.address(server.server().bucket())), {}


# How a server is started: the address of an empty store, and the variables that let us in.
KINDS: dict[str, Callable[[], tuple[str, dict[str, str]]]] = {
    "s3": _s3,
    "azure": _azure,
    "gcs": _gcs,
    "filesystem": lambda: (tempfile.mkdtemp(prefix="store-memory-"), {}),
}


def main(kinds: list[str]) -> None:
    print(f"{'store':<12}{'value':>10}{'put':>12}{'chunks':>12}{'at rest':>12}{'peak put':>12}{'peak chunks':>13}")
    for kind in kinds:
        url, variables = KINDS[kind]()
        for size in SIZES:
            command = [sys.executable, "-m", "benchmarks.store_memory", "--measure", kind, url, str(size)]
            subprocess.run(command, env={**os.environ, **variables}, check=True)
        if kind == "filesystem":
            shutil.rmtree(url)


def measure(kind: str, url: str, size: int) -> None:
    store = store_at(url)
    store.put("small", b"x")  # what is loaded on first use is no cost of the value
    at_rest = _peak()
    began = time.perf_counter()
    store.put("large", _pieces(size))
    put, peak_put = size / (time.perf_counter() - began), _peak()
    began = time.perf_counter()
    got = sum(map(len, store.chunks("large")))
    if got != size * MIB:
        sys.exit(f"{kind} gave back {got:,} bytes of {size * MIB:,}")
    read, peak_read = size / (time.perf_counter() - began), _peak()
    store.delete("large")
    print(
        f"{kind:<12}{size:>6} MiB{put:>7.0f} MB/s{read:>7.0f} MB/s"
        f"{at_rest:>8.0f} MiB{peak_put:>8.0f} MiB{peak_read:>9.0f} MiB",
        flush=True,
    )


def _pieces(size: int) -> Iterator[bytes]:
    piece = os.urandom(MIB)
    return (piece for _ in range(size))


def _peak() -> float:
    """The most memory this process has ever held, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main(sys.argv[1:] or list(KINDS))
