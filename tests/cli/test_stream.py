"""Output that nobody reads: in processes of their own, since it is about their file descriptors."""

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitopsreg.cli.stream import silence, write
from gitopsreg.index import repository
from gitopsreg.storage.filesystem import FilesystemReader
from tests.cli.catalogs import a_catalog, a_module
from tests.cli.shell import environment
from tests.repositories import commit


@contextmanager
def unread(*arguments: str | Path, stderr: Path, unheard: bool = False) -> Iterator["subprocess.Popen[bytes]"]:
    """`gitopsreg` with a stdout that nobody reads any more; `unheard`: nor its stderr."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "gitopsreg", *map(str, arguments)]
    with stderr.open("wb") as file:
        heard = writing if unheard else file
        process = subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL, stdout=writing, stderr=heard)
    os.close(writing)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def published(store: Path) -> list[str]:
    reader = FilesystemReader(store)
    head = repository.read_head(reader) if store.exists() else None
    if head is None:
        return []
    packages = repository.load(reader, head.root).packages.values()
    return [version.version.text for package in packages for version in package.versions]


def eventually(store: Path, *versions: str) -> None:
    for _ in range(600):
        if published(store) == [*versions]:
            return
        threading.Event().wait(0.1)
    assert published(store) == [*versions]


@pytest.mark.parametrize("unheard", [False, True], ids=["stdout", "both"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_up_goes_on_reconciling_when_nobody_reads(tmp_path: Path, form: str, unheard: bool) -> None:
    catalog, store = a_catalog(tmp_path / "catalog"), tmp_path / "store"
    given = ("--catalog", catalog, "--store", store, "--cache", tmp_path / "cache", "--listen", "127.0.0.1:0")
    told = tmp_path / "stderr"
    with unread("up", *given, "--interval", "1s", "--output", form, stderr=told, unheard=unheard) as process:
        for versions in (["1.0.0"], ["1.0.0", "1.1.0"], ["1.0.0", "1.1.0", "1.2.0"]):
            commit(catalog, a_module(*versions))
            eventually(store, *versions)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert told.read_text() == ""


@pytest.mark.parametrize("verb", [("--version",), ("client-config",), ("client-config", "--output", "json")])
def test_a_short_command_ends_well_when_nobody_reads(tmp_path: Path, verb: tuple[str, ...]) -> None:
    with unread(*verb, stderr=tmp_path / "stderr") as process:
        assert process.wait(timeout=60) == 0
    assert (tmp_path / "stderr").read_text() == ""


def test_what_is_told_to_nobody_keeps_its_exit_code(tmp_path: Path) -> None:
    with unread("serve", stderr=tmp_path / "stderr", unheard=True) as process:
        assert process.wait(timeout=60) == 2


def test_a_stand_in_for_a_stream_is_left_alone() -> None:
    text = io.StringIO()
    write("one\n", text)
    silence(text)
    write("two\n", text)
    assert text.getvalue() == "one\ntwo\n"
