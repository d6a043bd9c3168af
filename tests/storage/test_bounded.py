"""Limits to a store's silence. That it keeps the contract is in the conformance suite."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

import pytest

from gitopsreg.errors import StorageError
from gitopsreg.index.model import Package
from gitopsreg.index.repository import Content, publish
from gitopsreg.model.address import ModuleAddress, PackageAddress
from gitopsreg.storage.base import BlobStore, LinkTerms, Stored
from gitopsreg.storage.bounded import BoundedReader, BoundedStore
from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_module
from tests.faults import Fault, FaultyStore

SHORT = 0.05
LONG = 60.0


@pytest.fixture
def hanging() -> Iterator[FaultyStore]:
    """A store that never answers while the test lasts; it holds "a"."""
    store = FaultyStore(MemoryStore(), Fault(kind="hang"))
    store.inner.put("a", b"value")
    yield store
    store.release()


CALLS: dict[str, Callable[[BlobStore], object]] = {
    'get "a"': lambda store: store.get("a"),
    'size "a"': lambda store: store.size("a"),
    'stat "a"': lambda store: store.stat("a"),
    'read "a"': lambda store: list(store.chunks("a")),
    'list "p/"': lambda store: list(store.listing("p/")),
    'list "q/"': lambda store: list(store.keys("q/")),
    'put "a"': lambda store: store.put("a", b""),
    'put "b"': lambda store: store.put("b", iter([b"1", b"2"])),
    'replace "a"': lambda store: store.replace("a", b"", expected=None),
    'delete "a"': lambda store: store.delete("a"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_hangs_is_an_error_that_names_it(hanging: FaultyStore, name: str) -> None:
    with pytest.raises(StorageError) as caught:
        CALLS[name](BoundedStore(hanging, SHORT))
    assert str(caught.value) == f"the store did not answer within 0.05 s: {name}"


def test_what_hangs_is_counted_until_it_returns_and_too_many_begin_no_more(hanging: FaultyStore) -> None:
    store = BoundedReader(hanging, SHORT, most=3)
    for _ in range(3):
        with pytest.raises(StorageError, match="did not answer"):
            store.get("a")
    assert store.abandoned == hanging.hanging == 3
    with pytest.raises(StorageError, match='3 calls to the store hang, so this one was not begun: get "a"'):
        store.get("a")
    assert hanging.hanging == 3
    hanging.release()
    hanging.plan()
    wait_until(lambda: store.abandoned == 0)
    assert store.get("a") == b"value"


def wait_until(state: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(2000):
        if state():
            return
        pause.wait(0.005)
    assert state()


def test_what_was_put_too_late_is_not_stored_piece_by_piece(hanging: FaultyStore) -> None:
    """Nobody waits for it: its source may be closed by now, and is not asked again."""
    store = BoundedStore(hanging, SHORT)
    asked = []

    def source() -> Iterator[bytes]:
        asked.append(1)
        yield b"late"

    with pytest.raises(StorageError, match="did not answer"):
        store.put("b", source())
    hanging.release()
    wait_until(lambda: store.abandoned == 0)
    assert list(hanging.inner.keys("")) == ["a"]
    assert len(asked) <= 1


class Counting(MemoryStore):
    """Takes pieces one by one, and is silent for longer than it may once it was given `patience` of them."""

    def __init__(self, patience: int) -> None:
        super().__init__()
        self.patience = patience
        self.go = threading.Event()

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        taken = []
        for piece in data if not isinstance(data, bytes) else [data]:
            taken.append(piece)
            if len(taken) == self.patience:
                self.go.wait(LONG)
        super().put(key, b"".join(taken))


def test_a_source_may_be_slower_than_a_store() -> None:
    """The source is silent for six times as long as the store may be."""
    store = BoundedStore(MemoryStore(), SHORT)
    pause = threading.Event()

    def source() -> Iterator[bytes]:
        for _ in range(3):
            pause.wait(2 * SHORT)
            yield b"piece "

    store.put("a", source())
    assert store.get("a") == b"piece " * 3


def test_a_store_that_falls_silent_between_two_pieces_is_noticed() -> None:
    inner = Counting(patience=2)
    with pytest.raises(StorageError, match=r'did not answer.*: put "a"'):
        BoundedStore(inner, SHORT).put("a", iter([b"1", b"2", b"3"]))
    inner.go.set()
    assert list(inner.keys("")) == []


def test_an_interrupted_caller_leaves_the_call_behind(hanging: FaultyStore) -> None:
    """As when somebody presses Ctrl-C: the source of a put raises it in the store's thread."""

    def source() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    hanging.plan()
    store = BoundedStore(hanging, LONG)
    with pytest.raises(KeyboardInterrupt):
        store.put("b", source())
    assert store.abandoned == 0
    assert store.get("a") == b"value"


