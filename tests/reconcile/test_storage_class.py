"""Storage classes: where the bytes of new versions go, how they are handed out, and when they are let go."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from gitopsreg.index.model import Delivery, ModulePackage, ProviderPackage, Retention, Shelf
from gitopsreg.storage.memory import MemoryStore
from tests.builders import stored
from tests.reconcile.fakes import FakeUpstream
from tests.reconcile.world import HELLO, NAMING, REMOTE, World, module_file, provider_files, remote_file

ON_SHELF = Shelf(backend="archive", folder="modules/acme")


def a_class(name: str = "archive", spec: str = "backend: archive\nprefix: modules/acme/") -> Mapping[str, str]:
    body = "".join(f"  {line}\n" for line in spec.splitlines())
    head = f"apiVersion: gitopsreg.io/v1alpha1\nkind: StorageClass\nmetadata: {{name: {name}}}\nspec:\n"
    return {f"storage/{name}.yaml": head + body}


def a_registry(defaults: str) -> Mapping[str, str]:
    head = "apiVersion: gitopsreg.io/v1alpha1\nkind: Registry\nmetadata: {name: default}\nspec:\n"
    return {"registry.yaml": f"{head}  defaults: {{{defaults}}}\n"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.backends["archive"] = MemoryStore()
    return world


def module_of(world: World) -> ModulePackage:
    snapshot = world.snapshot()
    assert snapshot is not None
    package = snapshot.packages[NAMING]
    assert isinstance(package, ModulePackage)
    return package


def test_new_versions_go_where_the_class_says_and_old_ones_stay(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"))
    world.run()
    more = "storageClass: archive\n"
    world.commit(a_class(), module_file("naming", "1.0.0", "1.1.0", more=more))
    world.run()
    package = module_of(world)
    assert [version.shelf for version in package.versions] == [None, ON_SHELF]
    assert package.delivery == Delivery(serve="redirect", ttl=600)
    elsewhere = list(world.backends["archive"].keys(""))
    assert elsewhere == [f"modules/acme/blobs/{stored(package.versions[1].archive).sha256.hex}"]


def test_defaults_reach_every_package(world: World) -> None:
    spec = "backend: primary\nprefix: kept/\nserve: proxy\nredirectTTL: 5m\narchiveFormat: zip"
    world.commit(a_class("standard", spec), a_registry("storageClass: standard"))
    world.commit(module_file("naming", "1.0.0"), provider_files("1.0.0"))
    world.run()
    module = module_of(world)
    snapshot = world.snapshot()
    assert snapshot is not None
    provider = snapshot.packages[HELLO]
    assert isinstance(provider, ProviderPackage)
    assert module.versions[0].archive_format == "zip"
    assert {version.shelf for package in (module, provider) for version in package.versions} == {Shelf(folder="kept")}
    assert module.delivery == provider.delivery == Delivery(serve="proxy", ttl=300)


def test_a_changed_class_is_applied_without_touching_bytes(world: World) -> None:
    more = "storageClass: archive\n"
    world.commit(a_class(), module_file("naming", "1.0.0", more=more))
    world.run()
    before = module_of(world).versions
    world.commit(a_class(spec="backend: archive\nprefix: other\nserve: proxy"))
    world.run()
    assert module_of(world).versions == before
    assert module_of(world).delivery == Delivery(serve="proxy", ttl=600)


def test_a_back_end_that_the_operator_does_not_know_costs_the_new_versions(world: World) -> None:
    world.commit(a_class(spec="backend: elsewhere"), module_file("naming", "1.0.0", more="storageClass: archive\n"))
    outcome = world.run()
    assert world.listed(NAMING) == []
    failure = outcome.failed[0].failures[0]
    assert 'no back end is called "elsewhere": add --backend elsewhere=URL' in failure.message


def test_a_broken_class_keeps_the_last_good_versions(world: World) -> None:
    more = "storageClass: archive\n"
    world.commit(a_class(), module_file("naming", "1.0.0", more=more))
    world.run()
    world.commit(a_class(spec="backend: archive\nserve: pigeon"), module_file("naming", "1.0.0", "1.1.0", more=more))
    world.run()
    assert world.listed(NAMING) == ["1.0.0"]
    assert world.reasons(NAMING)["Stalled"] == "DependencyNotReady"


def test_the_most_patient_class_says_what_a_collection_keeps(world: World) -> None:
    one = a_class("one", "backend: primary\ngc: {keepSnapshots: 3, graceAfterUnreferenced: 40d}")
    two = a_class("two", "backend: primary\ngc: {keepSnapshots: 20, graceAfterUnreferenced: 2d}")
    world.commit(one, two, module_file("naming", "1.0.0"))
    world.run()
    snapshot = world.snapshot()
    assert snapshot is not None
    assert snapshot.root.retention == Retention(snapshots=20, grace=40 * 86400)


def test_bytes_that_nothing_names_yet_are_written_again_once_they_are_old(world: World) -> None:
    clock = [0.0]
    old = MemoryStore(clock=lambda: clock[0])
    world.store = old
    world.commit(module_file("naming", "1.0.0"))
    world.run()
    key = next(key for key in old.keys("blobs/"))
    for name in list(old.keys("index/")):
        old.delete(name)
    seen = old.stat(key)
    world.run()
    assert old.stat(key).state != seen.state, "a collection might have been about to remove it"


# Letting go

KEPT_A_WEEK = "retention: {archiveFor: 7d}"


def archived(world: World) -> None:
    world.commit(a_registry(KEPT_A_WEEK), module_file("naming", "1.0.0", "1.1.0"), provider_files("1.0.0"))
    world.run()
    world.remove("namespaces/acme/modules/naming")
    world.run()


def test_an_archived_package_is_let_go_when_its_time_is_up(world: World) -> None:
    archived(world)
    since = module_of(world).archived
    assert since is not None
    world.pass_time(timedelta(days=6))
    world.run()
    assert all(version.downloadable for version in module_of(world).versions)
    world.pass_time(timedelta(days=3650))
    plan = world.reconciler().plan().plan
    world.run()
    assert not world.reconciler().plan().plan.has_changes
    versions = module_of(world).versions
    assert "its bytes are let go" in plan.changes[0].notes[0]
    assert not any(version.downloadable for version in versions)
    assert {version.discarded for version in versions} == {versions[0].discarded}
    assert versions[0].discarded is not None
    assert versions[0].discarded > since
    digests = {stored(version.archive).sha256 for version in versions}
    assert len(digests) == 2, "what was published is remembered"


def test_without_a_time_nothing_is_let_go(world: World) -> None:
    world.commit(module_file("naming", "1.0.0"), provider_files("1.0.0"))
    world.run()
    world.remove("namespaces/acme/modules/naming")
    world.pass_time(timedelta(days=3650))
    world.run()
    assert all(version.downloadable for version in module_of(world).versions)


def test_what_was_let_go_comes_back_with_the_same_bytes_or_not_at_all(world: World) -> None:
    upstream = FakeUpstream({"1.0.0": b"one", "1.1.0": b"two"})
    world.upstreams[REMOTE] = upstream
    world.commit(a_registry(KEPT_A_WEEK), remote_file(), provider_files("1.0.0"))
    world.run()
    world.remove("namespaces/acme/modules/remote")
    world.run()
    world.pass_time(timedelta(days=3650))
    world.run()
    for key in list(world.store.keys("blobs/")):
        if world.store.get(key) in {b"one", b"two"}:
            world.store.delete(key)
    world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"one", "1.1.0": b"changed"})
    world.commit(remote_file())
    world.run()
    assert world.listed(REMOTE) == ["1.0.0"]
    assert "1.1.0" in {failure.version for failure in world.status(REMOTE).failures} or (
        "UpstreamMutated" in world.reasons(REMOTE)
    )
