"""A process that serves neither keeps the interpreter's lock for long nor looks again at what stays."""

import gc
import sys
from collections.abc import Iterator
from weakref import ref

import pytest

from gitopsreg.wiring import pauses


class Ring:
    """Garbage that only a collection finds."""

    def __init__(self) -> None:
        self.myself = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_pauses_are_short_only_while_it_serves() -> None:
    before = sys.getswitchinterval(), gc.get_threshold()
    with pauses.short():
        assert sys.getswitchinterval() < before[0]
        assert gc.get_threshold()[2] > before[1][2]
    assert (sys.getswitchinterval(), gc.get_threshold()) == before


def test_what_is_there_is_not_looked_at_again_and_garbage_does_not_stay() -> None:
    garbage, kept = ref(Ring()), Ring()
    pauses.Settling()()
    assert garbage() is None
    assert not any(each is kept for each in gc.get_objects())


def test_what_comes_later_is_still_looked_at() -> None:
    settle = pauses.Settling()
    settle()
    garbage = ref(Ring())
    settle()
    assert garbage() is None


def test_what_stayed_and_became_garbage_is_found_in_the_end() -> None:
    settle = pauses.Settling(every=3)
    found = []
    ring: Ring | None = Ring()
    garbage = ref(ring)
    for _ in range(3):
        settle()
        ring = None
        found.append(garbage() is None)
    assert found == [False, False, True]
