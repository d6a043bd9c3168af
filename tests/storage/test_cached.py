"""What is kept on this machine: right, private, bounded, and never in the way."""

import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from gitopsreg.errors import KeyMissing, StorageError
from gitopsreg.storage.base import Token
from gitopsreg.storage.cached import CachedReader
from gitopsreg.storage.memory import MemoryStore

HEAD = "index/head"


class Counting(MemoryStore):
    """Counts reads; when `gone` it does not answer."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []
        self.gone = False

    def get(self, key: str) -> bytes:
        self.read.append(key)
        if self.gone:
            raise StorageError("the store is gone")
        return super().get(key)


def _document(store: MemoryStore, data: bytes) -> str:
    key = f"index/packages/{sha256(data).hexdigest()}"
    store.put(key, data)
    return key


@pytest.fixture
def store() -> Counting:
    store = Counting()
    store.put(HEAD, b"first")
    return store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def _cached(store: MemoryStore, folder: Path, reports: list[str] | None = None) -> CachedReader:
    return CachedReader(store, folder, copied=(HEAD,), report=(reports if reports is not None else []).append)


def test_a_document_is_read_once_and_then_from_here(store: Counting, folder: Path) -> None:
    key = _document(store, b"a document")
    assert [_cached(store, folder).get(key) for _ in range(2)] == [b"a document"] * 2
    assert store.read == [key]
    store.gone = True
    assert _cached(store, folder).get(key) == b"a document"
    assert _cached(store, folder).kept.get(key) == b"a document"


@pytest.mark.parametrize("damage", [b"", b"torn", b"another document"])
def test_a_document_that_is_altered_here_is_read_anew_and_mended(store: Counting, folder: Path, damage: bytes) -> None:
    key = _document(store, b"a document")
    _cached(store, folder).get(key)
    folder.joinpath(key).write_bytes(damage)
    assert _cached(store, folder).get(key) == b"a document"
    assert folder.joinpath(key).read_bytes() == b"a document"


def test_a_document_that_is_altered_in_the_store_is_not_kept(store: Counting, folder: Path) -> None:
    key = _document(store, b"a document")
    store.put(key, b"nonsense")
    assert _cached(store, folder).get(key) == b"nonsense"
    assert not folder.exists()


def test_what_changes_is_always_the_store_s_and_its_copy_comes_when_all_is_whole(store: Counting, folder: Path) -> None:
    cached = _cached(store, folder)
    assert cached.get_with_token(HEAD)[0] == b"first"
    with pytest.raises(KeyMissing):
        cached.kept.get(HEAD)
    cached.settle()
    store.put(HEAD, b"second")
    assert cached.get(HEAD) == b"second"
    assert cached.kept.get(HEAD) == b"first"
    cached.settle()
    assert cached.kept.get(HEAD) == b"second"


def test_other_keys_that_change_leave_nothing(store: Counting, folder: Path) -> None:
    store.put("status/index", b"status")
    cached = _cached(store, folder)
    assert cached.get("status/index") == b"status"
    cached.settle()
    assert not folder.exists()


def test_an_error_of_the_store_is_its_own(store: Counting, folder: Path) -> None:
    cached = _cached(store, folder)
    cached.get(HEAD)
    cached.settle()
    store.gone = True
    with pytest.raises(StorageError, match="gone"):
        cached.get(HEAD)
    with pytest.raises(KeyMissing):
        _cached(MemoryStore(), folder).get_with_token(HEAD)


def test_a_copy_is_as_fresh_as_its_last_look(store: Counting, folder: Path) -> None:
    cached = _cached(store, folder)
    cached.get(HEAD)
    cached.settle()
    os.utime(folder / HEAD, (1, 1))
    cached.settle()
    assert cached.kept.stat(HEAD).modified > 1


def test_it_is_for_its_owner_alone(store: Counting, folder: Path) -> None:
    cached = _cached(store, folder)
    key = _document(store, b"a document")
    cached.get(key)
    cached.get(HEAD)
    cached.settle()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in (key, HEAD):
        assert stat.S_IMODE(folder.joinpath(name).stat().st_mode) == 0o600


def test_what_is_no_longer_needed_goes_when_it_is_old(store: Counting, folder: Path) -> None:
    cached = _cached(store, folder)
    old, young, needed = (_document(store, data) for data in (b"old", b"young", b"needed"))
    for key in (old, young, needed):
        cached.get(key)
    stray = folder / f"{needed}~0123"
    stray.write_bytes(b"half")
    for name in (old, needed, stray.relative_to(folder).as_posix()):
        os.utime(folder / name, (1, 1))
    cached.get(HEAD)
    cached.settle(lambda: {needed})
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert left == {young, needed, HEAD}


def test_a_folder_that_can_t_be_written_is_told_once_and_reading_goes_on(store: Counting, tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_bytes(b"")
    reports: list[str] = []
    cached = _cached(store, tmp_path / "file/cache", reports)
    keys = [_document(store, data) for data in (b"one", b"two")]
    assert [cached.get(key) for key in keys] == [b"one", b"two"]
    cached.get(HEAD)
    cached.settle(lambda: keys)
    assert len(reports) == 1
    assert "nothing more can be kept in the cache" in reports[0]


def test_half_a_cache_is_not_led_to(store: Counting, folder: Path) -> None:
    """The disk filled up in the middle: the last whole state stays what a restart finds."""
    cached = _cached(store, folder)
    first = _document(store, b"first document")
    cached.get(first)
    cached.get(HEAD)
    cached.settle(lambda: {first})
    folder.joinpath("index/shards").write_bytes(b"in the way of a folder")
    shard = "index/shards/" + sha256(b"a shard").hexdigest()
    store.put(shard, b"a shard")
    store.put(HEAD, b"second")
    assert cached.get(HEAD) == b"second"
    assert cached.get(shard) == b"a shard"
    cached.settle(lambda: {shard})
    assert cached.kept.get(HEAD) == b"first"
    assert cached.kept.get(first) == b"first document"


def test_everything_else_is_the_store_s(store: Counting, folder: Path) -> None:
    cached = _cached(store, folder)
    assert cached.size(HEAD) == 5
    assert cached.stat(HEAD) == store.stat(HEAD)
    assert b"".join(cached.chunks(HEAD, 1, 2)) == b"ir"
    assert list(cached.keys("index/")) == [HEAD]
    assert [stored.key for stored in cached.listing("")] == [HEAD]
    assert isinstance(cached.get_with_token(HEAD)[1], Token)
