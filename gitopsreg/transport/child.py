"""A transport.worker process as its owner sees it: one question at a time, each with a deadline that holds."""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import gitopsreg

_CHUNK = 256 * 1024
# Half a million refs; of answers nothing else grows.
_LONGEST_ANSWER = 64 * 1024 * 1024


class Child:
    """Ends by itself when its owner does, however that ends: its standard input closes."""

    def __init__(self, setup: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        # -P: a folder that the registry happens to be started in must not shadow the library.
        command = [sys.executable, "-P", "-m", "gitopsreg.transport.worker", json.dumps(setup)]
        library = str(Path(gitopsreg.__file__).parents[1])
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "PYTHONPATH": library},
            # Ctrl-C at the terminal is the owner's to handle.
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
        """The answer. Raises TimeoutError, EOFError when the process ended, OverflowError for an answer that is too
        long; the process is of no more use after any of them.
        """
        deadline = time.monotonic() + seconds
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise EOFError
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
        except (OSError, ValueError) as error:
            raise EOFError from error
        answer: dict[str, Any] = json.loads(_line(stdout.fileno(), deadline))
        return answer

    def kill(self) -> None:
        """End it now; whoever is asking it gets EOFError."""
        self._process.kill()

    def stop(self) -> None:
        """End it and give back what it held; for the one who asks it, not while another thread does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not yet sent is of no use now
                    pipe.close()


def _line(descriptor: int, deadline: float) -> bytes:
    line = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0, deadline - time.monotonic())):
                raise TimeoutError
            line += _read(descriptor)
            if len(line) > _LONGEST_ANSWER:
                raise OverflowError
    return bytes(line)


def _read(descriptor: int) -> bytes:
    data = os.read(descriptor, _CHUNK)
    if not data:
        raise EOFError
    return data
