"""A collection and a publish at the same time, in thousands of orders: what is published has all its bytes. Each rule
of safety is needed: without it, some order loses bytes."""

import itertools
import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from gitopsreg.errors import KeyMissing, PublishConflict, StorageError
from gitopsreg.index import repository
from gitopsreg.index.keys import HEAD
from gitopsreg.index.model import ModulePackage, Snapshot
from gitopsreg.index.repository import Content
from gitopsreg.reconcile.collect import collect
from gitopsreg.reconcile.sync import put_blob
from gitopsreg.storage.base import BlobStore, Stored, Token
from gitopsreg.storage.memory import MemoryStore
from gitopsreg.upstream.base import Payload
from tests.builders import VPC, a_blob, a_module
from tests.interleaving import Turns, TurnStore
from tests.reconcile.care import HELD, served_whole

HOUR, DAY = 3600.0, 86400.0
GRACE = timedelta(hours=2)
RANDOM_ORDERS = 1_000

Choose = Callable[[list[str]], str]


@dataclass
class Clock:
    now: float = 0.0
    step: Callable[[], float] = field(default=lambda: 0.0)

    def __call__(self) -> float:
        self.now += self.step()
        return self.now


class Headstrong(MemoryStore):
    """Removes what it is told to, whatever was written since."""

    def delete(self, key: str, *, seen: Stored | None = None) -> bool:
        del seen
        return super().delete(key)


class Fenceless(TurnStore):
    """A collector's view without a fence: the head stays as it is, and is only said to have been written."""

    _pretended = b""

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        if key == HEAD and expected is not None:
            self._pretended = data
            return expected
        return super().replace(key, data, expected=expected)

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        data, token = super().get_with_token(key)
        pretended, self._pretended = self._pretended, b""
        return pretended or data, token


def content(*versions: str) -> Content:
    package: ModulePackage = a_module(*versions)
    time = "2026-01-01T00:00:00Z"
    return Content(revision=",".join(versions), time=time, hostname=None, namespaces=(), packages={VPC: package})


def publish(store: BlobStore, clock: Clock, *versions: str, touch: bool = True) -> Snapshot:
    """As a reconciler does: the bytes, then the index; whoever loses the race starts over."""
    for _ in range(5):
        head = repository.read_head(store)
        base = repository.load(store, head.root, jobs=1) if head else None
        known = {each.version for each in base.packages[VPC].versions} if base else set()
        for version in content(*versions).packages[VPC].versions:
            if version.version not in known:
                data = version.version.text.encode()
                payload = Payload(blob=a_blob(data), open=partial(lambda data: iter([data]), data))
                put_blob(store, payload, named=not touch, clock=clock)
        with suppress(PublishConflict):
            return repository.publish(store, content(*versions), base=base, head=head, fence=HELD.epoch, jobs=1)
    raise PublishConflict("five times")


def a_past(store: BlobStore, clock: Clock) -> None:
    """Three snapshots of long ago; the middle one named 1.1.0, which nothing retained names now."""
    publish(store, clock, "1.0.0")
    publish(store, clock, "1.0.0", "1.1.0")
    publish(store, clock, "1.0.0", "1.2.0")
    clock.now += 100 * DAY


@dataclass(frozen=True)
class Rules:
    """What keeps bytes safe; a test takes one away."""

    touch: bool = True
    seen: bool = True
    fence: bool = True


ALL = Rules()


def loses_bytes(choose: Choose, rules: Rules = ALL, step: Callable[[], float] = lambda: 0.0) -> str:
    """How a publish of 1.1.0 and a collection end that are run in this order: "" when all is well."""
    clock = Clock()
    store = MemoryStore(clock=clock) if rules.seen else Headstrong(clock=clock)
    a_past(store, clock)
    clock.step = step
    turns = Turns(choose)
    view = TurnStore if rules.fence else Fenceless
    collector = view(store, turns, "collector")

    def collecting() -> None:
        with suppress(PublishConflict):  # it gave up: nothing was removed
            collect({"": collector}, HELD, now=datetime.now(UTC), keep=1, grace=GRACE, jobs=1)

    def publishing() -> None:
        publisher = TurnStore(store, turns, "publisher")
        # It gave up after hours, or noticed what the missing rule would have prevented: nothing was published.
        with suppress(*([PublishConflict] if rules == ALL else [PublishConflict, StorageError])):
            publish(publisher, clock, "1.0.0", "1.1.0", "1.2.0", touch=rules.touch)

    turns.run({"collector": collecting, "publisher": publishing})
    try:
        served_whole({"": store})
    except (KeyMissing, StorageError) as error:
        return f"{error} after {' '.join(turns.order)}"
    return ""


def switching(first: str, *stretches: int) -> Choose:
    """`first` for so many operations, then the other one for so many, and so on; at last whoever still waits."""
    names = itertools.cycle((first, "publisher" if first == "collector" else "collector"))
    plan = [name for name, length in zip(names, stretches, strict=False) for _ in range(length)]
    upcoming = iter(plan)

    def choose(waiting: list[str]) -> str:
        name = next(upcoming, waiting[0])
        return name if name in waiting else waiting[0]

    return choose


def every_two_switches() -> Iterable[Choose]:
    """All orders in which the two take turns three times at most."""
    for first, one, two in itertools.product(("collector", "publisher"), range(28), range(28)):
        yield switching(first, one, two)


def at_random(count: int) -> Iterable[Choose]:
    for seed in range(count):
        yield random.Random(seed).choice


def steps(seed: int) -> Callable[[], float]:
    """A clock that often stands still and sometimes jumps: a worker that sleeps for hours in the middle."""
    chance = random.Random(seed)
    return lambda: chance.choice((0.0, 0.0, 0.0, 0.7 * HOUR, 3 * HOUR))


def test_every_order_of_few_switches_keeps_what_is_published() -> None:
    assert [lost for choose in every_two_switches() if (lost := loses_bytes(choose))] == []


def test_thousands_of_orders_keep_what_is_published() -> None:
    assert [lost for choose in at_random(RANDOM_ORDERS) if (lost := loses_bytes(choose))] == []


def test_sleeping_for_hours_in_the_middle_is_safe_too() -> None:
    orders = enumerate(at_random(RANDOM_ORDERS))
    assert [lost for seed, choose in orders if (lost := loses_bytes(choose, step=steps(seed)))] == []


@pytest.mark.parametrize("rules", [Rules(touch=False), Rules(seen=False)], ids=["touch", "seen"])
def test_each_rule_is_needed(rules: Rules) -> None:
    assert any(loses_bytes(choose, rules) for choose in every_two_switches())


def test_the_fence_is_needed_against_those_that_sleep() -> None:
    orders = enumerate(at_random(RANDOM_ORDERS))
    assert any(loses_bytes(choose, Rules(fence=False), steps(seed)) for seed, choose in orders)


def test_something_is_collected_at_all() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    a_past(store, clock)
    collected = collect({"": store}, HELD, now=datetime.now(UTC), keep=1, grace=GRACE, jobs=1)
    assert collected.removed == 2 * 3 + 1, "two roots, shards and packages, one blob"
