"""Who reconciles right now: the document of the lease. What follows from it is decided in reconcile.lease."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process: `boot` tells this start of the machine (and its view of processes) from all others, `started` is the
    process's start in the machine's own count; "" where the machine doesn't say. `id` is random.
    """

    host: str
    pid: int
    id: str
    boot: str = ""
    started: str = ""

    def __str__(self) -> str:
        return f"process {self.pid} of {self.host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """`holder` None: released. `epoch` grows with every acquisition, `renewals` with every sign of life.

    It is given up by whoever has not renewed it for `duration` seconds. The times are the holder's own, for people:
    clocks of machines differ.
    """

    epoch: int
    duration: int
    holder: Holder | None = None
    acquired: str = ""
    renewed: str = ""
    renewals: int = 0
