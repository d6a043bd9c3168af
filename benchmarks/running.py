"""The registry that a team pushes to, running: `gitopsreg up`, or server and reconciler as two processes."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.process import children
from benchmarks.team import SECRET, Server, Team
from benchmarks.world import GITOPSREG

_PAGE = os.sysconf("SC_PAGE_SIZE")
_LOOK = "100ms"  # between two looks of a server at its store

Running = Callable[[Team], AbstractContextManager[Server]]


@contextmanager
def up(team: Team) -> Iterator[Server]:
    """Once the first run is over."""
    with _started(team, "up", "--listen", "127.0.0.1:0") as (process, told):
        netloc = urlsplit(told("serving")["url"]).netloc
        yield Server(netloc, netloc, _memory(process))


@contextmanager
def apart(team: Team) -> Iterator[Server]:
    """`gitopsreg serve` on what `gitopsreg reconcile --watch` publishes."""
    hooks = f"127.0.0.1:{_free_port()}"
    with (
        _started(team, "reconcile", "--watch", "--hooks-listen", hooks) as (reconciler, told),
        _started(team, "serve", "--listen", "127.0.0.1:0", "--refresh", _LOOK) as (server, served),
    ):
        told("reconciled")
        yield Server(urlsplit(served("serving")["url"]).netloc, hooks, _memory(server, reconciler))


WAYS: Mapping[str, Running] = {"up": up, "serve and reconcile --watch": apart}


def _settings(team: Team) -> dict[str, str]:
    receiver = [{"name": "push", "type": "bearer", "secrets": [{"env": "HOOK_SECRET"}]}]
    return {
        **team.world.variables,
        "GITOPSREG_CATALOG": f"{team.base}catalog.git",
        "GITOPSREG_RECEIVERS": json.dumps(receiver),
        "HOOK_SECRET": SECRET,
    }


@contextmanager
def _started(team: Team, *arguments: str) -> Iterator[tuple[int, Callable[[str], Any]]]:
    """The process, and what waits for it to tell of an event; it is told to stop when the block ends.

    It writes to a file: a pipe that nobody empties would hold it up after some hundred publishes.
    """
    command = [*GITOPSREG, *arguments, "--output", "json", "--log-level", "error"]
    path = team.world.folder / f"{arguments[0]}.out"
    with path.open("w") as out:
        process = subprocess.Popen(command, env={**os.environ, **_settings(team)}, stdout=out)
    try:
        yield process.pid, lambda event: _told(process, path, event)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _told(process: "subprocess.Popen[bytes]", path: Path, event: str) -> Any:
    while process.poll() is None:
        for line in path.read_text().splitlines(keepends=True):
            if line.endswith("\n") and (said := json.loads(line)).get("event") == event:
                return said
        time.sleep(0.05)
    raise RuntimeError(f"{process.args} ended before it said that it is {event}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _memory(*processes: int) -> Callable[[], float]:
    """MB that they and the processes that they started hold now."""

    def resident(process: int) -> float:
        try:
            pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        except OSError:
            return 0.0
        return pages * _PAGE / 1e6

    return lambda: sum(resident(each) for one in processes for each in (one, *children(one)))
