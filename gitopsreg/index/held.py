"""What work on a store needs to know of the lease it is done under."""

from typing import Protocol


class Held(Protocol):
    """A lease that is held; `epoch` goes with every change of the head."""

    epoch: int

    def check(self) -> None:
        """Raises LostLease."""
