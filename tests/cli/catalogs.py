"""A small catalog in a real repository, and servers that end with the test."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.shell import environment
from tests.repositories import a_repository, commit

NAMESPACE = """\
apiVersion: gitopsreg.io/v1alpha1
kind: Namespace
metadata: {name: platform}
spec: {displayName: Platform}
"""
MODULE = """\
apiVersion: gitopsreg.io/v1alpha1
kind: Module
metadata: {name: naming, namespace: platform}
spec:
  system: generic
  source: {type: catalog}
  versions:
    pins:
"""
AT_MODULE = "namespaces/platform/modules/naming/generic.yaml"


def a_module(*versions: str) -> dict[str, str]:
    """The declaration and its content."""
    pins = "".join(f'      - {{version: "{version}", path: content/naming/{version}}}\n' for version in versions)
    content = {f"content/naming/{version}/main.tf": f'output "v" {{ value = "{version}" }}\n' for version in versions}
    return {AT_MODULE: MODULE + pins} | content


def a_catalog(path: Path) -> Path:
    repository = a_repository(path)
    commit(repository, {"namespaces/platform/namespace.yaml": NAMESPACE} | a_module("1.0.0"))
    return repository


class Running:
    """A process that stays; its stdout line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def until(self, word: str) -> str:
        """Everything up to the line that holds the word."""
        seen = ""
        while (line := self._lines.get(timeout=60)) is not None:
            seen += line
            if word in line:
                return seen
        raise AssertionError(f"ended without {word!r}: {seen}")

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """(exit code, stderr)."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self._reader.join()
        assert self.process.stderr is not None
        return code, self.process.stderr.read()


@contextmanager
def running(*arguments: str | Path, **variables: str) -> Iterator[Running]:
    """`gitopsreg` in the background; killed at the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "gitopsreg", *map(str, arguments)],
        env=environment(PYTHONUNBUFFERED="1", **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Running(process)
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
