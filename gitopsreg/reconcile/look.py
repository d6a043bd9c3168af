"""One look at each upstream that many packages come from: when it is time, and never two at once.

A look may be slow (the first one fetches all there is), so it has patience like everything that talks to others: who
is not done in time is late, and a later run learns what came of it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gitopsreg.errors import UpstreamError, UpstreamUnavailable
from gitopsreg.index.status import UpstreamStatus
from gitopsreg.model.catalog import Catalog
from gitopsreg.model.condition import Condition
from gitopsreg.model.declaration import PackageDeclaration
from gitopsreg.reconcile.backoff import next_visit, retry_delay, stamp
from gitopsreg.upstream.base import Gathering


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What became of one look: the upstream's `state`, or `error`; neither while it was not time or is not done.

    `before` is what the last run knew.
    """

    gathering: Gathering
    before: UpstreamStatus | None = None
    state: str = ""
    error: UpstreamError | None = None
    late: bool = False

    @property
    def moved(self) -> bool:
        """Whether there may be something new."""
        return bool(self.state) and (self.before is None or self.state != self.before.state)

    @property
    def is_new(self) -> bool:
        """Whether somebody looked now, or tries to."""
        return bool(self.state) or self.error is not None or self.late

    def lacks(self, declaration: PackageDeclaration) -> bool:
        """Whether the package was not there when somebody last looked, which was not now."""
        if self.is_new or self.trouble:
            return False
        try:
            return not self.gathering.has(declaration)
        except UpstreamError:  # whoever asks for the package is told
            return False

    @property
    def moved_namespaces(self) -> Collection[str] | None:
        """As Gathering.moved, since what the last run knew."""
        return self.gathering.moved(self.before.state) if self.before else None

    @property
    def trouble(self) -> UpstreamError | None:
        """Why nothing can be learned of its packages now: this look failed, or the last one did and it is not time."""
        if self.error is None and not self.state and self.before and self.before.condition.status == "False":
            return UpstreamUnavailable(self.before.condition.message, reason=self.before.condition.reason)
        return self.error

    def status(self, interval: timedelta, now: datetime) -> UpstreamStatus | None:
        """What the next run should know."""
        if self.error is not None:
            return self._failed(self.error, now)
        if not self.state:
            return _hurried(self.before, interval) if self.before else None
        return UpstreamStatus(
            url=self.gathering.url,
            state=self.state,
            condition=Condition(type="Ready", status="True", reason="Succeeded", message=self.state),
            last_attempt=stamp(now),
            next_attempt=stamp(now + next_visit(interval, seed=self.gathering.url)),
        )

    def _failed(self, error: UpstreamError, now: datetime) -> UpstreamStatus:
        attempts = (self.before.attempts if self.before else 0) + 1
        wait_for = retry_delay(attempts, seed=self.gathering.url)
        return UpstreamStatus(
            url=self.gathering.url,
            state=self.before.state if self.before else "",
            condition=Condition(type="Ready", status="False", reason=error.reason, message=str(error)),
            last_attempt=stamp(now),
            next_attempt=stamp(now + wait_for),
            attempts=attempts,
        )


class Lookout:
    """Looks at gatherings for one run after the other. Used by one run at a time."""

    def __init__(self, gathering_for: Callable[[str], Gathering]) -> None:
        self._gathering_for = gathering_for
        self._looking: dict[str, Future[str]] = {}

    @property
    def arrived(self) -> bool:
        """Whether a look that was late is done."""
        return any(future.done() for future in self._looking.values())

    def at(
        self,
        urls: Iterable[str],
        known: Iterable[UpstreamStatus],
        *,
        now: str,
        everything: bool,
        patience: float | None,
        wake: Callable[[], None],
    ) -> dict[str, Look]:
        """One for each URL; those that are due are looked at, and who is still being looked at is waited for."""
        before = {item.url: item for item in known}
        due = [url for url in urls if everything or url in self._looking or _is_due(before.get(url), now)]
        self._start(due, wake)
        wait(self._looking.values(), timeout=patience)
        return {url: self._outcome(url, before.get(url)) for url in urls}

    def _start(self, due: Iterable[str], wake: Callable[[], None]) -> None:
        fresh = [url for url in due if url not in self._looking]
        if not fresh:
            return
        pool = ThreadPoolExecutor(len(fresh), thread_name_prefix="look")
        for url in fresh:
            self._looking[url] = pool.submit(self._gathering_for(url).look)
            self._looking[url].add_done_callback(lambda _: wake())
        pool.shutdown(wait=False)

    def _outcome(self, url: str, before: UpstreamStatus | None) -> Look:
        look = Look(gathering=self._gathering_for(url), before=before)
        future = self._looking.get(url)
        if future is None:
            return look
        if not future.done():
            return replace(look, late=True)
        del self._looking[url]
        try:
            return replace(look, state=future.result())
        except UpstreamError as error:
            return replace(look, error=error)


def _hurried(before: UpstreamStatus, interval: timedelta) -> UpstreamStatus:
    """Not later than `interval` wants it: the catalog may have asked for less since the last look."""
    wanted = stamp(datetime.fromisoformat(before.last_attempt) + next_visit(interval, seed=before.url))
    return replace(before, next_attempt=wanted) if wanted < before.next_attempt else before


def _is_due(before: UpstreamStatus | None, now: str) -> bool:
    return before is None or before.next_attempt <= now or before.last_attempt > now


def intervals(catalog: Catalog) -> Mapping[str, timedelta]:
    """How often each upstream of many packages is looked at: as often as the most eager of them wants."""
    found: dict[str, timedelta] = {}
    for url, interval in _wishes(catalog):
        known = found.get(url)
        found[url] = interval if known is None else min(known, interval)
    return found


def _wishes(catalog: Catalog) -> Iterator[tuple[str, timedelta]]:
    for discovery in catalog.discoveries:
        if not discovery.suspended_by:
            yield discovery.url, discovery.interval
    for part in catalog.parts.values():
        yield from part.looks.items()
