"""Work on many things, a few at a time, however many there are: nothing is held but what is under way."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, islice
from typing import TypeVar

JOBS = 16  # stores wait on disks and networks, not on us
_AHEAD = 4  # so that one large item does not keep the other threads waiting
_SLICE = 64  # handing over an item costs too

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@contextmanager
def side_by_side(work: Callable[[_Item], _Result], items: Iterable[_Item], *, jobs: int) -> Iterator[Iterator[_Result]]:
    """Results in the order of the items; one job is plain order in the caller's thread.

    Leaving the block waits for what is under way, and nothing new is begun. It is a block and no bare iterator, because
    one that is dropped half-way would wait for its threads whenever the garbage collector finds it, under any lock.
    """
    if jobs == 1:
        yield map(work, items)
        return
    with ThreadPoolExecutor(jobs, thread_name_prefix="store") as pool:
        under_way: deque[Future[_Result]] = deque()
        try:
            yield _results((pool.submit(work, item) for item in items), under_way, _AHEAD * jobs)
        finally:
            for future in under_way:
                future.cancel()


@contextmanager
def in_slices(work: Callable[[_Item], _Result], items: Iterable[_Item], *, jobs: int) -> Iterator[Iterator[_Result]]:
    """The same for small works: several at a time are handed over. A single one is done in the caller's thread."""
    with in_parts(lambda part: [work(item) for item in part], items, jobs=jobs) as results:
        yield chain.from_iterable(results)


@contextmanager
def in_parts(
    work: Callable[[list[_Item]], _Result], items: Iterable[_Item], *, jobs: int
) -> Iterator[Iterator[_Result]]:
    """The same for works that are done to several items at once: a result for each part."""
    rest = iter(items)
    first = list(islice(rest, _SLICE * jobs))
    if len(first) < 2:
        yield map(work, [first] if first else [])
        return
    most = -(-len(first) // jobs)
    parts = chain((first[start : start + most] for start in range(0, len(first), most)), _slices(rest, most))
    with side_by_side(work, parts, jobs=jobs) as results:
        yield results


def _slices(items: Iterator[_Item], most: int) -> Iterator[list[_Item]]:
    while part := list(islice(items, most)):
        yield part


def _results(futures: Iterator[Future[_Result]], under_way: deque[Future[_Result]], most: int) -> Iterator[_Result]:
    for future in futures:
        under_way.append(future)
        if len(under_way) >= most:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()
