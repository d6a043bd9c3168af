"""What is wrong with one stored object, and how a damaged store is told from one that is away."""

from dataclasses import dataclass
from typing import Literal

from gitopsreg.errors import KeyMissing, StorageError
from gitopsreg.index.contents import Place

What = Literal["Missing", "ReadBackMismatch", "Unreadable", "NoBackend"]

# So many objects in a row that can't be read are no bad spots of a disk.
_AWAY_AFTER = 5


class Damaged(StorageError):
    """Stored bytes that are not what their name says."""


class NoBackend(StorageError):
    """A snapshot names a back end that the settings don't."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One object that is not as it should be. `packages` are the addresses that need it, as far as that is known."""

    place: Place
    what: What
    message: str
    packages: tuple[str, ...] = ()


class Faults:
    """What was found wrong, in order. Told by one thread."""

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self._in_a_row = 0

    def note(self, place: Place, error: StorageError | None, packages: tuple[str, ...] = ()) -> None:
        """How an object was found: None is well. Raises the error of a store that does not answer any more."""
        if error is None:
            self._in_a_row = 0
            return
        what = what_of(error)
        self._in_a_row = self._in_a_row + 1 if what == "Unreadable" else 0
        if self._in_a_row >= _AWAY_AFTER:
            raise error
        self.found.append(Fault(place=place, what=what, message=str(error), packages=packages))


def what_of(error: StorageError) -> What:
    match error:
        case KeyMissing():
            return "Missing"
        case Damaged():
            return "ReadBackMismatch"
        case NoBackend():
            return "NoBackend"
        case _:
            return "Unreadable"
