import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from gitopsreg.cli import logs
from gitopsreg.cli.watch import Watch
from gitopsreg.errors import CheckoutFailed, LeaseHeld
from gitopsreg.reconcile.run import Outcome
from gitopsreg.settings import Settings
from tests.cli.outcomes import a_broken_package, a_package, an_outcome

QUIET = an_outcome(a_package(), published=False)


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    yield
    root.handlers[:] = [handler for handler in root.handlers if type(handler) is not logging.StreamHandler]
    root.setLevel(level)


def a_watch(settings: Settings | None = None, **callbacks: Any) -> Watch:
    """With logs on the stderr of this very moment."""
    logs.configure(Settings(log_format="json"))
    return Watch(settings or Settings(), **callbacks)


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_the_first_run_is_told_in_full_and_later_ones_only_when_they_publish(
    capsys: pytest.CaptureFixture[str],
) -> None:
    watch = a_watch()
    watch.outcome(an_outcome(a_package(), a_broken_package(), published=False))
    assert len(capsys.readouterr().out.splitlines()) == 3
    watch.outcome(QUIET)
    assert capsys.readouterr().out == ""
    watch.outcome(an_outcome(a_package()))
    assert capsys.readouterr().out.startswith("Published ")


def test_trouble_is_told_once_and_so_is_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    watch = a_watch()
    watch.outcome(QUIET)
    capsys.readouterr()
    broken = an_outcome(a_package(), a_broken_package(), published=False)
    watch.outcome(broken)
    watch.outcome(broken)
    (trouble,) = logged(capsys)
    assert (trouble["level"], trouble["subject"], trouble["reason"]) == (
        "warning",
        "module:platform/dns/aws",
        "NotFound",
    )
    watch.outcome(QUIET)
    (end,) = logged(capsys)
    assert (end["event"], end["subject"]) == ("recovered", "module:platform/dns/aws")


def test_an_outage_is_told_once_and_so_is_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    watch = a_watch()
    watch.outcome(QUIET)
    capsys.readouterr()
    for _ in range(3):
        watch.error(CheckoutFailed("no answer from \x1b git.example.com"))
    (outage,) = logged(capsys)
    assert outage["event"] == "no answer from \\x1b git.example.com"
    watch.outcome(QUIET)
    assert [line["event"] for line in logged(capsys)] == ["reached again"]


def test_another_reconciler_at_work_is_no_trouble(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Outcome | None] = []
    watch = a_watch(on_first=told.append)
    watch.error(LeaseHeld("another reconciler is at work", until=""))
    (line,) = logged(capsys)
    assert (line["level"], line["event"]) == ("info", "another reconciler is at work")
    assert told == [None], "who waits for the first run does not wait for the other one"
    watch.outcome(QUIET)
    assert logged(capsys) == []


def test_who_waits_for_the_first_run_is_told_once_whatever_came_of_it() -> None:
    told: list[Outcome | None] = []
    watch = a_watch(on_first=told.append)
    watch.error(CheckoutFailed("gone"))
    watch.outcome(QUIET)
    assert told == [None]


def test_what_is_published_is_shown_before_it_is_told() -> None:
    order: list[str] = []
    watch = a_watch(
        Settings(output="json"),
        before_first=lambda: order.append("bar ends"),
        on_published=lambda: order.append("shown"),
        on_first=lambda _: order.append("first"),
    )
    watch.outcome(an_outcome(a_package()))
    watch.outcome(an_outcome(a_package()))
    assert order == ["bar ends", "shown", "first", "shown"]
