"""Single flight: however many ask for a run, one runs at a time, and a request during a run is never lost.

There is no queue to overflow: pending is one word. Whoever calls (a clock's tick, a webhook, a person) only marks;
the runs happen in the loop's own thread, so a tick and a webhook can't run side by side.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Event, Thread
from time import monotonic


class Loop:
    """Runs `work(everything)` whenever it was asked to, then rests as long as that took, `gap` seconds at most: whoever
    asks without end gets half of the time, and who asks after a look at nothing need not wait.

    `everything` is True when somebody asked for a reconcile now, False for a tick of the clock. What `work` raises is
    lost: it has to tell of its own troubles.
    """

    def __init__(self, work: Callable[[bool], None], *, gap: float = 1.0) -> None:
        self._work = work
        self._gap = gap
        self._marked = Condition()
        self._pending = False
        self._everything = False
        self._stopping = Event()
        self._thread = Thread(target=self._serve, name="reconcile-loop", daemon=True)

    def start(self) -> None:
        """Start with one full run: what happened while nobody looked is never missed."""
        self._mark(everything=True)
        self._thread.start()

    def request(self) -> None:
        """Reconcile now, or once more after the run under way; returns at once."""
        self._mark(everything=True)

    def tick(self) -> None:
        """Look whether there is anything to do; returns at once."""
        self._mark(everything=False)

    def stop(self, timeout: float | None = None) -> bool:
        """Let the run under way end, at most `timeout` seconds; whether it did. An abandoned run harms nothing."""
        self._stopping.set()
        with self._marked:
            self._marked.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _mark(self, *, everything: bool) -> None:
        with self._marked:
            self._pending = True
            self._everything = self._everything or everything
            self._marked.notify()

    def _serve(self) -> None:
        while self._wait():
            with self._marked:
                everything, self._everything, self._pending = self._everything, False, False
            began = monotonic()
            with suppress(Exception, SystemExit):  # whatever it is, it must not end the runs to come
                self._work(everything)
            self._stopping.wait(min(self._gap, monotonic() - began))

    def _wait(self) -> bool:
        """True when there is something to do, False when it is time to stop."""
        with self._marked:
            self._marked.wait_for(lambda: self._pending or self._stopping.is_set())
        return not self._stopping.is_set()
