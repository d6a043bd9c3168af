"""What only a directory can get wrong: kills, links, permissions, descriptors, other processes."""

import errno
import gc
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest

from gitopsreg.errors import KeyMissing, PublishConflict, StorageError
from gitopsreg.storage.base import CHUNK
from gitopsreg.storage.disk import explain
from gitopsreg.storage.filesystem import FilesystemReader, FilesystemStore
from gitopsreg.storage.volume import whole_sync
from tests.storage.test_contract import count_up

needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are listed in /proc")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> FilesystemStore:
    return FilesystemStore(root)


def files(root: Path) -> list[str]:
    return sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and "~locks" not in path.parts
    )


def in_a_process(target: Callable[[Path], None], root: Path) -> int | None:
    process = multiprocessing.get_context("spawn").Process(target=target, args=(root,))
    process.start()
    process.join()
    return process.exitcode


# Reading


def test_a_value_is_the_file_of_its_key(root: Path, store: FilesystemStore) -> None:
    store.put("blobs/a", b"data")
    assert files(root) == ["blobs/a"]
    assert (root / "blobs" / "a").read_bytes() == b"data"


def test_a_reader_has_no_way_to_write(root: Path) -> None:
    assert not {"put", "replace", "delete"} & set(dir(FilesystemReader(root)))


def test_a_reader_of_a_root_that_is_not_there_yet_finds_nothing_and_makes_nothing(root: Path) -> None:
    reader = FilesystemReader(root)
    with pytest.raises(KeyMissing):
        reader.get("index/head")
    assert list(reader.keys("")) == []
    assert not root.exists()


def test_a_reader_sees_what_a_writer_stores_later(root: Path) -> None:
    reader = FilesystemReader(root)
    FilesystemStore(root).put("a", b"1")
    assert reader.get("a") == b"1"


def test_deleting_from_a_root_that_is_not_there_makes_nothing(root: Path, store: FilesystemStore) -> None:
    store.delete("a")
    assert not root.exists()


@needs_proc
@pytest.mark.parametrize(
    "use",
    [
        lambda chunks: None,
        next,
        lambda chunks: chunks.close(),
        lambda chunks: (next(chunks), chunks.close(), chunks.close()),
        lambda chunks: [*chunks, *chunks],
    ],
    ids=["never started", "dropped", "closed", "closed twice", "exhausted"],
)
def test_chunks_leave_no_descriptor_open(store: FilesystemStore, use: Callable[[object], object]) -> None:
    def descriptors() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are enough

    store.put("a", b"x" * 3 * CHUNK)
    before = descriptors()
    for _ in range(5):
        use(store.chunks("a"))
    assert descriptors() == before


def test_closed_chunks_are_at_their_end(store: FilesystemStore) -> None:
    store.put("a", b"x")
    chunks = store.chunks("a")
    chunks.close()
    assert list(chunks) == []


# What is no value


def test_names_of_the_store_and_of_others_are_no_keys(root: Path, store: FilesystemStore) -> None:
    store.put("a/b", b"")
    store.replace("a/c", b"", expected=None)
    for stray in ("~temporary/x", "a/~temporary/x", "with space", "a/with space", "odd folder/a"):
        path = root / stray
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    os.mkfifo(root / "a" / "pipe")
    (root / "empty").mkdir()
    assert list(store.keys("")) == ["a/b", "a/c"]
    assert list(store.keys("a/")) == ["a/b", "a/c"]


def test_a_listing_survives_what_vanishes_under_it(root: Path, store: FilesystemStore) -> None:
    for key in ("a/1", "b/1", "c"):
        store.put(key, b"")
    keys = store.keys("")
    assert next(keys) == "a/1"
    shutil.rmtree(root / "b")
    assert list(keys) == ["c"]


def link_file(root: Path, target: Path) -> None:
    (root / "x").mkdir(parents=True)
    (root / "x" / "y").symlink_to(target / "y")


def link_folder(root: Path, target: Path) -> None:
    root.mkdir(parents=True)
    (root / "x").symlink_to(target)


@pytest.mark.parametrize("link", [link_file, link_folder])
@pytest.mark.parametrize("target", ["outside", "store/inside", "nowhere"])
def test_symbolic_links_below_the_root_are_refused(
    root: Path, store: FilesystemStore, link: Callable[[Path, Path], None], target: str
) -> None:
    link(root, root.parent / target)
    if target != "nowhere":
        (root.parent / target).mkdir()
        (root.parent / target / "y").write_bytes(b"secret")
    for use in (
        lambda: store.get("x/y"),
        lambda: store.get_with_token("x/y"),
        lambda: store.size("x/y"),
        lambda: store.chunks("x/y"),
        lambda: store.put("x/y", b"new"),
        lambda: store.replace("x/y", b"new", expected=None),
        lambda: store.delete("x/y"),
        lambda: store.get_all(["x/y"]),
        lambda: store.put_all([("x/y", b"new")]),
        lambda: list(store.keys("")),
        lambda: list(store.keys("x/y")),
    ):
        with pytest.raises(StorageError, match="symbolic link") as caught:
            use()
        assert not isinstance(caught.value, KeyMissing)
    if target != "nowhere":
        assert (root.parent / target / "y").read_bytes() == b"secret"


