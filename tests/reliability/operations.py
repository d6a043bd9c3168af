"""What is asked of a store, in kinds: `put blobs/…` whatever the digest."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.faults import Fault, Kind, applies

_DIGEST = re.compile(r"[0-9a-f]{64}")
# These hold one document for each shard, named by its prefix.
_SHARDED = ("status/packages",)


LONG = 60.0  # seconds that nothing in these tests takes


def patience_for(kind: Kind) -> float:
    """For how many seconds a store may be silent: short where it hangs, else no slow machine may look like a fault."""
    return 0.1 if kind == "hang" else LONG


@dataclass(frozen=True, slots=True, order=True)
class Operation:
    """A method of a store with a kind of key: a pattern, as `fnmatch` has them."""

    key: str
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.key.replace('*', '…')}"


def kind_of(key: str) -> str:
    folder, _, name = key.rpartition("/")
    return f"{folder}/*" if _DIGEST.fullmatch(name) or (name and folder in _SHARDED) else key


def counted(operations: Iterable[tuple[str, str]]) -> Counter[Operation]:
    """How often each kind was met."""
    return Counter(Operation(kind_of(key), method) for method, key in operations)


def faults(kind: Kind, operation: Operation, times: int) -> Iterator[Fault]:
    """The fault at the first such operation, at the last, and from the first on for good.

    Not at the last where that takes long (each hang its time), or says what another kind says (denied is fail).
    """
    if not applies(kind, operation.method):
        return
    for once in sorted({1, 1 if kind in {"hang", "slow", "denied"} else times}):
        yield Fault(kind=kind, method=operation.method, key=operation.key, first=once, last=once)
    yield Fault(kind=kind, method=operation.method, key=operation.key)