class Opened(MemoryStore):
    """Hangs after the first piece, and knows whether what was opened was let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.closed = threading.Event()

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        try:
            yield b"1"
            self.go.wait(LONG)
            yield b"2"
        finally:
            self.closed.set()


def test_pieces_that_nobody_wants_any_more_are_let_go() -> None:
    inner = Opened()
    pieces = BoundedReader(inner, LONG).chunks("a")
    assert next(pieces) == b"1"
    assert not inner.closed.is_set()
    del pieces
    assert inner.closed.wait(LONG)


def test_pieces_that_came_too_late_are_let_go() -> None:
    inner = Opened()
    pieces = BoundedReader(inner, SHORT).chunks("a")
    assert next(pieces) == b"1"
    with pytest.raises(StorageError, match="did not answer"):
        next(pieces)
    inner.go.set()
    assert inner.closed.wait(LONG)


def test_a_long_listing_comes_in_few_calls() -> None:
    inner = MemoryStore()
    for number in range(2000):
        inner.put(f"{number:04}", b"")
    store = BoundedReader(inner, LONG)
    before = threading.active_count()
    assert list(store.keys("")) == [f"{number:04}" for number in range(2000)]
    assert [stored.key for stored in store.listing("1")] == [f"{number}" for number in range(1000, 2000)]
    assert threading.active_count() <= before + 1, "threads are used again"


class Dripping(MemoryStore):
    """A listing that gives a key a moment."""

    def listing(self, prefix: str) -> Iterator[Stored]:
        pause = threading.Event()
        for stored in super().listing(prefix):
            pause.wait(SHORT / 4)
            yield stored


def test_a_listing_that_moves_is_not_given_up() -> None:
    """All of it takes five times as long as silence may."""
    inner = Dripping()
    for number in range(20):
        inner.put(f"{number:02}", b"")
    assert len(list(BoundedReader(inner, SHORT).listing(""))) == 20


def test_a_reader_has_no_way_to_write() -> None:
    assert not {"put", "replace", "delete"} & set(dir(BoundedReader))


def test_links_are_bounded_too(hanging: FaultyStore) -> None:
    terms = LinkTerms(lifetime=timedelta(minutes=1), filename="a", content_type="text/plain")
    with pytest.raises(StorageError, match='link "a"'):
        BoundedReader(hanging, SHORT).link("a", terms)


class _Far(MemoryStore):
    """Each put takes its time; `most` were under way at once."""

    def __init__(self) -> None:
        super().__init__()
        self.lock, self.now, self.most = threading.Lock(), 0, 0

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.02)
        super().put(key, data)
        with self.lock:
            self.now -= 1


def test_documents_for_a_store_far_away_are_shared_out_among_all_threads() -> None:
    far = _Far()
    modules = (a_module("1.0.0", address=ModuleAddress("team", f"m{number}", "aws")) for number in range(100))
    packages: dict[PackageAddress, Package] = {module.address: module for module in modules}
    wanted = Content(revision="r", time="t", hostname=None, namespaces=(), packages=packages)
    publish(BoundedStore(far, LONG), wanted, base=None, head=None)
    assert far.most == 16
