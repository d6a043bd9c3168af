"""Runs `gitopsreg` as a shell does: a process of its own, with a clean environment."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# No test reads or fills the cache of whoever runs it.
_CACHE = tempfile.mkdtemp(prefix="gitopsreg-tests-")
atexit.register(shutil.rmtree, _CACHE, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


def environment(**variables: str) -> dict[str, str]:
    """This one's, without what would change the answers."""
    unwelcome = {"FORCE_COLOR", "NO_COLOR", "COLUMNS", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"}
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GITOPSREG_") and k not in unwelcome}
    return kept | {"XDG_CACHE_HOME": _CACHE} | variables


def gitopsreg(*arguments: str | Path, cwd: Path | None = None, **variables: str) -> Ran:
    """One command, to its end; stdin is empty, stdout and stderr are no terminals."""
    done = subprocess.run(
        [sys.executable, "-m", "gitopsreg", *map(str, arguments)],
        cwd=cwd,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def on_terminal(*arguments: str | Path, **variables: str) -> tuple[int, str]:
    """The same in front of a person: stdout and stderr are one terminal of 100 columns."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "gitopsreg", *map(str, arguments)],
        env=environment(TERM="xterm-256color", COLUMNS="100", LINES="40", **variables),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = bytearray()
    try:
        while piece := _read(ours):
            seen += piece
        return process.wait(timeout=60), seen.decode()
    finally:
        os.close(ours)
        process.kill()
        process.wait()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way to say that the other end is closed
        return b""
