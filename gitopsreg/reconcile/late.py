"""Answers and content that were too slow for one run: kept until they are there, and published by a later one."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from gitopsreg.model.address import PackageAddress
from gitopsreg.reconcile.resolve import Resolved
from gitopsreg.reconcile.sync import Synced


class LateComers:
    """Without `hurry` nobody is late: every run waits for all of it. Used by one run at a time."""

    def __init__(self) -> None:
        self.patience: float | None = None
        self._wake: Callable[[], None] = lambda: None
        self._asking: dict[PackageAddress, Future[Resolved]] = {}
        self._fetching: dict[PackageAddress, Future[Synced]] = {}

    def hurry(self, patience: float, wake: Callable[[], None]) -> None:
        """Wait `patience` seconds and no longer; `wake` is called, from any thread, when something late is there."""
        self.patience = patience
        self._wake = wake

    def wake(self) -> None:
        """Something late is there; called from any thread."""
        self._wake()

    @property
    def arrived(self) -> bool:
        """Whether something that was late is there now."""
        pending: list[Future[Any]] = [*self._asking.values(), *self._fetching.values()]
        return any(future.done() for future in pending)

    @property
    def busy(self) -> frozenset[PackageAddress]:
        """Packages with something still on its way."""
        return frozenset((*self._asking, *self._fetching))

    def answers(self) -> dict[PackageAddress, Resolved]:
        """What upstreams answered since the last run; what is still out stays out."""
        here = {address: future for address, future in self._asking.items() if future.done()}
        self._asking = {address: future for address, future in self._asking.items() if address not in here}
        self._fetching = {address: future for address, future in self._fetching.items() if not future.done()}
        return {address: future.result() for address, future in here.items()}

    def expect_answers(self, late: Iterable[tuple[PackageAddress, Future[Resolved]]]) -> None:
        for address, future in late:
            self._asking[address] = future
            future.add_done_callback(lambda _: self._wake())

    def expect_content(self, late: Iterable[tuple[PackageAddress, Future[Synced]]]) -> None:
        for address, future in late:
            self._fetching[address] = future
            future.add_done_callback(lambda _: self._wake())
