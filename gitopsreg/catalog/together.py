"""Many files checked by two processes: this one and a checker beside it, each taking from its end of what is left.

The checker only ever saves time. What it has not answered, whatever became of it, is checked here.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock, Thread
from typing import IO

import gitopsreg
from gitopsreg.catalog import pack
from gitopsreg.catalog.check import Checked, check_each, check_file, remade
from gitopsreg.catalog.checker import question
from gitopsreg.catalog.files import CatalogFile
from gitopsreg.catalog.loader import MAX_BYTES

# A second process costs a quarter of a second: as much as so many files.
_LEAST = 2000
_CHUNK = 400
# A chunk takes a quarter of a second. Whoever needs so much longer is not working.
_PATIENCE = 30.0
# -P: a folder that this happens to be started in must not shadow the library.
CHECKER = (sys.executable, "-P", "-m", "gitopsreg.catalog.checker")

_Some = list[Checked | None]


def check_together(
    files: Sequence[CatalogFile], *, least: int = _LEAST, command: Sequence[str] = CHECKER
) -> Sequence[Checked]:
    """Each of `files` checked, in order; with the help of a checker, if they are so many."""
    if len(files) < least or _cores() < 2:
        return list(check_each(files))
    work = _Work(files)
    with suppress(OSError), _checker(command) as pipes:
        thread = Thread(target=work.send, args=pipes, name="checker", daemon=True)
        thread.start()
        work.take()
        thread.join(_PATIENCE)
    return work.checked()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Work:
    """Files in chunks, and what came of them. They are read by one thread at a time: a repository is for one."""

    def __init__(self, files: Sequence[CatalogFile]) -> None:
        self._chunks = [files[start : start + _CHUNK] for start in range(0, len(files), _CHUNK)]
        self._left = deque(range(len(self._chunks)))
        self._found: dict[int, _Some] = {}
        self._reading = Lock()

    def take(self) -> None:
        """Check here, from the front, until nothing is left."""
        with suppress(IndexError):
            while True:
                number = self._left.popleft()
                chunk = self._chunks[number]
                held = zip(chunk, self._read(chunk), strict=True)
                self._found[number] = [check_file(_with(file, data)) for file, data in held]

    def send(self, questions: IO[bytes], answers: IO[bytes]) -> None:
        """Let the checker take from the end, until nothing is left."""
        with suppress(Exception):  # whatever it is: who checks the rest here will meet it too
            while True:
                number = self._left.pop()
                chunk = self._chunks[number]
                read = self._read(chunk)
                questions.write(question(zip(chunk, read, strict=True)))
                questions.flush()
                self._found[number] = _remade(chunk, read, answers.readline())

    def checked(self) -> list[Checked]:
        """Everything, in order; what the checker leaves out is done now."""
        checked: list[Checked] = []
        for number, chunk in enumerate(self._chunks):
            found = self._found.get(number) or [None] * len(chunk)
            checked += [one or check_file(file) for file, one in zip(chunk, found, strict=True)]
        return checked

    def _read(self, chunk: Sequence[CatalogFile]) -> list[bytes | None]:
        with self._reading:
            return [_bytes(file) for file in chunk]


@contextmanager
def _checker(command: Sequence[str]) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """A checker's input and output; it ends with the block."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(gitopsreg.__file__).parents[1])},
        # Ctrl-C at the terminal is ours to handle.
        start_new_session=True,
    ) as process:
        try:
            if process.stdin is not None and process.stdout is not None:
                yield process.stdin, process.stdout
        finally:
            process.kill()


def _bytes(file: CatalogFile) -> bytes | None:
    """None for what is not to be read, and for what can't be."""
    if file.mode != "file" or file.size > MAX_BYTES:
        return None
    try:
        return file.read()
    except OSError:
        return None


def _with(file: CatalogFile, data: bytes | None) -> CatalogFile:
    return file if data is None else replace(file, read=lambda: data)


def _remade(chunk: Sequence[CatalogFile], read: Sequence[bytes | None], answer: bytes) -> _Some:
    """Raises ValueError and TypeError for what is no answer."""
    found: _Some = []
    for file, data, said in zip(chunk, read, pack.read(answer), strict=True):
        if data is None or said is None:
            found.append(None)
        else:
            (value,) = said
            found.append(remade(file.path, data.decode("utf-8-sig"), value))
    return found
