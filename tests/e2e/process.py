"""The real `gitopsreg` as a process of its own: started, listened to, and ended whatever happens."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from tests.cli.shell import environment

T = TypeVar("T")

# Only so that a hanging test fails: nothing is expected to take as long.
PATIENCE = 60.0


def eventually(look: Callable[[], T], *, patience: float = PATIENCE, why: Callable[[], str] = lambda: "") -> T:
    """Look again and again until it is true; what was seen."""
    end = time.monotonic() + patience
    while not (seen := look()):
        assert time.monotonic() < end, f"it never came true; last seen: {seen!r} {why()}"
        time.sleep(0.05)
    return seen


class Gitopsreg:
    """One running command. `lines` is its stdout so far; its stderr is in the file `log`."""

    def __init__(self, *arguments: str | Path, log: Path, **variables: str) -> None:
        self.log = log
        self.lines: list[str] = []
        self._read = threading.Condition()
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gitopsreg", *map(str, arguments)],
                cwd=log.parent,
                env=environment(HOME=str(log.parent), **variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    def _follow(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._read:
                self.lines.append(line.rstrip("\n"))
                self._read.notify_all()
        with self._read:
            self._read.notify_all()

    @property
    def errors(self) -> str:
        return self.log.read_text()

    def line(self, wanted: Callable[[str], object], *, after: int = 0) -> str:
        """The first line of stdout that is wanted, waited for."""

        def found() -> str | None:
            return next((line for line in self.lines[after:] if wanted(line)), None)

        with self._read:
            self._read.wait_for(lambda: found() is not None or not self._reader.is_alive(), PATIENCE)
            line = found()
        assert line is not None, f"it never said so. stdout: {self.lines} stderr: {self.errors}"
        return line

    def event(self, name: str, *, after: int = 0) -> dict[str, Any]:
        """The first event of this name after so many lines, with `--output json`."""
        line = self.line(lambda text: json.loads(text)["event"] == name, after=after)
        document: dict[str, Any] = json.loads(line)
        return document

    @property
    def url(self) -> str:
        url: str = self.event("serving")["url"]
        return url

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def ended(self, patience: float = PATIENCE) -> int:
        """Its exit code, waited for."""
        return self.process.wait(patience)

    def stop(self) -> None:
        """Ask it to end, as an orchestrator would; it must do so, and be content."""
        if self.process.poll() is None:
            self.terminate()
            assert self.ended() == 0, self.errors
        assert "Traceback" not in self.errors, self.errors

    def kill(self) -> None:
        """End it and all that it started, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        if self.process.stdout:
            self.process.stdout.close()


@contextmanager
def running(*arguments: str | Path, log: Path, **variables: str) -> Iterator[Gitopsreg]:
    """A command that goes on until the block ends; it is asked to stop, and must exit with 0."""
    command = Gitopsreg(*arguments, log=log, **variables)
    try:
        yield command
        command.stop()
    finally:
        command.kill()


def places(folder: Path) -> tuple[str | Path, ...]:
    """Where everything of one registry lies: below `folder`."""
    return "--store", folder / "store", "--cache", folder / "cache"


def up(
    catalog: str | Path, folder: Path, *arguments: str | Path, **variables: str
) -> AbstractContextManager[Gitopsreg]:
    """`gitopsreg up` on any free port, quick to notice; more options override these."""
    folder.mkdir(parents=True, exist_ok=True)
    quick = ("--listen", "127.0.0.1:0", "--interval", "1s", "--refresh", "0.1s", "--output", "json")
    return running("up", "--catalog", catalog, *places(folder), *quick, *arguments, log=folder / "up.log", **variables)


def serve(folder: Path, *arguments: str | Path) -> AbstractContextManager[Gitopsreg]:
    """`gitopsreg serve` of the same store."""
    folder.mkdir(parents=True, exist_ok=True)
    quick = ("--listen", "127.0.0.1:0", "--refresh", "0.1s", "--output", "json")
    return running("serve", *places(folder), *quick, *arguments, log=folder / "serve.log")


def alter_blob(folder: Path, link: str, data: bytes) -> None:
    """Put other bytes into the store of `folder` where those behind a link lie."""
    digest = next(part for part in re.split(r"[/:?&=]", link) if re.fullmatch("[0-9a-f]{64}", part))
    (blob,) = (path for path in folder.joinpath("store/blobs").rglob("*") if path.name == digest)
    blob.chmod(0o644)
    blob.write_bytes(data)
