"""Two or more workers on one store, one operation at a time, in an order that the test decides."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Condition, Thread
from typing import TypeVar

from gitopsreg.storage.base import BlobStore, LinkTerms, Stored, Token

_Result = TypeVar("_Result")

# Only so that a mistake in a test fails.
_PATIENCE = 30.0


class Turns:
    """Lets one worker do one operation at a time. `choose` picks among the names of those that wait."""

    def __init__(self, choose: Callable[[list[str]], str]) -> None:
        self._choose = choose
        self._turn = Condition()
        self._waiting: set[str] = set()
        self._running: set[str] = set()
        self._next = ""
        self.order: list[str] = []

    def run(self, workers: Mapping[str, Callable[[], None]]) -> None:
        """Until all are done; raises what the first of them raised."""
        errors: list[BaseException] = []
        self._running = set(workers)
        threads = [Thread(target=self._work, args=(name, work, errors)) for name, work in workers.items()]
        for thread in threads:
            thread.start()
        while self._grant():
            pass
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def take(self, name: str) -> None:
        """Called by a worker before each of its operations: waits until it is chosen."""
        with self._turn:
            self._running.discard(name)
            self._waiting.add(name)
            self._turn.notify_all()
            assert self._turn.wait_for(lambda: self._next == name, _PATIENCE)
            self._next = ""

    def _work(self, name: str, work: Callable[[], None], errors: list[BaseException]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the test's own thread raises it
            errors.append(error)
        finally:
            with self._turn:
                self._running.discard(name)
                self._turn.notify_all()

    def _grant(self) -> bool:
        with self._turn:
            assert self._turn.wait_for(lambda: not self._running, _PATIENCE)
            if not self._waiting:
                return False
            name = self._choose(sorted(self._waiting))
            self.order.append(name)
            self._waiting.discard(name)
            self._running.add(name)
            self._next = name
            self._turn.notify_all()
            return True


class TurnStore:
    """One worker's view of a store."""

    def __init__(self, inner: BlobStore, turns: Turns, name: str) -> None:
        self._inner = inner
        self._turns = turns
        self._name = name

    def _run(self, operation: Callable[[], _Result]) -> _Result:
        self._turns.take(self._name)
        return operation()

    def get(self, key: str) -> bytes:
        return self._run(lambda: self._inner.get(key))

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        return self._run(lambda: self._inner.get_with_token(key))

    def size(self, key: str) -> int:
        return self._run(lambda: self._inner.size(key))

    def stat(self, key: str) -> Stored:
        return self._run(lambda: self._inner.stat(key))

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        return self._run(lambda: self._inner.chunks(key, start, length))

    def keys(self, prefix: str) -> Iterator[str]:
        return self._run(lambda: self._inner.keys(prefix))

    def listing(self, prefix: str) -> Iterator[Stored]:
        return self._run(lambda: self._inner.listing(prefix))

    def link(self, key: str, terms: LinkTerms) -> str | None:
        return self._run(lambda: self._inner.link(key, terms))

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        self._run(lambda: self._inner.put(key, data))

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        return self._run(lambda: self._inner.replace(key, data, expected=expected))

    def delete(self, key: str, *, seen: Stored | None = None) -> bool:
        return self._run(lambda: self._inner.delete(key, seen=seen))
