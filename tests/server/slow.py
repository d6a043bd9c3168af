"""An application whose download waits for a file to appear, and a program that serves it: for tests of the drain."""

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gitopsreg.server.listen import Listen
from gitopsreg.server.serve import serve

FIRST = b"first half, "
LAST = b"last half"


def slow_app(go: Path) -> Callable[..., Any]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        slow = scope["path"] == "/slow"
        length = len(FIRST + LAST) if slow else 5
        headers = [(b"content-length", str(length).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if not slow:
            await send({"type": "http.response.body", "body": b"quick"})
            return
        await send({"type": "http.response.body", "body": FIRST, "more_body": True})
        left = threading.Event()
        leaving = asyncio.ensure_future(_leave(receive, left))
        await asyncio.to_thread(_wait, go, left)
        leaving.cancel()
        await send({"type": "http.response.body", "body": LAST})

    return app


def _wait(go: Path, left: threading.Event) -> None:
    while not go.exists() and not left.wait(0.01):
        pass


async def _leave(receive: Any, left: threading.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    left.set()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(slow_app(Path(sys.argv[1])), Listen("127.0.0.1", 0), drain=float(sys.argv[2]), on_ready=_say)
    _say("closed in good order")
