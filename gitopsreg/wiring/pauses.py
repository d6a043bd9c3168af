"""Whatever would stop a process that serves: the interpreter's lock, when a thread keeps it, and its garbage collector.

Requests are answered by one thread while others reconcile, or read a new snapshot. A thread that wants the lock waits
for as long as the interpreter lets another one keep it (5 ms, if nobody says otherwise), and a full collection stops
all of them for as long as it takes to look at every object: half a second for a large registry.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SWITCH = 0.0005  # seconds
# Young objects are looked at so many at a time, some milliseconds' worth; all of them, only when `Settling` says so.
_THRESHOLDS = (2_000, 5, 20_000)
_ALL = 200


@contextmanager
def short() -> Iterator[None]:
    """Pauses of the process are short while the block runs."""
    switch, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(_SWITCH)
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        sys.setswitchinterval(switch)
        gc.set_threshold(*thresholds)


class Settling:
    """Called when much has come that will stay: no later collection looks at it.

    It looks at what came since the last time, and every so often at all: what stayed may have become garbage that only
    a collection finds.
    """

    def __init__(self, every: int = _ALL) -> None:
        self._every = every
        self._times = 0

    def __call__(self) -> None:
        self._times += 1
        if self._times % self._every == 0:
            gc.unfreeze()
        gc.collect()
        gc.freeze()
