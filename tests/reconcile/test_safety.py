"""What must hold when things meet: rollbacks, collections, expiries, people in a hurry, older releases."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitopsreg.errors import LostLease, NotPublished, UpstreamError
from gitopsreg.index.codec import decode_head, encode_head
from gitopsreg.index.export import export, unpacked
from gitopsreg.index.keys import HEAD, LEASE
from gitopsreg.index.repository import history
from gitopsreg.reconcile.collect import collect
from gitopsreg.reconcile.lease import Lease
from gitopsreg.reconcile.process import this_process
from gitopsreg.storage.base import Stored, Token
from gitopsreg.storage.memory import MemoryStore
from gitopsreg.upstream.base import Discovery, Found, Release
from tests.reconcile.fakes import FakeUpstream
from tests.reconcile.test_rollback import back_to, head_of
from tests.reconcile.world import REMOTE, World, module_file, remote_file

ARCHIVE = {
    "registry.yaml": "apiVersion: gitopsreg.io/v1alpha1\nkind: Registry\nmetadata: {name: acme}\n"
    "spec: {defaults: {retention: {archiveFor: 30d}}}\n"
}


class Slow(FakeUpstream):
    free = threading.Event()

    def discover(self) -> Discovery:
        self.free.wait(20)
        return super().discover()


@pytest.mark.parametrize("how", ["versions: {constraint: 5}\n", "suspend: true\n", "late"])
def test_bytes_of_what_is_declared_again_are_not_let_go(tmp_path: Path, how: str) -> None:
    world = World(tmp_path)
    world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"one"})
    world.commit(ARCHIVE, remote_file(), *(module_file(name, "1.0.0") for name in ("naming", "b", "c")))
    world.run()
    world.remove("namespaces/acme/modules/remote/generic.yaml")
    world.run()
    world.pass_time(timedelta(days=29))
    world.commit(remote_file(more="" if how == "late" else how))
    Slow.free.clear()
    if how == "late":
        world.upstreams[REMOTE] = Slow({"1.0.0": b"one"})
    world.pass_time(timedelta(days=2))
    reconciler = world.reconciler(jobs=4)
    reconciler.hurry(0.3, lambda: None)
    reconciler.run()
    Slow.free.set()
    snapshot = world.snapshot()
    assert snapshot is not None
    assert [version.discarded for version in snapshot.packages[REMOTE].versions] == [None]


def three_old_snapshots(world: World) -> str:
    for number in range(1, 4):
        world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"one"})
        world.commit(remote_file(more=f"description: number {number}\n"))
        world.run()
    for key, (_, write) in list(world.store._written.items()):  # type: ignore[attr-defined]
        world.store._written[key] = (0.0, write)  # type: ignore[attr-defined]
    return [digest.hex for digest, _ in history(world.store, head_of(world))][-1]


@pytest.mark.parametrize("at", range(1, 12))
def test_a_collector_that_stood_still_removes_nothing_that_is_served(tmp_path: Path, at: int) -> None:
    """A person goes back to an old snapshot before the collector's every write: its lease had lapsed."""
    world = World(tmp_path)
    first = three_old_snapshots(world)
    writes = []

    class Paused(MemoryStore):
        def _pause(self, key: str) -> None:
            writes.append(key)
            if len(writes) == at:
                with suppress(NotPublished):
                    back_to(world, first)

        def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
            self._pause(key)
            super().put(key, data)

        def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
            self._pause(key)
            return super().replace(key, data, expected=expected)

        def delete(self, key: str, *, seen: Stored | None = None) -> bool:
            self._pause(key)
            return super().delete(key, seen=seen)

    paused = Paused()
    paused.__dict__ = world.store.__dict__
    with world.lease(world.store).held() as lease, suppress(LostLease):
        collect({"": paused}, lease, now=world.now, keep=1, jobs=1)
    assert len(writes) >= at
    assert world.snapshot() is not None, "what is served is whole"


def test_an_exported_index_says_what_is_built_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit(module_file("naming", "1.0.0"))
    world.run()
    world.commit(module_file("naming", "1.0.0", "1.1.0"))
    world.run()
    back_to(world)
    world.commit(module_file("naming", "1.0.0", "1.1.0", "1.2.0"))
    elsewhere = MemoryStore()
    for key, data in unpacked(export(world.store)).items():
        elsewhere.put(key, data)
    assert world.reconciler(elsewhere).plan().plan == world.reconciler().plan().plan


def test_letting_go_never_ends_a_run(tmp_path: Path) -> None:
    class Odd(MemoryStore):
        def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
            if key == LEASE and b'"holder"' not in data:
                raise OSError("a mistake in a library")
            return super().replace(key, data, expected=expected)

    world = World(tmp_path, store=Odd())
    world.commit(module_file("naming", "1.0.0"))
    assert world.run().published


def test_a_head_that_an_older_release_would_misread_says_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit(module_file("naming", "1.0.0"))
    world.run()
    world.commit(module_file("naming", "1.0.0", "1.1.0"))
    world.run()
    assert b'"format":1' in world.store.get(HEAD)
    back_to(world)
    assert b'"format":2' in world.store.get(HEAD)
    assert encode_head(decode_head(world.store.get(HEAD))) == world.store.get(HEAD)


def test_an_import_waits_for_a_collection(tmp_path: Path) -> None:
    """What an earlier import left behind is garbage, until this one names it."""
    from gitopsreg.storage.filesystem import FilesystemStore
    from tests.cli.shell import gitopsreg
    from tests.offline.bundles import a_bundle

    world = World(tmp_path)
    world.commit(module_file("naming", "1.0.0"))
    world.run()
    (tmp_path / "bundle").write_bytes(a_bundle(world.store, tmp_path))
    store = FilesystemStore(tmp_path / "other")
    collector = replace(this_process(), host="elsewhere")
    with Lease(store, collector, is_gone=lambda _: False, now=lambda: datetime.now(UTC)).held():
        done = gitopsreg("bundle", "import", tmp_path / "bundle", "--unsigned", "--store", tmp_path / "other")
    assert (done.code, "another reconciler is at work" in done.stderr) == (3, True)


def test_a_person_in_an_emergency_waits_for_nobody(tmp_path: Path) -> None:
    """Another reconciler is at work, elsewhere and for long: it publishes nothing over a rollback."""
    from gitopsreg.storage.filesystem import FilesystemStore
    from tests.cli.shell import gitopsreg

    store = FilesystemStore(tmp_path / "store")
    world = World(tmp_path, store=store)
    world.commit(module_file("naming", "1.0.0"))
    world.run()
    world.commit(module_file("naming", "1.0.0", "1.1.0"))
    world.run()

    class Meanwhile(FakeUpstream):
        def releases(self, wanted: Sequence[Found]) -> Iterator[tuple[Found, Release | UpstreamError]]:
            done = gitopsreg("rollback", "previous", "--hold", "--store", tmp_path / "store")
            assert done.code == 0, done.stderr
            yield from super().releases(wanted)

    world.upstreams[REMOTE] = Meanwhile({"1.0.0": b"one"})
    world.commit(remote_file())
    assert world.run().blocked.startswith("on hold")
    assert head_of(world).root != head_of(world).newest
    assert gitopsreg("release", "--store", tmp_path / "store").code == 0
    world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"one"})
    assert world.run().published