def test_the_root_itself_may_be_reached_through_a_link(tmp_path: Path, root: Path) -> None:
    root.mkdir()
    (tmp_path / "link").symlink_to(root)
    FilesystemStore(tmp_path / "link").put("a/b", b"1")
    assert FilesystemReader(root).get("a/b") == b"1"


# What the operator must mend


def test_a_file_as_root_is_named(root: Path, store: FilesystemStore) -> None:
    root.write_bytes(b"")
    for use in (
        lambda: store.get("a"),
        lambda: store.size("a"),
        lambda: store.chunks("a"),
        lambda: list(store.keys("")),
        lambda: store.put("a", b""),
        lambda: store.replace("a", b"", expected=None),
        lambda: store.delete("a"),
    ):
        with pytest.raises(StorageError, match=f'"{root}" is a file: the root of a store must be a folder'):
            use()


def test_a_root_below_a_file_is_named(root: Path) -> None:
    root.write_bytes(b"")
    with pytest.raises(StorageError, match="a part of the path is a file"):
        FilesystemStore(root / "below").put("a", b"")


def test_a_key_can_not_be_a_folder_too(store: FilesystemStore) -> None:
    store.put("a/b", b"1")
    with pytest.raises(StorageError, match="it is a folder: move it away"):
        store.put("a", b"2")
    with pytest.raises(StorageError, match="a part of the path is a file"):
        store.put("a/b/c", b"3")
    assert list(store.keys("")) == ["a/b"]


def test_a_name_that_the_file_system_can_not_hold_is_explained(store: FilesystemStore) -> None:
    with pytest.raises(StorageError, match="too long for this file system"):
        store.put("x" * 400, b"")


def meet_forbidden_files(root: Path) -> None:
    if os.geteuid() == 0:  # nothing is forbidden to root
        os.seteuid(65534)
    store = FilesystemStore(root)
    for use in (store.get, store.get_with_token, store.size, store.chunks):
        with pytest.raises(StorageError, match=r"/store/a/b\" could not be read: permission denied") as caught:
            use("a/b")
        assert not isinstance(caught.value, KeyMissing)
    for write in (lambda: store.put("a/c", b""), lambda: store.replace("a/c", b"", expected=None)):
        with pytest.raises(
            StorageError, match=f"permission denied: let the user with id {os.geteuid()} read and write"
        ):
            write()
    with pytest.raises(StorageError, match="permission denied"):
        list(store.keys("a/"))


def test_forbidden_files_are_explained(root: Path, store: FilesystemStore) -> None:
    store.put("a/b", b"1")
    (root / "a" / "b").chmod(0)
    (root / "a").chmod(0o100)
    assert in_a_process(meet_forbidden_files, root) == 0
    (root / "a").chmod(0o700)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOSPC, "the disk is full: free some space"),
        (errno.EDQUOT, "the disk is full: free some space"),
        (errno.EACCES, f"permission denied: let the user with id {os.geteuid()} read and write"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EXDEV, "it lies on another file system"),
        (errno.EMFILE, "too many files are open"),
        (errno.EIO, "input/output error"),
    ],
)
def test_every_error_of_the_system_says_what_to_do(code: int, advice: str) -> None:
    error = explain(OSError(code, os.strerror(code)), Path("/srv/store/a"), "written")
    assert str(error).startswith(f'"/srv/store/a" could not be written: {advice}')


