"""How soon `gitopsreg serve` answers, and the memory that it takes: at rest, once every package was asked for, after a
new snapshot. The real process, on a store as large as the public registry.

`python -m benchmarks.server_start [STORE] [PACKAGES …]`: STORE is a folder made by `benchmarks.registry_of`, which is
copied and stays as it is; without it one is made for each number of PACKAGES (27,479 by default).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.registry_of import BESIDE, PUBLIC, packages, published, unpacked
from gitopsreg.index import repository
from gitopsreg.index.changed import Changed
from gitopsreg.index.model import ModulePackage, Snapshot
from gitopsreg.index.repository import Content
from gitopsreg.model.address import ModuleAddress
from gitopsreg.storage.filesystem import FilesystemStore

_TICKS = os.sysconf("SC_CLK_TCK")
_REFRESH = 1.0  # seconds between two looks of the server


def main(given: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="server-start-") as scratch:
        home = Path(scratch)
        if given and not given[0].isdigit():
            shutil.copytree(given[0], home / "store")
            measure(home, home / "store")
            return
        source = unpacked(BESIDE, home / "data")
        if source is None:
            print("no data of the public registry beside the clone: name a store made by benchmarks.registry_of")
            return
        for count in [int(number) for number in given] or [PUBLIC]:
            store = home / f"store-{count}"
            published(FilesystemStore(store), {package.address: package for package in packages(source, count)})
            measure(home / str(count), store)


def measure(home: Path, folder: Path) -> None:
    store = FilesystemStore(folder)
    head = repository.read_head(store)
    if head is None:
        sys.exit(f"nothing is published in {folder}")
    snapshot = repository.load(store, head.root, ahead=0)
    documents = list((folder / "index" / "packages").iterdir())
    size = sum(path.stat().st_size for path in documents)
    print(f"{len(documents):,} packages, {size / 1e6:,.0f} MB of documents; {os.cpu_count()} cores\n")
    _row("open + read + sha256 of all documents, plain Python", _seconds(lambda: _read(documents)))
    _row("python -c 'import gitopsreg.server.app'", _seconds(_import))
    for what in ("first start, no cache", "second start"):
        with _serving(folder, home / "cache") as server:
            _row(f"{what}: ready", server.ready, server.memory)
            _row("  processor time until then", server.cpu)
            _row("  all documents read", server.settle(), server.memory)
    with _serving(folder, home / "cache") as server:
        server.settle()
        for what, path in (("versions of every package", "versions"), ("the same again", "versions")):
            took = server.ask_all(snapshot, path)
            _row(f"  {what} ({len(snapshot.packages) / took:,.0f}/s)", took, server.memory)
        idle = server.busy_for(5 * _REFRESH)
        before = server.cpu
        took = server.follow(_change(store, snapshot))
        server.busy_for(2 * _REFRESH)
        _row("  one package changed: until it is served", took, server.memory)
        _row(
            "    processor time of that (idle looks taken off)", server.cpu - before - idle * (took / _REFRESH + 2) / 5
        )
    print()


def _change(store: FilesystemStore, snapshot: Snapshot) -> str:
    """Publish a snapshot with one module changed; its digest."""
    address = next(each for each in snapshot.packages if isinstance(each, ModuleAddress))
    module = snapshot.packages[address]
    if not isinstance(module, ModulePackage):
        sys.exit(f"{address} is no module")
    packages = Changed(snapshot.packages, {address: replace(module, description=f"changed {time.time()}")})
    root = snapshot.root
    content = Content(
        revision=root.revision, time=root.time, hostname=root.hostname, namespaces=root.namespaces, packages=packages
    )
    return str(repository.publish(store, content, base=snapshot, head=repository.read_head(store)).digest)


@dataclass
class _Server:
    process: "subprocess.Popen[str]"
    url: str
    ready: float

    @property
    def memory(self) -> float:
        """Resident now, in MiB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))

    @property
    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def busy_for(self, seconds: float) -> float:
        before = self.cpu
        time.sleep(seconds)
        return self.cpu - before

    def settle(self) -> float:
        """Seconds until it has nothing left to do."""
        began = time.perf_counter()
        while self.busy_for(0.5) > 0.1:
            pass
        return time.perf_counter() - began - 0.5

    def ask_all(self, snapshot: Snapshot, path: str) -> float:
        connection = HTTPConnection(urlsplit(self.url).netloc)
        began = time.perf_counter()
        for address in snapshot.packages:
            connection.request("GET", f"/v1/{address.kind}s/{address.path}/{path}")
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                sys.exit(f"{address} is answered with {answer.status}")
        return time.perf_counter() - began

    def follow(self, digest: str) -> float:
        began = time.perf_counter()
        while self._served() != digest:
            time.sleep(0.02)
        return time.perf_counter() - began

    def _served(self) -> str:
        connection = HTTPConnection(urlsplit(self.url).netloc)
        connection.request("GET", "/readyz")
        return str(json.load(connection.getresponse())["snapshot"])


@contextmanager
def _serving(store: Path, cache: Path) -> Iterator[_Server]:
    command = [sys.executable, "-m", "gitopsreg", "serve", "--store", str(store), "--cache", str(cache)]
    command += ["--listen", "127.0.0.1:0", "--output", "json", "--refresh", f"{_REFRESH:g}s"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            ready = time.perf_counter() - began
            server = _Server(process, json.loads(line)["url"], ready)
            yield server
        finally:
            process.terminate()
            process.wait()


def _read(documents: list[Path]) -> None:
    for path in documents:
        with path.open("rb") as file:
            if sha256(file.read()).hexdigest() != path.name:
                sys.exit(f"{path} is damaged")


def _import() -> None:
    subprocess.run([sys.executable, "-c", "import gitopsreg.server.app"], check=True)


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _row(what: str, seconds: float, memory: float | None = None) -> None:
    print(f"{what:<56}{seconds:>9.2f} s" + (f"{memory:>9.0f} MiB" if memory is not None else ""), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
