"""The access log on disk: every line, whole, wherever its name leads now."""

import asyncio
import json
import os
import resource
import signal
from pathlib import Path
from typing import Any

import pytest

from gitopsreg.errors import ConfigError
from gitopsreg.server.access_file import AccessFile
from gitopsreg.server.access_log import Access
from tests.server.house import a_registry, ask

HIT = Access("192.0.2.1", "GET", "/v1/x", 200, 88, 0.0, "Terraform/1.11.4")
NOON = 1_800_000_000.5


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def written(path: Path) -> None:
    while not path.read_bytes():
        pass


def told(file: AccessFile, *accesses: Access) -> None:
    async def tell() -> None:
        for access in accesses:
            file.tell(access)

    asyncio.run(tell())


def test_a_line_says_all(tmp_path: Path) -> None:
    file = AccessFile(tmp_path / "log", clock=lambda: NOON)
    told(file, HIT, HIT._replace(seconds=0.0123456))
    file.close()
    first, second = lines(tmp_path / "log")
    assert first == {
        "time": "2027-01-15T08:00:00Z",
        "client": "192.0.2.1",
        "method": "GET",
        "path": "/v1/x",
        "status": 200,
        "bytes": 88,
        "seconds": 0.0,
        "userAgent": "Terraform/1.11.4",
    }
    assert second == first | {"seconds": 0.012346}


def test_no_request_can_write_a_line_of_its_own(tmp_path: Path) -> None:
    file = AccessFile(tmp_path / "log")
    evil = HIT._replace(path='/"\n{"status":200}\u2028', user_agent="\x1b[31m\r\n\xff")
    told(file, evil)
    file.close()
    (line,) = lines(tmp_path / "log")
    assert (line["path"], line["userAgent"]) == (evil.path, evil.user_agent)
    assert (tmp_path / "log").read_bytes().isascii()


def test_many_lines_are_written_before_the_end_and_few_soon(tmp_path: Path) -> None:
    file = AccessFile(tmp_path / "log")

    async def tell() -> None:
        for number in range(1000):
            file.tell(HIT._replace(status=number))
        await asyncio.sleep(0.2)
        assert len(lines(tmp_path / "log")) == 512
        await asyncio.sleep(1)
        assert len(lines(tmp_path / "log")) == 1000

    asyncio.run(tell())
    file.close()
    assert [line["status"] for line in lines(tmp_path / "log")] == list(range(1000))


def test_a_log_that_was_moved_away_begins_anew(tmp_path: Path) -> None:
    file = AccessFile(tmp_path / "log")
    told(file, HIT)
    file.flush()
    written(tmp_path / "log")
    (tmp_path / "log").rename(tmp_path / "log.1")
    told(file, HIT._replace(status=404))
    file.close()
    assert [[line["status"] for line in lines(tmp_path / name)] for name in ("log.1", "log")] == [[200], [404]]


def test_two_processes_share_a_log(tmp_path: Path) -> None:
    files = [AccessFile(tmp_path / "log") for _ in range(2)]
    for number in range(10):
        told(files[number % 2], *[HIT._replace(status=number)] * 600)
    for file in files:
        file.close()
    assert len(lines(tmp_path / "log")) == 6000


def test_a_log_that_can_not_be_written_is_told_once(tmp_path: Path) -> None:
    said: list[str] = []
    folder = tmp_path / "folder"
    folder.mkdir()
    file = AccessFile(folder / "log", report=said.append)
    (folder / "log").unlink()
    folder.rmdir()
    for _ in range(3):
        told(file, HIT)
        file.flush()
    while not said:
        pass
    folder.mkdir()
    told(file, HIT)
    file.close()
    assert len(said) == 1
    assert "lines are lost: No such file" in said[0]
    assert lines(folder / "log")[-1]["status"] == 200


def test_a_place_that_can_not_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'access log ".*none/log" can\'t be written: No such file'):
        AccessFile(tmp_path / "none" / "log")


def test_no_line_is_lost_when_a_server_ends(tmp_path: Path) -> None:
    file = AccessFile(tmp_path / "log")
    with a_registry(on_access=file.tell) as url:
        for number in range(25):
            ask(url, "/v1/modules/platform/vpc/aws/versions", headers={"User-Agent": str(number)})
    file.close()
    assert [line["userAgent"] for line in lines(tmp_path / "log")] == [str(number) for number in range(25)]


def test_a_reader_that_stalls_stops_nobody(tmp_path: Path) -> None:
    """A pipe that nobody reads, of which far more is told than it holds."""
    pipe, said = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    file = AccessFile(pipe, report=said.append)
    told(file, *[HIT] * 200_000)
    assert ["nobody takes them fast enough" in sentence for sentence in said] == [True]
    file.close()
    os.close(reader)


def test_a_torn_line_costs_itself_only(tmp_path: Path) -> None:
    said: list[str] = []
    file = AccessFile(tmp_path / "log", report=said.append)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, hard))
        told(file, *[HIT] * 3)
        file.flush()
        while not said:
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    told(file, HIT._replace(status=404))
    file.close()
    assert json.loads((tmp_path / "log").read_text().splitlines()[-1])["status"] == 404