def write_with_no_room(root: Path) -> None:
    """A limit on the size of files stands for the full disk: both make `write` fail in the middle of a value."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK, CHUNK))
    store = FilesystemStore(root)
    for key in ("old", "new"):
        with pytest.raises(StorageError, match="could not be written"):
            store.put(key, iter([b"x" * CHUNK, b"x"]))


def test_a_disk_that_fills_up_changes_nothing(root: Path, store: FilesystemStore) -> None:
    store.put("old", b"old")
    assert in_a_process(write_with_no_room, root) == 0
    assert files(root) == ["old"]
    assert store.get("old") == b"old"


# Permissions


def test_private_values_are_for_their_owner_only(root: Path, store: FilesystemStore) -> None:
    store.replace("private/link-key", b"secret", expected=None)
    store.put("private/other", b"secret")
    for path in (root / "private" / "link-key", root / "private" / "other"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert (root / "private").stat().st_mode & 0o077 == 0


def test_other_values_follow_the_umask(root: Path) -> None:
    before = os.umask(0o027)
    try:
        FilesystemStore(root).put("blobs/a", b"")
    finally:
        os.umask(before)
    assert (root / "blobs" / "a").stat().st_mode & 0o777 == 0o640
    assert (root / "blobs").stat().st_mode & 0o777 == 0o750


# Killed writers


def test_strays_of_killed_writers_go_when_a_day_old(root: Path, store: FilesystemStore) -> None:
    store.put("a/b", b"")
    store.put("c", b"")
    strays = [root / "~temporary" / name for name in ("old", "new")] + [root / "a" / "~temporary" / "old"]
    for stray in strays:
        stray.write_bytes(b"half")
        if stray.name == "old":
            os.utime(stray, (time.time() - 25 * 3600,) * 2)
    FilesystemReader(root).get("a/b")
    assert all(stray.exists() for stray in strays)
    FilesystemStore(root).put("c", b"")
    assert [stray.exists() for stray in strays] == [False, True, False]


WRITER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from gitopsreg.errors import KeyMissing
from gitopsreg.storage.filesystem import FilesystemStore

store = FilesystemStore(Path(sys.argv[1]))
print("ready", flush=True)
number = int(sys.argv[2]) * 10_000
while True:
    number += 1
    data = (b"%d " % number) * 50_000
    store.put(f"blobs/{sha256(data).hexdigest()}", (data[start : start + 9999] for start in range(0, len(data), 9999)))
    try:
        token = store.get_with_token("head")[1]
    except KeyMissing:
        token = None
    store.replace("head", sha256(data).hexdigest().encode(), expected=token)
"""


def test_a_writer_killed_at_any_moment_leaves_whole_values_only(root: Path) -> None:
    for round_number in range(8):
        command = [sys.executable, "-c", WRITER, str(root), str(round_number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(random.uniform(0, 0.05))
            process.kill()
        reader = FilesystemReader(root)
        for key in reader.keys("blobs/"):
            assert sha256(reader.get(key)).hexdigest() == key.removeprefix("blobs/")
        for key in reader.keys("head"):
            assert reader.size(f"blobs/{reader.get(key).decode()}") > 0
    store = FilesystemStore(root)
    store.put("head", b"free")
    assert store.get("head") == b"free"


# Several processes


def count_up_in_a_process(root: Path, rounds: int) -> None:
    count_up(FilesystemStore(root), rounds)


def test_no_update_is_lost_between_processes(root: Path, store: FilesystemStore) -> None:
    store.put("count", b"0")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=count_up_in_a_process, args=(root, 50)) for _ in range(3)]
    for process in processes:
        process.start()
    count_up(store, 50)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert int(store.get("count")) == 200


def test_many_first_writers_make_the_root_together(root: Path) -> None:
    for number in range(50):
        store, barrier = FilesystemStore(root / str(number) / "store"), Barrier(4)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda name: first_write(store, name, barrier), "abcd"))  # noqa: B023 - used in this round only
        assert list(store.keys("")) == ["x/a", "x/b", "x/c", "x/d"]


def first_write(store: FilesystemStore, name: str, barrier: Barrier) -> None:
    barrier.wait()
    store.put(f"x/{name}", b"")


def create_each_round(root: Path, name: str, rounds: int) -> None:
    store = FilesystemStore(root)
    for number in range(rounds):
        try:
            store.replace(f"round/{number}", name.encode(), expected=None)
        except PublishConflict:
            continue
        store.put(f"won/{number}/{name}", b"")


def test_of_racing_processes_exactly_one_wins_each_round(root: Path, store: FilesystemStore) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=create_each_round, args=(root, name, 50)) for name in "abc"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    won = [key.split("/") for key in store.keys("won/")]
    assert sorted(int(number) for _, number, _ in won) == list(range(50))
    for _, number, name in won:
        assert store.get(f"round/{number}") == name.encode()


# Many at once


@pytest.mark.parametrize("count", [3, 100], ids=["synced one by one", "synced together"])
def test_of_many_that_fail_nothing_is_left_behind(root: Path, store: FilesystemStore, count: int) -> None:
    (root / "a" / "1").mkdir(parents=True)
    with pytest.raises(StorageError, match="it is a folder"):
        store.put_all([(f"a/{number}", b"x") for number in range(count)])
    assert list((root / "a" / "~temporary").iterdir()) == []


def test_where_nobody_knows_what_a_sync_does_files_are_synced_one_by_one(tmp_path: Path) -> None:
    with whole_sync(Path("/proc")) as sync:
        assert sync is None
    with whole_sync(tmp_path) as sync:
        if sync is not None:
            sync()


def test_empty_and_large_ones_are_read_whole(store: FilesystemStore) -> None:
    values = [("a/empty", b""), ("a/large", b"x" * (CHUNK + 1)), ("top", b"y")]
    store.put_all(values)
    assert store.get_all([key for key, _ in values]) == [data for _, data in values]
