"""Work done side by side, with patience: who is not done in time is late, and nobody waits for the slowest."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class Gathered(Generic[In, Out]):
    """What was done in time, in the order of the items, and what is still being worked on."""

    done: tuple[tuple[In, Out], ...]
    late: tuple[tuple[In, Future[Out]], ...] = ()


def gather(
    work: Callable[[In], Out], items: Iterable[In], *, jobs: int, patience: float | None = None
) -> Gathered[In, Out]:
    """Do the work on every item, `jobs` at a time; wait `patience` seconds for it (None: until all of it is done).

    One job is plain order in the caller's thread, without hurry. An exception of the work is raised here, or by the
    late future.
    """
    if jobs == 1:
        return Gathered(tuple((item, work(item)) for item in items))
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="reconcile")
    futures = [(item, pool.submit(work, item)) for item in items]
    pool.shutdown(wait=False)
    wait([future for _, future in futures], timeout=patience)
    # Asked once: a future may become done between two looks.
    states = [(item, future, future.done()) for item, future in futures]
    return Gathered(
        tuple((item, future.result()) for item, future, done in states if done),
        tuple((item, future) for item, future, done in states if not done),
    )
