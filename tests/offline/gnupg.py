"""The real gpg, with a home of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Gnupg:
    """Asks for no passphrase: it is given."""

    def __init__(self, home: Path, passphrase: str) -> None:
        self._home = str(home)
        self._arguments = ("--batch", "--pinentry-mode", "loopback", "--passphrase", passphrase)

    def __call__(self, *arguments: str | Path) -> bytes:
        """What it prints; it must work."""
        command = ("gpg", "--homedir", self._home, *self._arguments, *map(str, arguments))
        return subprocess.run(command, check=True, capture_output=True).stdout

    def stop(self) -> None:
        """The agent that it starts."""
        subprocess.run(["gpgconf", "--homedir", self._home, "--kill", "all"], check=False, capture_output=True)


@contextmanager
def gnupg(home: Path, passphrase: str = "") -> Iterator[Gnupg]:
    """Without the program the test is skipped, or fails where CI=true promised it."""
    if shutil.which("gpg") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("gpg is not on PATH")
    home.mkdir(mode=0o700)
    program = Gnupg(home, passphrase)
    try:
        yield program
    finally:
        program.stop()
