"""A dictionary that stays small: what nobody asked for through a whole generation goes first. Used by one thread."""

from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Shelf(Generic[Key, Value]):
    """Up to `most` things that weigh up to `budget` in all, as `weigh` says (bytes).

    Two generations, each half of it: when the younger is full it becomes the older one, and what was in the older one
    is gone. What is found in the older one moves into the younger. So what is asked for stays, however many other
    things come by, and nothing has to be counted when something is found.
    """

    def __init__(self, most: int, budget: int, weigh: Callable[[Key, Value], int]) -> None:
        self._most = most // 2
        self._budget = budget // 2
        self._weigh = weigh
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}
        self._weight = 0

    def find(self, key: Key) -> Value | None:
        found = self._young.get(key)
        if found is None and self._old and (found := self._old.pop(key, None)) is not None:
            self.keep(key, found)
        return found

    def keep(self, key: Key, value: Value) -> None:
        """Nothing that would fill an eighth of it alone."""
        weight = self._weigh(key, value)
        if weight > self._budget // 4:
            return
        if len(self._young) >= self._most or self._weight + weight > self._budget:
            self._old, self._young, self._weight = self._young, {}, 0
        before = self._young.get(key)
        self._young[key] = value
        self._weight += weight - (self._weigh(key, before) if before is not None else 0)

    def clear(self) -> None:
        self._young, self._old, self._weight = {}, {}, 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    @property
    def weight(self) -> int:
        """All of it, counted anew."""
        return sum(self._weigh(key, value) for part in (self._young, self._old) for key, value in part.items())
