"""One run after another, on a real catalog repository: what is served, what is not, and who is told why."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from gitopsreg.errors import CheckoutFailed, PublishConflict, StorageError, UpstreamError
from gitopsreg.index.keys import HEAD
from gitopsreg.index.status_store import read_status
from gitopsreg.storage.base import Token
from gitopsreg.storage.memory import MemoryStore
from gitopsreg.upstream.base import Discovery, Found, Release
from tests.fakes import FailingStore
from tests.reconcile.fakes import FakeUpstream, unavailable, unsafe
from tests.reconcile.world import HELLO, NAMING, REMOTE, World, module_file, provider_files, remote_file, served
from tests.repositories import git


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_commit_becomes_a_served_module_and_provider(world: World) -> None:
    head = world.commit(module_file("naming", "1.0.0", "1.1.0"), provider_files("1.0.0"))
    outcome = world.run()
    assert (outcome.published, outcome.packages, outcome.versions_added) == (True, 2, 3)
    assert outcome.revision == f"main@sha1:{head}"
    assert world.listed(NAMING) == ["1.0.0", "1.1.0"]
    assert world.listed(HELLO) == ["1.0.0"]
    assert world.reasons(NAMING) == {"Ready": "Succeeded"}
    assert outcome.failed == ()


def test_an_unchanged_catalog_publishes_and_stores_nothing(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"), provider_files("1.0.0"))
    first = world.run()
    counting = FailingStore(world.store)
    second = world.run(counting)
    assert (second.published, second.bytes_stored, second.snapshot) == (False, 0, first.snapshot)
    assert [key for key in counting.writes if not key.startswith(("status/", "lease/"))] == []


def test_a_tick_with_nothing_to_do_writes_nothing_and_asks_nobody(world: World) -> None:
    world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"one"})
    world.commit(remote_file())
    counting = FailingStore(world.store)
    reconciler = world.reconciler(counting)
    assert reconciler.tick() is not None, "the first tick has everything to do"
    writes = len(counting.writes)
    assert reconciler.tick() is None
    assert len(counting.writes) == writes
    assert world.upstreams[REMOTE].asked == 1
    world.pass_time(timedelta(minutes=20))
    assert reconciler.tick() is not None, "the package is due"
    assert world.upstreams[REMOTE].asked == 2


def test_the_same_commit_gives_the_same_index_in_another_store(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"), provider_files("1.0.0"))
    one, other = MemoryStore(), MemoryStore()
    world.run(one)
    world.pass_time(timedelta(days=3))
    world.run(other)
    assert list(one.keys("index/")) == list(other.keys("index/"))
    assert all(one.get(key) == other.get(key) for key in one.keys("index/"))
    assert list(one.keys("blobs/")) == list(other.keys("blobs/"))


def test_a_removed_declaration_is_archived_and_returns_with_its_bytes(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"), provider_files("1.0.0"))
    world.run()
    before = world.snapshot()
    world.remove("namespaces/acme/modules")
    world.run()
    gone = world.snapshot()
    assert before is not None
    assert gone is not None
    assert gone.packages[NAMING].archived is not None
    assert world.listed(NAMING) == []
    assert gone.packages[NAMING].versions[0].downloadable
    world.revert()
    outcome = world.run()
    after = world.snapshot()
    assert after is not None
    assert after.packages == before.packages
    assert (outcome.bytes_stored, outcome.versions_added) == (0, 0)


def test_content_that_changes_under_a_version_is_told_and_not_served(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    world.run()
    before = world.snapshot()
    world.commit({"content/naming/1.0.0/main.tf": 'output "version" { value = "other" }\n'})
    world.run()
    after = world.snapshot()
    assert before is not None
    assert after is not None
    assert after.packages == before.packages
    assert world.reasons(NAMING) == {"Ready": "Succeeded", "UpstreamMutated": "AssetReplaced"}


def test_an_invalid_declaration_keeps_its_last_good_and_costs_only_itself(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"), module_file("tags", "1.0.0"))
    world.run()
    world.commit({"namespaces/acme/modules/naming/generic.yaml": "kind: [\n"}, module_file("tags", "1.0.0", "2.0.0"))
    outcome = world.run()
    assert world.listed(NAMING) == ["1.0.0"]
    assert world.listed(replace(NAMING, name="tags")) == ["1.0.0", "2.0.0"]
    assert world.reasons(NAMING)["Stalled"] == "InvalidSpec"
    assert [item.address for item in outcome.failed] == [NAMING]


def test_what_is_declared_and_not_acted_on_is_in_the_status(world: World) -> None:
    head = "apiVersion: gitopsreg.io/v1alpha1\nkind: Connection\n"
    world.commit(
        module_file("naming", "1.0.0"),
        {"connections/forge.yaml": head + "metadata: {name: forge}\nspec: {type: github}\n"},
    )
    outcome = world.run()
    assert (outcome.status.idle, outcome.blocked) == ((("Connection", "connections/forge.yaml"),), "")
    assert read_status(world.store).idle == outcome.status.idle
    world.remove("connections/forge.yaml")
    assert world.run().status.idle == ()


def test_a_broken_registry_file_stops_the_publish_and_says_so(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    first = world.run()
    world.commit({"registry.yaml": "kind: Registry\nspec: {hostname: [1]}\n"}, module_file("naming", "1.0.0", "2.0.0"))
    outcome = world.run()
    assert "registry.yaml" in outcome.blocked
    assert outcome.snapshot == first.snapshot
    assert world.listed(NAMING) == ["1.0.0"]
    assert {item.type: item.reason for item in read_status(world.store).conditions}[
        "PublishBlocked"
    ] == "RootConfigInvalid"


def test_mass_removal_waits_for_the_approval_of_exactly_this_plan(world: World) -> None:
    world.commit(*(module_file(name, "1.0.0") for name in ("naming", "tags", "zones")))
    world.run()
    world.remove("namespaces/acme/modules/naming", "namespaces/acme/modules/tags")
    held = world.run()
    assert "2 of 3 packages would be removed" in held.blocked
    assert world.listed(NAMING) == ["1.0.0"]
    digest = held.status.blocked_plan
    assert digest == world.reconciler().plan().plan.digest
    assert world.reconciler().run(approve=f"sha256:{'0' * 64}").blocked
    world.commit(module_file("fresh", "1.0.0"))
    assert world.reconciler().run(approve=digest).blocked, "the catalog moved on: another plan"
    assert not world.reconciler().run(approve=world.reconciler().plan().plan.digest).blocked
    assert world.listed(NAMING) == []


@pytest.mark.parametrize(
    ("guards", "word"),
    [
        ("{}", "maxRemovedPercent: 10"),
        ("{maxRemovedPercent: 50}", ""),
        ("{maxRemovedPercent: 49}", "maxRemovedPercent: 49"),
        ("{maxRemovedPercent: 100, maxRemovedPackages: 1}", "maxRemovedPackages: 1"),
        ("{maxRemovedPercent: 100, maxRemovedPackages: 2}", ""),
    ],
)
def test_the_guards_are_those_of_the_catalog(world: World, guards: str, word: str) -> None:
    """Two of four packages go."""
    names = ("naming", "tags", "zones", "dns")
    head = "apiVersion: gitopsreg.io/v1alpha1\nkind: Registry\nmetadata: {name: default}\n"
    world.commit(
        *(module_file(name, "1.0.0") for name in names), {"registry.yaml": f"{head}spec: {{guards: {guards}}}\n"}
    )
    world.run()
    world.remove("namespaces/acme/modules/naming", "namespaces/acme/modules/tags")
    blocked = world.run().blocked
    assert word in blocked
    assert bool(word) == bool(blocked) == bool(world.listed(NAMING))


def test_an_emptied_catalog_is_held_back(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    world.run()
    world.remove("namespaces/acme/modules")
    assert "declares no package" in world.run().blocked
    assert world.listed(NAMING) == ["1.0.0"]


def test_a_missing_or_unsigned_provider_release_costs_its_version_only(world: World) -> None:
    world.commit(provider_files("1.0.0", "1.1.0"))
    (world.repo / "content/hello/1.1.0/terraform-provider-hello_1.1.0_linux_amd64.zip").unlink()
    world.commit()
    world.run()
    assert world.listed(HELLO) == ["1.0.0"]
    status = world.status(HELLO)
    assert [(item.version, item.reason) for item in status.failures] == [("1.1.0", "IncompleteRelease")]
    assert "linux_amd64" in status.failures[0].message
    assert world.reasons(HELLO)["Ready"] == "IncompleteRelease"


# Outages


def test_the_upstream_is_gone_and_everything_else_goes_on(world: World) -> None:
    world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"one"})
    world.commit(remote_file(), module_file("naming", "1.0.0"))
    world.run()
    world.upstreams[REMOTE].down = unavailable()
    world.commit(module_file("naming", "1.0.0", "1.1.0"))
    world.run()
    assert world.listed(REMOTE) == ["1.0.0"]
    assert world.listed(NAMING) == ["1.0.0", "1.1.0"]
    assert world.reasons(REMOTE) == {
        "Ready": "Timeout",
        "FetchFailed": "Timeout",
        "Reconciling": "ProgressingWithRetry",
    }
    assert world.status(REMOTE).next_attempt > world.status(REMOTE).last_attempt


def test_a_failing_upstream_is_tried_again_ever_later_and_recovers(world: World) -> None:
    world.upstreams[REMOTE] = upstream = FakeUpstream({"1.0.0": b"one"}, down=unavailable())
    world.commit(remote_file())
    reconciler = world.reconciler()
    reconciler.run()
    for attempts in (2, 3, 4):
        world.pass_time(timedelta(minutes=15))
        assert reconciler.tick() is not None
        assert world.status(REMOTE).attempts == attempts
    upstream.down = None
    world.pass_time(timedelta(minutes=15))
    reconciler.tick()
    assert world.listed(REMOTE) == ["1.0.0"]
    assert world.status(REMOTE).attempts == 0
    assert world.reasons(REMOTE) == {"Ready": "Succeeded"}


def test_a_deleted_tag_is_told_and_goes_on_being_served(world: World) -> None:
    world.upstreams[REMOTE] = upstream = FakeUpstream({"1.0.0": b"one", "1.1.0": b"two"})
    world.commit(remote_file())
    world.run()
    del upstream.content["1.0.0"]
    world.run()
    assert world.listed(REMOTE) == ["1.0.0", "1.1.0"]
    assert world.reasons(REMOTE) == {"Ready": "Succeeded", "UpstreamMutated": "TagDeleted"}


def test_a_moved_tag_is_told_and_changes_nothing(world: World) -> None:
    world.upstreams[REMOTE] = upstream = FakeUpstream({"1.0.0": b"one"})
    world.commit(remote_file())
    first = world.run()
    upstream.content["1.0.0"] = b"other"
    assert world.run().snapshot == first.snapshot
    assert world.reasons(REMOTE) == {"Ready": "Succeeded", "UpstreamMutated": "TagMoved"}
    assert upstream.fetched == ["1.0.0"]


def test_one_bad_version_is_not_fetched_again_and_again(world: World) -> None:
    world.upstreams[REMOTE] = upstream = FakeUpstream({"1.0.0": b"one", "1.1.0": b"two"}, bad={"1.1.0": unsafe()})
    world.commit(remote_file())
    reconciler = world.reconciler()
    reconciler.run()
    world.commit(module_file("naming", "1.0.0"))
    reconciler.tick()
    assert world.listed(REMOTE) == ["1.0.0"]
    assert upstream.fetched == ["1.0.0", "1.1.0"]
    assert [item.reason for item in world.status(REMOTE).failures] == ["UnsafeArchive"]
    world.pass_time(timedelta(hours=1))
    upstream.bad.clear()
    reconciler.tick()
    assert world.listed(REMOTE) == ["1.0.0", "1.1.0"]
    assert world.reasons(REMOTE) == {"Ready": "Succeeded"}


def test_yanks_and_blocks_work_while_the_upstream_is_gone(world: World) -> None:
    world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"one", "1.1.0": b"two"})
    world.commit(remote_file())
    world.run()
    world.upstreams[REMOTE].down = unavailable()
    world.commit(remote_file(more='versions:\n  blocked: [{version: "1.1.0", reason: malware}]\n'))
    world.run()
    assert world.listed(REMOTE) == ["1.0.0"]


def test_the_catalog_is_gone_before_anything_was_read(world: World) -> None:
    world.repo.rename(world.repo.with_name("moved"))
    with pytest.raises(CheckoutFailed):
        world.run()
    condition = read_status(world.store).conditions[0]
    assert (condition.type, condition.status) == ("CatalogFetched", "False")
    assert served(world.store) is None


class Disconnected(MemoryStore):
    """A store that can be read and not written."""

    def put(self, key: str, data: object) -> None:
        raise StorageError("disk full")


def test_a_full_store_costs_no_served_version(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    with pytest.raises(StorageError):
        world.run(Disconnected())


# Races


class Racing(FailingStore):
    """Another reconciler sees a newer commit and publishes just before us, once."""

    def __init__(self, world: World) -> None:
        super().__init__(world.store)
        self._world = world
        self.races = 0

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        if key == HEAD and not self.races:
            self.races += 1
            self._world.commit(module_file("other", "1.0.0"))
            self._world.run()
        return super().replace(key, data, expected=expected)


class Unlucky(FailingStore):
    """The pointer is never what it was."""

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        if key == HEAD:
            raise PublishConflict(f'"{key}" has moved')
        return super().replace(key, data, expected=expected)


def test_losing_a_race_is_harmless(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    racing = Racing(world)
    assert world.run(racing).blocked == ""
    assert racing.races == 1
    assert world.listed(NAMING) == ["1.0.0"]
    assert world.listed(replace(NAMING, name="other")) != []


def test_losing_every_race_is_told(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    with pytest.raises(PublishConflict, match="published first"):
        world.run(Unlucky(world.store))


def test_force_repairs_a_lost_blob(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    world.run()
    (blob,) = world.store.keys("blobs/")
    world.store.delete(blob)
    world.reconciler().run(force=True)
    assert world.listed(NAMING) == ["1.0.0"]


def test_force_never_replaces_what_is_published(world: World) -> None:
    class Fickle(FakeUpstream):
        """The same commit, other bytes: as if the packer had changed."""

        def _commit(self, text: str) -> str:
            return "c" * 40

    world.upstreams[REMOTE] = upstream = Fickle({"1.0.0": b"one"})
    world.commit(remote_file())
    first = world.run()
    upstream.content["1.0.0"] = b"other"
    assert world.reconciler().run(force=True).snapshot == first.snapshot
    assert [item.reason for item in world.status(REMOTE).failures] == ["AssetReplaced"]


def test_jobs_run_side_by_side_with_the_same_result(world: World) -> None:
    world.commit(
        *(module_file(name, "1.0.0", "1.1.0") for name in ("naming", "tags", "zones")), provider_files("1.0.0")
    )
    one, many = MemoryStore(), MemoryStore()
    assert world.reconciler(one, jobs=1).run().snapshot == world.reconciler(many, jobs=8).run().snapshot


# Slow upstreams


class Slow(FakeUpstream):
    """Answers when the gate opens."""

    gate: Event
    hold: str = ""

    def discover(self) -> Discovery:
        if self.hold == "discover":
            self.gate.wait(20)
        return super().discover()

    def releases(self, wanted: Sequence[Found]) -> Iterator[tuple[Found, Release | UpstreamError]]:
        if self.hold == "releases":
            self.gate.wait(20)
        yield from super().releases(wanted)


@pytest.mark.parametrize("hold", ["discover", "releases"])
def test_a_slow_upstream_keeps_nobody_waiting(world: World, hold: str) -> None:
    world.upstreams[REMOTE] = slow = Slow({"1.0.0": b"one"})
    slow.gate, slow.hold = Event(), hold
    world.commit(remote_file(), module_file("naming", "1.0.0"))
    woken = Event()
    reconciler = world.reconciler(jobs=4)
    reconciler.hurry(0.05, woken.set)
    reconciler.run()
    assert world.listed(NAMING) == ["1.0.0"]
    assert world.listed(REMOTE) == []
    assert world.reasons(REMOTE)["Ready"] == "Progressing"

    reconciler.run()
    assert slow.asked <= 1, "it is not asked twice while the first answer is out"
    slow.gate.set()
    assert woken.wait(20)
    assert reconciler.tick() is not None
    assert world.listed(REMOTE) == ["1.0.0"]
    assert world.reasons(REMOTE) == {"Ready": "Succeeded"}
    assert reconciler.tick() is None


# Back-off, gates and clocks


def test_a_failing_package_is_left_alone_by_unrelated_commits(world: World) -> None:
    world.upstreams[REMOTE] = upstream = FakeUpstream({"1.0.0": b"one"}, down=unavailable())
    world.commit(remote_file())
    reconciler = world.reconciler()
    for _ in range(8):
        world.pass_time(timedelta(minutes=15))
        reconciler.tick()
    asked = upstream.asked
    for number in range(5):
        world.commit(module_file("naming", f"1.{number}.0"))
        reconciler.tick()
    assert upstream.asked == asked
    world.commit(remote_file(more="description: changed\n"))
    reconciler.tick()
    assert upstream.asked == asked + 1, "a changed declaration is asked at once"
    assert world.status(REMOTE).attempts == 1, "and its back-off starts over"


def test_what_a_guard_held_back_does_not_count_as_applied(world: World) -> None:
    names = ("naming", "tags", "zones")
    world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"one", "1.1.0": b"two"})
    world.commit(remote_file(), *(module_file(name, "1.0.0") for name in names))
    reconciler = world.reconciler()
    reconciler.run()
    blocked = remote_file(more='versions:\n  blocked: [{version: "1.1.0", reason: malware}]\n')
    git(world.repo, "rm", "-r", "--quiet", *(f"namespaces/acme/modules/{name}" for name in names[:2]))
    world.commit(blocked)
    held = reconciler.tick()
    assert held is not None
    assert held.blocked
    assert world.status(REMOTE).revision != held.revision
    world.commit(*(module_file(name, "1.0.0") for name in names))
    reconciler.tick()
    assert world.listed(REMOTE) == ["1.0.0"]


def test_a_held_or_suspended_registry_does_not_spin(world: World) -> None:
    world.upstreams[REMOTE] = upstream = FakeUpstream({"1.0.0": b"one"})
    world.commit(remote_file())
    reconciler = world.reconciler()
    reconciler.run()
    registry = "apiVersion: gitopsreg.io/v1alpha1\nkind: Registry\nmetadata: {name: default}\nspec: {suspend: true}\n"
    world.commit({"registry.yaml": registry})
    outcome = reconciler.tick()
    assert outcome is not None
    assert outcome.status.next_attempt == ""
    for _ in range(5):
        world.pass_time(timedelta(hours=1))
        assert reconciler.tick() is None
    assert upstream.asked == 1
    assert world.listed(REMOTE) == ["1.0.0"]


def test_a_clock_that_was_wrong_once_is_forgotten(world: World) -> None:
    world.upstreams[REMOTE] = upstream = FakeUpstream({"1.0.0": b"one"})
    world.commit(remote_file())
    world.now += timedelta(days=2000)
    world.run()
    world.now -= timedelta(days=2000)
    upstream.content["1.1.0"] = b"two"
    reconciler = world.reconciler()
    assert reconciler.tick() is not None
    assert world.listed(REMOTE) == ["1.0.0", "1.1.0"]


def test_a_refused_version_is_not_fetched_again_because_somebody_asks(world: World) -> None:
    world.upstreams[REMOTE] = upstream = FakeUpstream({"1.0.0": b"one"}, bad={"1.0.0": unsafe()})
    world.commit(remote_file())
    reconciler = world.reconciler()
    for _ in range(4):
        reconciler.run()
    assert upstream.fetched == ["1.0.0"]
    assert [item.attempts for item in world.status(REMOTE).failures] == [1]
    reconciler.run(force=True)
    assert upstream.fetched == ["1.0.0", "1.0.0"]


def test_a_plan_writes_nothing(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    counting = FailingStore(world.store)
    assert world.reconciler(counting).plan().plan.has_changes
    assert counting.writes == []


def test_a_pin_that_the_upstream_does_not_have_is_told(world: World) -> None:
    world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"one"})
    world.commit(remote_file(more='versions:\n  pins: [{version: "3.9.0", commit: ' + "f" * 40 + "}]\n"))
    world.run()
    assert world.listed(REMOTE) == ["1.0.0"]
    assert [(item.version, item.reason) for item in world.status(REMOTE).failures] == [("3.9.0", "PinMismatch")]
