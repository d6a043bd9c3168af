"""What a long-running command tells of its runs: each publish on stdout, each new trouble in the log, nothing twice."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from gitopsreg.catalog.report import printable
from gitopsreg.cli import discoveries, output, tell
from gitopsreg.cli.failures import meaning
from gitopsreg.cli.status import package_problems
from gitopsreg.errors import GitopsregError, LeaseHeld
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.reconcile.run import Outcome


class Watch:
    """Told of every run, by the loop's thread. The first run is told in full and by `on_first` (up's welcome)."""

    def __init__(
        self,
        settings: Settings,
        *,
        before_first: Callable[[], None] = lambda: None,
        on_first: Callable[["Outcome | None"], None] = lambda _: None,
        on_published: Callable[[], object] = lambda: None,
    ) -> None:
        self._settings = settings
        self._json = settings.output == "json"
        self._before_first = before_first
        self._on_first = on_first
        self._on_published = on_published
        self._first = True
        self._troubles: frozenset[tuple[str, str]] = frozenset()
        self._error = ""
        self._lock = threading.Lock()
        self._log: Any = structlog.get_logger("gitopsreg")

    def outcome(self, outcome: "Outcome") -> None:
        with self._lock:
            if self._first:
                self._before_first()
            if outcome.published:
                self._on_published()
            if self._error:
                self._log.info("reached again", revision=outcome.revision)
            self._error = ""
            if self._first or outcome.published:
                with suppress(OSError):  # a full disk behind stdout: no reason to stop reconciling
                    self._print(outcome)
            self._tell_troubles(outcome)
            self._finish_first(outcome)

    def error(self, error: GitopsregError) -> None:
        """A run that could not be made. Told once, however often it is tried."""
        with self._lock:
            if self._first:
                self._before_first()
            if isinstance(error, LeaseHeld):
                self._log.info(printable(str(error)))  # the ticks see to the rest
            elif str(error) != self._error:
                self._log.error(printable(str(error)), next=meaning(error)[1])
                self._error = str(error)
            self._finish_first(None)

    def _print(self, outcome: "Outcome") -> None:
        if self._json:
            output.print_json_line({"event": "reconciled"} | tell.as_json(outcome))
        elif self._first:
            tell.show(output.console(), outcome, self._settings)
        else:
            output.say(output.console(), tell.summary(outcome))

    def _finish_first(self, outcome: "Outcome | None") -> None:
        if self._first:
            self._first = False
            self._on_first(outcome)

    def _tell_troubles(self, outcome: "Outcome") -> None:
        found = [problem for package in outcome.failed for problem in package_problems(package)]
        told = {(who, reason) for who, reason, _, _ in found}
        found += [(*one, "") for one in tell.mutations(outcome) if one[:2] not in told]
        found += discoveries.problems(outcome.status.discoveries)
        if outcome.blocked:
            found.append(("registry", "PublishBlocked", outcome.blocked, ""))
        troubles = frozenset((who, reason) for who, reason, _, _ in found)
        if not self._first:
            for who, reason, message, retry in found:
                if (who, reason) not in self._troubles:
                    self._log.warning(printable(message), subject=who, reason=reason, next_retry=retry)
            for who, reason in sorted(self._troubles - troubles):
                self._log.info("recovered", subject=who, reason=reason)
        self._troubles = troubles
