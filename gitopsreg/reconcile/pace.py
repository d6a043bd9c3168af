"""How long a slow walk through a store may take, and how fast it may read."""

import time
from collections.abc import Callable
from threading import Lock


class Pace:
    """Told of every piece that was read, by any thread; makes its reader wait when that was too fast.

    `seconds` from now on and `rate` in bytes a second; None is no limit.
    """

    def __init__(
        self,
        *,
        seconds: float | None = None,
        rate: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._seconds = seconds
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._start = clock()
        self._read = 0
        self._lock = Lock()

    def __call__(self, size: int) -> None:
        with self._lock:
            self._read += size
            ahead = self._read / self._rate - (self._clock() - self._start) if self._rate else 0.0
        if ahead > 0:
            self._sleep(ahead)

    @property
    def spent(self) -> bool:
        """Whether it is time to stop; what was begun is finished."""
        return self._seconds is not None and self._clock() - self._start >= self._seconds
