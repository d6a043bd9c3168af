"""When to try again. The jitter comes from a hash, so that the same history gives the same schedule."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

FIRST_RETRY = timedelta(seconds=2)
LAST_RETRY = timedelta(minutes=15)
# Bytes that failed verification do not mend themselves in seconds: never retried hot.
FIRST_RECHECK = timedelta(minutes=15)
LAST_RECHECK = timedelta(hours=24)


_TRANSIENT = frozenset(
    {"AuthenticationFailed", "NotFound", "Moved", "HostKeyMismatch", "TLSFailed", "Timeout", "UpstreamError"}
)


def is_transient(reason: str) -> bool:
    """Whether trying again may help, though neither the upstream's content nor the catalog has changed."""
    return reason in _TRANSIENT or reason == "WriteFailed"


def retry_delay(attempts: int, *, seed: str, integrity: bool = False) -> timedelta:
    """How long to wait after this many failures in a row (1, 2, …): doubling, capped, with full jitter.

    Full jitter halves the average wait and spreads a crowd; at least a quarter of the step is always waited.
    """
    first, last = (FIRST_RECHECK, LAST_RECHECK) if integrity else (FIRST_RETRY, LAST_RETRY)
    step: timedelta = min(first * 2 ** min(attempts - 1, 20), last)
    return step * (0.25 + 0.75 * fraction(f"{seed}#{attempts}"))


def next_visit(interval: timedelta, *, seed: str) -> timedelta:
    """The interval ±10 %, so that packages declared together are not visited together."""
    return interval * (0.9 + 0.2 * fraction(seed))


def fraction(seed: str) -> float:
    """A number in [0, 1) that only the seed decides."""
    return int.from_bytes(sha256(seed.encode()).digest()[:7]) / 2**56


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with seconds: how status writes times, and in the order of time when sorted as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
