"""The loop with its clock. The door to APScheduler."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from gitopsreg.errors import GitopsregError
from gitopsreg.reconcile.loop import Loop
from gitopsreg.reconcile.pipeline import Reconciler
from gitopsreg.reconcile.run import Outcome
from gitopsreg.settings import Settings
from gitopsreg.wiring import pauses

# How many seconds a publish waits for slow upstreams; what they bring is published by itself when it is there.
_PATIENCE = 5.0
_REST = timedelta(seconds=2)
# Whoever finds another at work looks again so soon, to take over from one that died.
_AGAIN = timedelta(seconds=10)


class Ticking:
    """The loop with its clock: ticks at every interval, and once when the first package is due again."""

    def __init__(self, loop: Loop, clock: BackgroundScheduler) -> None:
        self._loop = loop
        self._clock = clock

    def start(self) -> None:
        """Run at once, then tick."""
        self._loop.start()
        self._clock.start()

    def request(self, _reason: str = "") -> None:
        """Reconcile now; returns at once."""
        self._loop.request()

    def stop(self, timeout: float | None = 10) -> bool:
        """Stop ticking and let the run under way end; whether it did in time."""
        if self._clock.running:  # it may never have started: the port was taken
            self._clock.shutdown(wait=False)
        return self._loop.stop(timeout)


def make_loop(
    settings: Settings,
    reconciler: Reconciler,
    *,
    on_outcome: Callable[[Outcome], None],
    on_error: Callable[[GitopsregError], None],
) -> Ticking:
    """The loop around a reconciler. The callbacks are told of each run, in the loop's thread."""
    clock = BackgroundScheduler(timezone=UTC)
    settle = pauses.Settling()

    def run(everything: bool) -> bool:
        """Whether there was anything to do."""
        outcome = None
        try:
            # A loop that waited for another reconciler could not be stopped.
            outcome = reconciler.run(wait=False) if everything else reconciler.tick()
            if outcome is not None:
                _wake_when_due(clock, loop, outcome)
                on_outcome(outcome)
        except GitopsregError as error:
            on_error(error)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a fault in one run must not end all later ones
            on_error(GitopsregError(f"internal error, please report it: {error!r}"))
        if reconciler.owes or reconciler.turned_away:
            _wake(clock, loop, "owed", datetime.now(UTC) + (_REST if reconciler.owes else _AGAIN))
        return outcome is not None

    def work(everything: bool) -> None:
        if run(everything):
            settle()

    loop = Loop(work)
    reconciler.hurry(_PATIENCE, loop.tick)
    clock.add_job(
        loop.tick,
        "interval",
        seconds=settings.interval.total_seconds(),
        jitter=settings.interval.total_seconds() / 10,
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    return Ticking(loop, clock)


def _wake_when_due(clock: BackgroundScheduler, loop: Loop, outcome: Outcome) -> None:
    if outcome.status.next_attempt:
        # Never at once: what is overdue already was looked at in the run that just ended.
        due = max(datetime.fromisoformat(outcome.status.next_attempt), datetime.now(UTC) + _REST)
        _wake(clock, loop, "due", due)


def _wake(clock: BackgroundScheduler, loop: Loop, why: str, when: datetime) -> None:
    clock.add_job(loop.tick, "date", run_date=when, id=why, replace_existing=True, misfire_grace_time=None)
