"""Threads for store calls of downloads, apart from all others: downloads that hang hold up downloads. Door to anyio."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, fail_after
from anyio.to_thread import run_sync

from gitopsreg.errors import StorageError

_Result = TypeVar("_Result")


class Hands:
    """Runs calls in `most` threads at a time. The calls must end by themselves (see `storage.bounded`)."""

    def __init__(self, most: int, patience: float) -> None:
        self._limiter = CapacityLimiter(most)
        self._patience = patience

    async def do(self, call: Callable[[], _Result]) -> _Result:
        """What the call returns or raises; StorageError when no thread came free in `patience` seconds.

        Who is cancelled waits for its call to end: nothing is let go of while a thread still uses it.
        """
        taken = False

        def run() -> _Result:
            nonlocal taken
            taken = True
            return call()

        try:
            with fail_after(self._patience):
                return await run_sync(run, limiter=self._limiter)
        except TimeoutError as error:
            if taken:
                raise
            raise StorageError(f"{self._limiter.total_tokens:g} downloads wait for the store already") from error
