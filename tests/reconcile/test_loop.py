"""Single flight: never two runs at once, never a request lost, however they storm."""

from threading import Event, Lock

import pytest

from gitopsreg.reconcile.loop import Loop


class Work:
    """Counts runs, notices overlap, and can be held."""

    def __init__(self) -> None:
        self.runs: list[bool] = []
        self.overlaps = 0
        self.gate = Event()
        self.gate.set()
        self.entered = Event()
        self._lock = Lock()

    def __call__(self, everything: bool) -> None:
        if not self._lock.acquire(blocking=False):
            self.overlaps += 1
            return
        with_lock = self._lock
        try:
            self.runs.append(everything)
            self.entered.set()
            self.gate.wait(10)
        finally:
            with_lock.release()

    def wait_for(self, runs: int) -> bool:
        for _ in range(1000):
            if len(self.runs) >= runs:
                return True
            Event().wait(0.01)
        return False


def test_it_starts_with_one_full_run() -> None:
    work = Work()
    loop = Loop(work, gap=0)
    loop.start()
    assert work.wait_for(1)
    assert loop.stop(10)
    assert work.runs == [True]


def test_a_storm_during_a_run_becomes_one_more_run() -> None:
    work = Work()
    work.gate.clear()
    loop = Loop(work, gap=0)
    loop.start()
    assert work.entered.wait(10)
    for _ in range(1000):
        loop.request()
        loop.tick()
    work.gate.set()
    assert work.wait_for(2)
    assert loop.stop(10)
    assert work.runs == [True, True]
    assert work.overlaps == 0


def test_a_tick_alone_is_only_a_look() -> None:
    work = Work()
    loop = Loop(work, gap=0)
    loop.start()
    assert work.wait_for(1)
    loop.tick()
    assert work.wait_for(2)
    assert loop.stop(10)
    assert work.runs == [True, False]


@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_a_run_that_raises_does_not_end_the_runs_to_come(error: type[BaseException]) -> None:
    runs = Work()

    def fail(everything: bool) -> None:
        runs(everything)
        raise error("oops")

    loop = Loop(fail, gap=0)
    loop.start()
    assert runs.wait_for(1)
    loop.request()
    assert runs.wait_for(2)
    assert loop.stop(10)


def test_stopping_before_the_start_and_twice_is_fine() -> None:
    loop = Loop(Work(), gap=0)
    assert loop.stop(1)
    assert loop.stop(1)


def test_it_rests_no_longer_than_it_worked() -> None:
    work = Work()
    loop = Loop(work, gap=3600)
    loop.start()
    for runs in (1, 2, 3):
        assert work.wait_for(runs)
        loop.request()
    assert loop.stop(60)
