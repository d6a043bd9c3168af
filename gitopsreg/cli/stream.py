"""Writing to stdout and stderr when nobody may be reading: `gitopsreg up | head -1` goes on reconciling, quietly."""

import os
import sys
from typing import IO


def write(text: str, stream: IO[str] | None = None) -> None:
    """All of it, at once; to stdout unless told. What nobody reads is dropped, now and later."""
    stream = stream or sys.stdout
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        silence(stream)


def silence(stream: IO[str]) -> None:
    """From now on the stream leads nowhere, for whoever holds it: the interpreter flushes it once more at its end."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # a stand-in for a stream
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, number)
    finally:
        os.close(nowhere)
