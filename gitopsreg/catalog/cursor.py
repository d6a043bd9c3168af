"""Walking an unchecked document: whatever is missing or of another type reads as nothing, so that checks can go on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gitopsreg.catalog.problem import pointer_to

# Longer texts are refused by the schema; no other check need read them.
_LONGEST = 2000


# Not frozen, and nobody changes one: a check makes fifty of them a file, and freezing takes longer than all the rest.
@dataclass(slots=True, eq=False)
class Cursor:
    """A value and the way to it from the top of the document."""

    value: Any
    steps: tuple[str | int, ...] = ()

    def __truediv__(self, key: str) -> "Cursor":
        """The value under a key."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Cursor(value, (*self.steps, key))

    def __iter__(self) -> Iterator["Cursor"]:
        """The items of a list."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                yield Cursor(value, (*self.steps, index))

    @property
    def pointer(self) -> str:
        """The way as a JSON pointer."""
        return pointer_to(*self.steps)

    @property
    def text(self) -> str:
        """The value, if it is a string of bearable length, else ""."""
        return self.value if isinstance(self.value, str) and len(self.value) <= _LONGEST else ""

    @property
    def present(self) -> bool:
        return self.value is not None
