"""Several processes on one address: the real `gitopsreg serve --workers`."""

import errno
import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gitopsreg.index.link_key import ensure_link_key
from gitopsreg.server.seats import STOP
from gitopsreg.server.workers import Post, Workers
from gitopsreg.storage.filesystem import FilesystemStore
from tests.builders import a_module, a_module_version
from tests.cli.shell import gitopsreg
from tests.e2e.process import Gitopsreg, eventually, serve
from tests.server.house import ask, publish_packages, store_bytes

PATH = "/v1/modules/platform/vpc/aws/versions"


@pytest.fixture
def store(tmp_path: Path) -> FilesystemStore:
    found = FilesystemStore(tmp_path / "store")
    ensure_link_key(found)
    publish_packages(found, a_module("1.0.0"))
    return found


@contextmanager
def two(folder: Path, *arguments: str | Path) -> Iterator[Gitopsreg]:
    """Both serve."""
    with serve(folder, "--workers", "2", *arguments) as command:
        both(command)
        yield command


def both(command: Gitopsreg) -> set[int]:
    """The processes, once both answer."""
    answering: set[int] = set()
    while len(answering) < 2:
        answering.add(status(command)["process"])
    return answering


def status(command: Gitopsreg) -> Any:
    return json.loads(ask(command.url, "/statusz").body)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_one_banner_two_processes_one_log_and_one_sum(store: FilesystemStore, tmp_path: Path) -> None:
    with two(tmp_path, "--access-log", tmp_path / "access.jsonl") as command:
        for number in range(50):
            assert ask(command.url, PATH, headers={"User-Agent": str(number)}).status == 200
        said = status(command)
        counted = said["answers"]["moduleVersions"]["2xx"]
        assert counted["rendered"] + counted["remembered"] == 50
        assert all(worker["memoryBytes"] > 1_000_000 for worker in said["workers"])
        assert command.process.pid not in both(command)
        assert ask(command.url, "/readyz").status == 200
        publish_packages(store, a_module("1.0.0", "9.9.9"))
        seen = [b"9.9.9" in ask(command.url, PATH).body]
        while not all(seen[-20:]) or len(seen) < 20:  # in a row, on connections of their own: both have it
            seen.append(b"9.9.9" in ask(command.url, PATH).body)
        command.stop()
        assert len([line for line in command.lines if "serving" in line]) == 1
    lines = [json.loads(line) for line in (tmp_path / "access.jsonl").read_text().splitlines()]
    agents = Counter(line["userAgent"] for line in lines if line["path"] == PATH)
    assert agents == {str(number): 1 for number in range(50)} | {"": len(seen)}


def test_a_worker_that_dies_is_replaced_and_the_other_serves_meanwhile(store: FilesystemStore, tmp_path: Path) -> None:
    with two(tmp_path) as command:
        first = both(command)
        for number in (signal.SIGKILL, signal.SIGTERM):
            victim = min(both(command))
            os.kill(victim, number)
            while alive(victim):
                pass
            for _ in range(10):
                assert ask(command.url, PATH).status == 200
            assert victim not in both(command)
        assert first != both(command)
        assert "ended with signal 9; a new one starts in" in command.errors
        assert "ended with exit code 0; a new one starts in" in command.errors
        assert len([line for line in command.lines if "serving" in line]) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_who_waits_in_the_queue_of_a_worker_that_ends_is_served_by_another(
    store: FilesystemStore, tmp_path: Path, number: signal.Signals
) -> None:
    request = f"GET {PATH} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
    with two(tmp_path) as command, ExitStack() as stack:
        victim = min(both(command))
        os.kill(victim, signal.SIGSTOP)  # what the system gives it now it can't accept
        eventually(lambda: stopped(victim))
        waiting = [stack.enter_context(connection(command)) for _ in range(40)]
        for each in waiting:
            each.sendall(request)
        os.kill(victim, number)
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGCONT)
        assert [each.recv(12) for each in waiting] == [b"HTTP/1.1 200"] * 40


def stopped(process: int) -> bool:
    tasks = Path(f"/proc/{process}/task").glob("*/stat")
    return all(task.read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)


def connection(command: Gitopsreg) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(command.url).port or 0), timeout=60)


@pytest.mark.parametrize("whole_group", [True, False])
def test_a_download_in_flight_finishes_whoever_is_told(
    store: FilesystemStore, tmp_path: Path, *, whole_group: bool
) -> None:
    """Who stops a service may tell the parent, or every process of it."""
    data = bytes(30_000_000)
    version = a_module_version(archive=store_bytes(store, data))
    publish_packages(store, replace(a_module(), versions=(version,)))
    with two(tmp_path, "--drain", "60s") as command, a_download(command) as response:
        got = response.read(1000)
        if whole_group:
            os.killpg(command.process.pid, signal.SIGTERM)
        else:
            command.terminate()
        eventually(lambda: refused(command.url))
        assert got + response.read() == data
        assert command.ended() == 0


@contextmanager
def a_download(command: Gitopsreg) -> Iterator[HTTPResponse]:
    link = ask(command.url, PATH.replace("versions", "1.0.0/download")).headers["x-terraform-get"]
    with closing(HTTPConnection("127.0.0.1", urlsplit(command.url).port or 0, timeout=60)) as connection:
        connection.request("GET", link)
        yield connection.getresponse()


def refused(url: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=5).close()
    except OSError:
        return True
    return False


def test_a_second_signal_ends_all_at_once(store: FilesystemStore, tmp_path: Path) -> None:
    """One is kept busy by a client that does not read what it asked for."""
    version = a_module_version(archive=store_bytes(store, bytes(30_000_000)))
    publish_packages(store, replace(a_module(), versions=(version,)))
    with two(tmp_path, "--drain", "1h") as command, a_download(command):
        command.terminate()
        eventually(lambda: refused(command.url))
        assert command.process.poll() is None
        command.terminate()
        assert command.ended() == 0


def test_workers_end_with_their_parent(store: FilesystemStore, tmp_path: Path) -> None:
    with two(tmp_path) as command:
        before = both(command)
        command.process.kill()
        eventually(lambda: not any(map(alive, before)))
        command.process.wait()


def test_what_is_wrong_for_all_is_told_once(store: FilesystemStore, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    ran = gitopsreg(
        "serve", "--store", tmp_path / "store", "--listen", "127.0.0.1:0", "--workers", "3", "--link-key-file", missing
    )
    assert ran.code == 2
    assert ran.stderr.count("error:") == 1
    assert "can't be read" in ran.stderr


def test_an_address_in_use_is_told_before_anybody_is_born(store: FilesystemStore, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        ran = gitopsreg("serve", "--store", tmp_path / "store", "--listen", listen, "--workers", "2")
    assert (ran.code, "already in use" in ran.stderr) == (2, True)


def test_a_worker_that_cannot_be_started_ends_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    fork, calls = os.fork, iter(range(1_000))

    def short_of_memory() -> int:
        if next(calls) == 1:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        return fork()

    def work(post: Post) -> int:
        post.ready()
        if post.number == 1:  # the parent has both now
            os.kill(os.getppid(), signal.SIGTERM)
        while STOP not in post.line.recv(64):
            pass
        return 0

    monkeypatch.setattr(os, "fork", short_of_memory)
    reports: list[str] = []
    assert Workers(2, work, patience=5, report=reports.append).run() == 0
    assert reports == ["worker 2 can't be started (Cannot allocate memory); tried again in 0.1 s"]
