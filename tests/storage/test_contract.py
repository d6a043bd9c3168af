"""What every store keeps: one suite for all of them. A new store joins STORES and must pass unchanged."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitopsreg.errors import InvalidName, KeyMissing, PublishConflict
from gitopsreg.storage.base import CHUNK, BlobStore, Token
from gitopsreg.storage.together import get_all, put_all
from tests.storage.stores import STORES

ILLEGAL = (
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/./b",
    "a b",
    "a\\b",
    "a\x00",
    "é",
    "~",
    "x" * 513,
)
WRITERS = 4


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    made: BlobStore = STORES[request.param](tmp_path / "store")
    return made


@pytest.fixture(params=STORES, scope="module")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BlobStore:
    """For properties that need no clean store."""
    made: BlobStore = STORES[request.param](tmp_path_factory.mktemp("shared"))
    return made


def contents(store: BlobStore) -> dict[str, bytes]:
    return {key: store.get(key) for key in store.keys("")}


# Reading and writing


@pytest.mark.parametrize("data", [b"", b"x", b"\x00\xff\n", b"ab" * CHUNK], ids=len)
def test_what_was_put_is_read(store: BlobStore, data: bytes) -> None:
    store.put("blobs/a", data)
    assert store.get("blobs/a") == data
    assert store.get_with_token("blobs/a")[0] == data
    assert store.size("blobs/a") == len(data)
    assert b"".join(store.chunks("blobs/a")) == data


@pytest.mark.parametrize(
    "key",
    ["a", "a/b/c/d/e", "A-b_c.d+e/0", ".hidden", "a/..b", "...", "/".join(["x" * 100] * 5)],
    ids=lambda key: key[:9],
)
def test_every_legal_key_holds_a_value(store: BlobStore, key: str) -> None:
    store.put(key, b"data")
    assert contents(store) == {key: b"data"}


def test_many_are_put_and_read_together(store: BlobStore) -> None:
    store.put("a/1", b"old")
    values = [("a/1", b"one"), ("a/2", b""), ("b/c/3", b"three"), ("top", b"top")]
    put_all(store, values)
    assert contents(store) == dict(values)
    assert get_all(store, [key for key, _ in reversed(values)]) == [data for _, data in reversed(values)]
    assert get_all(store, []) == []
    put_all(store, [])
    with pytest.raises(KeyMissing):
        get_all(store, ["a/1", "absent"])
    with pytest.raises(InvalidName):
        put_all(store, [("../a", b"")])


def test_hundreds_are_put_together(store: BlobStore) -> None:
    values = [(f"a/{number % 3}/{number}", b"%d" % number) for number in range(200)]
    put_all(store, values)
    put_all(store, values)
    assert contents(store) == dict(values)


def test_put_replaces(store: BlobStore) -> None:
    store.put("a", b"a longer value")
    store.put("a", b"short")
    assert contents(store) == {"a": b"short"}


def test_pieces_are_joined(store: BlobStore) -> None:
    store.put("a", iter([b"one", b"", b"two"]))
    store.put("none", iter([]))
    assert contents(store) == {"a": b"onetwo", "none": b""}


def test_a_large_value_streams_in_and_out(store: BlobStore) -> None:
    count = 41
    store.put("a", (bytes([number]) * (CHUNK - number) for number in range(count)))
    pieces = list(store.chunks("a"))
    assert max(map(len, pieces)) <= 2 * CHUNK
    assert b"".join(pieces) == b"".join(bytes([number]) * (CHUNK - number) for number in range(count))


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError("bad source"), OSError(28, "the source's disk"), Interrupted()])
def test_pieces_that_fail_change_nothing_and_their_error_comes_through(store: BlobStore, error: BaseException) -> None:
    def failing() -> Iterator[bytes]:
        yield b"half"
        raise error

    store.put("old", b"old")
    for key in ("old", "new"):
        with pytest.raises(type(error)) as caught:
            store.put(key, failing())
        assert caught.value is error
    assert contents(store) == {"old": b"old"}


def test_a_reader_keeps_the_value_it_opened(store: BlobStore) -> None:
    store.put("a", b"1" * 3 * CHUNK)
    pieces = store.chunks("a")
    first = next(pieces)
    store.put("a", b"2")
    assert first + b"".join(pieces) == b"1" * 3 * CHUNK


def test_delete_removes_and_an_absent_key_is_no_error(store: BlobStore) -> None:
    store.delete("a")
    store.put("a", b"a")
    store.put("b/c", b"c")
    store.delete("a")
    store.delete("a")
    store.delete("b")
    store.delete("b/d")
    store.delete("b/c/d")
    assert contents(store) == {"b/c": b"c"}


# What is not there, and what can't be


@pytest.mark.parametrize("key", ["absent", "folder", "folder/absent", "folder/value/below", "absent/a/b"])
def test_an_absent_key_is_missing_from_every_method(store: BlobStore, key: str) -> None:
    def all_missing() -> None:
        for read in (store.get, store.get_with_token, store.size, store.stat, store.chunks):
            with pytest.raises(KeyMissing, match=f'"{key}"'):
                read(key)

    all_missing()
    store.put("folder/value", b"")
    all_missing()


@pytest.mark.parametrize("key", ILLEGAL)
def test_an_illegal_key_is_refused_by_every_method(store: BlobStore, key: str) -> None:
    for read in (store.get, store.get_with_token, store.size, store.stat, store.chunks, store.delete):
        with pytest.raises(InvalidName):
            read(key)
    with pytest.raises(InvalidName):
        store.put(key, b"")
    with pytest.raises(InvalidName):
        store.replace(key, b"", expected=None)
    assert contents(store) == {}


@pytest.mark.parametrize("prefix", ["/", "/a", "a//", "../", "../a", "a/../", "a/./b", "a b", "a\x00", "~", "x" * 513])
def test_a_prefix_that_no_key_can_have_is_refused_by_the_call(store: BlobStore, prefix: str) -> None:
    with pytest.raises(InvalidName):
        store.keys(prefix)


# Ranges


@given(data=st.binary(max_size=40), start=st.integers(0, 50), length=st.none() | st.integers(0, 50))
def test_a_range_is_a_slice(shared: BlobStore, data: bytes, start: int, length: int | None) -> None:
    shared.put("range", data)
    end = None if length is None else start + length
    assert b"".join(shared.chunks("range", start, length)) == data[start:end]


@pytest.mark.parametrize("edge", [CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 10**30])
def test_ranges_around_the_size_of_a_piece(shared: BlobStore, edge: int) -> None:
    data = bytes(range(256)) * (CHUNK // 100)
    shared.put("long", data)
    assert b"".join(shared.chunks("long", edge)) == data[edge:]
    assert b"".join(shared.chunks("long", 1, edge)) == data[1 : 1 + edge]
    assert b"".join(shared.chunks("long", edge, 2)) == data[edge : edge + 2]


@pytest.mark.parametrize("bad", [(-1, None), (0, -1)])
def test_a_negative_range_is_the_callers_mistake(store: BlobStore, bad: tuple[int, int | None]) -> None:
    store.put("a", b"a")
    with pytest.raises(ValueError, match="no range"):
        store.chunks("a", *bad)


# Listing


def test_keys_are_sorted_and_any_text_is_a_prefix(store: BlobStore) -> None:
    every = ["a-b", "a.b", "a/b", "a/b.c", "a/c/d", "a0", "ab/c", "b"]
    for key in reversed(every):
        store.put(key, b"")
    for prefix in (
        "",
        "a",
        "a/",
        "a/b",
        "a/b.",
        "a/c",
        "a/c/",
        "a/c/d",
        "a/c/d/",
        "ab",
        "b",
        "b/",
        "c",
        "c/d",
        ".",
        "a/..",
    ):
        assert list(store.keys(prefix)) == [key for key in every if key.startswith(prefix)]


# A directory can't hold a key that is the folder of another one: here names of values end in "_", of folders never.
_segments = st.text("ab0-.", min_size=1, max_size=2).filter(lambda text: text not in {".", ".."})
_folders = st.lists(_segments, max_size=2)
_keys = st.builds(lambda folders, name: "/".join([*folders, f"{name}_"]), _folders, _segments)
_prefixes = st.builds(lambda folders, rest: "/".join([*folders, rest]), _folders, st.just("") | _segments)


@settings(max_examples=30)
@given(keys=st.sets(_keys, max_size=6), prefix=_prefixes | _keys)
def test_keys_of_a_prefix_are_those_that_start_with_it(shared: BlobStore, keys: set[str], prefix: str) -> None:
    for key in list(shared.keys("")):
        shared.delete(key)
    for key in keys:
        shared.put(key, key.encode())
    assert list(shared.keys(prefix)) == sorted(key for key in keys if key.startswith(prefix))


# What is known of a value without reading it


def test_a_listing_tells_of_the_same_keys_as_a_look_at_each(store: BlobStore) -> None:
    before = time.time()
    for key, data in {"a/b": b"12345", "c": b"1"}.items():
        store.put(key, data)
    found = list(store.listing(""))
    assert [(stored.key, stored.size) for stored in found] == [("a/b", 5), ("c", 1)]
    assert found == [store.stat(stored.key) for stored in found]
    assert all(before - 60 < stored.modified < time.time() + 60 for stored in found)
    assert [stored.key for stored in store.listing("a/")] == ["a/b"]
    assert list(store.listing("nothing")) == []


def test_a_value_written_again_is_told_apart_from_the_one_before(store: BlobStore) -> None:
    store.put("a", b"1")
    seen = store.stat("a")
    assert store.stat("a") == seen
    store.put("a", b"2")
    assert store.stat("a").state != seen.state


def test_what_was_listed_is_deleted_only_while_it_is_the_same(store: BlobStore) -> None:
    store.put("a", b"1")
    seen = store.stat("a")
    store.put("a", b"2")
    assert store.delete("a", seen=seen) is False
    assert store.get("a") == b"2"
    assert store.delete("a", seen=store.stat("a")) is True
    assert store.delete("a", seen=seen) is False
    assert contents(store) == {}


# Compare-and-swap


def test_create_only(store: BlobStore) -> None:
    token = store.replace("head", b"1", expected=None)
    assert store.get_with_token("head") == (b"1", token)
    with pytest.raises(PublishConflict, match='"head"'):
        store.replace("head", b"2", expected=None)
    assert store.get("head") == b"1"


def test_only_the_present_state_may_be_replaced(store: BlobStore) -> None:
    first = store.replace("head", b"1", expected=None)
    second = store.replace("head", b"2", expected=first)
    assert second != first
    for stale in (first, Token("other"), None):
        with pytest.raises(PublishConflict):
            store.replace("head", b"3", expected=stale)
    assert store.get_with_token("head") == (b"2", second)


def test_an_absent_value_has_no_state_to_replace(store: BlobStore) -> None:
    token = store.replace("head", b"1", expected=None)
    store.delete("head")
    with pytest.raises(PublishConflict):
        store.replace("head", b"2", expected=token)
    assert contents(store) == {}
    store.replace("head", b"3", expected=None)
    assert store.get("head") == b"3"


def test_put_and_replace_see_each_other(store: BlobStore) -> None:
    store.put("head", b"1")
    _, token = store.get_with_token("head")
    store.put("head", b"2")
    with pytest.raises(PublishConflict):
        store.replace("head", b"3", expected=token)


# Values that take a moment to hash let other threads in, so that a missing lock shows.
PADDING = 100_000


def race(store: BlobStore, number: int, barrier: Barrier, expected: Token | None) -> Token | None:
    barrier.wait()
    try:
        return store.replace("head", (b"writer %d" % number).ljust(PADDING), expected=expected)
    except PublishConflict:
        return None


def test_of_racing_writers_exactly_one_wins_each_round(store: BlobStore) -> None:
    token: Token | None = None
    barrier = Barrier(WRITERS)
    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in range(20):
            before = token
            results = list(pool.map(lambda number: race(store, number, barrier, before), range(WRITERS)))  # noqa: B023 - used in this round only
            won = [result for result in results if result is not None]
            assert len(won) == 1
            token = won[0]
            assert store.get_with_token("head") == ((b"writer %d" % results.index(token)).ljust(PADDING), token)
            store.delete("head")
            token = store.replace("head", b"round".ljust(PADDING), expected=None)


def count_up(store: BlobStore, rounds: int) -> None:
    for _ in range(rounds):
        while True:
            data, token = store.get_with_token("count")
            try:
                store.replace("count", (b"%d" % (int(data) + 1)).ljust(PADDING), expected=token)
            except PublishConflict:
                continue
            break


def test_no_update_is_lost(store: BlobStore) -> None:
    store.put("count", b"0")
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda _: count_up(store, 25), range(WRITERS)))
    assert int(store.get("count")) == WRITERS * 25


def test_a_value_is_seen_whole_while_others_write_it(store: BlobStore) -> None:
    def write(number: int) -> None:
        for _ in range(30):
            store.put("a", (bytes([number]) * 1000 for _ in range(50)))

    def look(_: int) -> None:
        for _ in range(200):
            data = store.get("a")
            assert len(data) == 50_000
            assert len(set(data)) == 1

    write(0)
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, number) for number in (1, 2)]
        looking = [pool.submit(look, number) for number in (1, 2)]
        for future in (*writing, *looking):
            future.result()
    assert list(store.keys("")) == ["a"]
