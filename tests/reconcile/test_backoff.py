"""Delays double, are capped, and only their seed decides the jitter."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.reconcile.backoff import LAST_RECHECK, LAST_RETRY, next_visit, retry_delay, stamp


@given(st.integers(1, 10_000), st.text())
def test_a_retry_is_never_hot_and_never_lost(attempts: int, seed: str) -> None:
    delay = retry_delay(attempts, seed=seed)
    assert timedelta(seconds=0.5) <= delay <= LAST_RETRY
    assert delay == retry_delay(attempts, seed=seed)
    assert timedelta(minutes=3) < retry_delay(attempts, seed=seed, integrity=True) <= LAST_RECHECK


def test_late_retries_are_far_apart() -> None:
    assert retry_delay(1, seed="x") <= timedelta(seconds=2)
    assert retry_delay(40, seed="x") >= LAST_RETRY / 4


@given(st.text())
def test_visits_stay_within_ten_percent(seed: str) -> None:
    assert timedelta(minutes=13.5) <= next_visit(timedelta(minutes=15), seed=seed) <= timedelta(minutes=16.5)


def test_visits_are_spread() -> None:
    assert len({next_visit(timedelta(minutes=15), seed=str(n)) for n in range(100)}) == 100


MOMENTS = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)).map(lambda m: m.replace(microsecond=0))  # noqa: DTZ001


@given(MOMENTS, MOMENTS)
def test_stamps_sort_like_time(one: datetime, other: datetime) -> None:
    assert (stamp(one) < stamp(other)) is (one < other)


def test_stamps_are_utc() -> None:
    paris = datetime(2026, 10, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert stamp(paris) == "2026-10-01T12:00:00Z"
