"""What the care of a store tells while it works. It never logs and never prints."""

from typing import Protocol


class Progress(Protocol):
    """Told by one thread; must not raise."""

    def working(self, on: str, total: int | None) -> None:
        """A new part of the work, with the number of things in it, where that is known."""

    def worked(self, note: str, size: int = 0) -> None:
        """One thing is done; `size` in bytes."""


class Unwatched:
    """Where nobody looks."""

    def working(self, on: str, total: int | None) -> None:
        pass

    def worked(self, note: str, size: int = 0) -> None:
        pass
