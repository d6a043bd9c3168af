"""Packages that nobody declared: found in a registry that has many, published as discoveries say."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from gitopsreg.index.status_store import read_status
from gitopsreg.model.address import ModuleAddress
from gitopsreg.upstream.base import Skipped
from tests.reconcile.discoveries import (
    AT,
    CONNECTION,
    ARegistry,
    a_registry,
    discovery_file,
    discovery_status,
    here,
    offer,
    ready,
    withdraw,
)
from tests.reconcile.fakes import FakeUpstream, unavailable
from tests.reconcile.world import World, gathered_file, module_file

ONE, TWO, THREE = here("one"), here("two"), here("three")
PENDING = discovery_file("approval: pending")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def registry(world: World) -> ARegistry:
    made = a_registry(world)
    offer(made, "Grafana/One", "grafana/two", "datadog/three")
    return made


def served(world: World) -> set[ModuleAddress]:
    """What is published and not archived."""
    snapshot = world.snapshot()
    found = snapshot.packages.values() if snapshot else ()
    return {one.address for one in found if one.archived is None and isinstance(one.address, ModuleAddress)}


def test_what_is_found_is_published_in_the_discovery_s_namespace(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file())
    outcome = world.run()
    assert served(world) == {ONE, TWO}
    assert world.listed(ONE) == ["1.0.0"]
    assert (world.status(ONE).path, world.status(ONE).origin) == (AT, "Grafana/One/generic")
    status = discovery_status(world)
    assert (status.found, status.published, status.pending) == (2, 2, ())
    assert status.conditions[0].message == "found 2: 2 published"
    assert (outcome.status.idle, outcome.failed) == ((), ())


def test_nothing_new_costs_nothing(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file())
    reconciler = world.reconciler()
    reconciler.run()
    done = registry.listed, len(registry.parsed)
    assert not reconciler.run().published
    assert (registry.listed, len(registry.parsed)) == done


def test_a_new_package_is_found_when_it_is_time(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file("interval: 4h\ntemplate: {interval: 5h}"))
    reconciler = world.reconciler()
    reconciler.run()
    offer(registry, "grafana/four")
    world.pass_time(timedelta(hours=3))
    assert reconciler.tick() is None
    world.pass_time(timedelta(hours=2))
    assert reconciler.tick() is not None
    assert here("four") in served(world)


def test_a_discovery_that_finds_nothing_yet_is_asked_again(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file(namespaces="[acme-labs]"))
    reconciler = world.reconciler()
    reconciler.run()
    assert served(world) == set()
    assert [ref for ref, _ in discovery_status(world).skipped] == ["acme-labs"]
    offer(registry, "acme-labs/one")
    world.pass_time(timedelta(hours=2))
    assert reconciler.tick() is not None
    assert served(world) == {ONE}


def test_pending_ones_wait_and_are_told(world: World, registry: ARegistry) -> None:
    world.commit(PENDING)
    outcome = world.run()
    assert (served(world), outcome.plan.has_changes) == (set(), False)
    assert discovery_status(world).pending == (str(ONE), str(TWO))
    world.commit(gathered_file("one"))
    world.run()
    assert served(world) == {ONE}
    assert discovery_status(world).pending == (str(TWO),)
    world.commit(discovery_file())
    world.run()
    assert served(world) == {ONE, TWO}
    world.commit(PENDING)
    offer(registry, "grafana/four")
    world.run()
    assert served(world) == {ONE, TWO}
    assert discovery_status(world).pending == (str(here("four")),)


def test_a_package_whose_file_is_removed_waits_for_approval_again(world: World, registry: ARegistry) -> None:
    world.commit(PENDING, gathered_file("one"), module_file("naming", "1.0.0"))
    world.run()
    world.remove("namespaces/acme/modules/one/generic.yaml")
    world.run()
    assert ONE not in served(world)
    assert discovery_status(world).pending == (str(ONE), str(TWO))


def test_a_file_wins(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file("template: {versions: {constraint: '>= 2.0'}}"), module_file("one", "0.9.0"))
    registry.upstreams[TWO].content["2.0.0"] = b"two"
    world.run()
    assert world.listed(ONE) == ["0.9.0"]
    assert world.listed(TWO) == ["2.0.0"]
    assert discovery_status(world).conditions[0].message == "found 2: 1 published, 1 declared in a file"


def test_a_broken_file_wins_too(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file())
    world.run()
    world.commit({"namespaces/acme/modules/one/generic.yaml": "kind: [\n"})
    registry.upstreams[ONE].content["1.1.0"] = b"one"
    offer(registry)
    world.run()
    assert world.listed(ONE) == ["1.0.0"]
    assert world.reasons(ONE)["Stalled"] == "InvalidSpec"


def test_too_many_are_not_taken_at_all(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file("maxPackages: 2"))
    world.run()
    offer(registry, "grafana/four")
    registry.upstreams[ONE].content["1.1.0"] = b"one"
    outcome = world.run()
    assert served(world) == {ONE, TWO}
    assert world.listed(ONE) == ["1.0.0", "1.1.0"]
    assert ready(world) == ("False", "QuotaExceeded")
    message = discovery_status(world).conditions[0].message
    assert "3 packages are found (maxPackages: 2): none of the 1 new" in message
    assert outcome.blocked == ""
    world.commit(discovery_file("maxPackages: 2"), gathered_file("four"))
    world.run()
    assert ready(world) == ("True", "Succeeded")


def test_what_disappears_is_kept(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file())
    world.run()
    withdraw(registry, "grafana/one")
    world.run()
    assert served(world) == {ONE, TWO}
    condition = world.status(ONE).conditions[0]
    assert (condition.reason, "onDisappear: keep" in condition.message) == ("Suspended", True)
    offer(registry, "grafana/one")
    registry.upstreams[ONE].content["1.1.0"] = b"one"
    world.run()
    assert world.listed(ONE) == ["1.0.0", "1.1.0"]


def test_what_disappears_is_archived_if_that_is_wanted(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file("onDisappear: archive"))
    world.run()
    withdraw(registry, "grafana/one")
    world.run()
    assert served(world) == {TWO}
    assert world.snapshot() is not None
    offer(registry, "grafana/one")
    world.run()
    assert served(world) == {ONE, TWO}


@pytest.mark.parametrize("blind", [False, True])
def test_an_outage_takes_nothing_away(world: World, registry: ARegistry, *, blind: bool) -> None:
    world.commit(discovery_file("onDisappear: archive"))
    world.run()
    registry.down, registry.blind = unavailable(), blind
    outcome = world.run()
    assert served(world) == {ONE, TWO}
    assert not outcome.published
    assert ready(world) == ("False", "Timeout")
    registry.down, registry.blind = None, False
    registry.upstreams[ONE].content["1.1.0"] = b"one"
    offer(registry)
    world.pass_time(timedelta(hours=1))
    world.run()
    assert world.listed(ONE) == ["1.0.0", "1.1.0"]
    assert ready(world) == ("True", "Succeeded")


def test_an_outage_leaves_a_process_that_saw_it_what_it_found(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file())
    reconciler = world.reconciler()
    reconciler.run()
    registry.down = unavailable()
    reconciler.run()
    assert world.reasons(ONE) == {"Ready": "Succeeded"}
    assert (discovery_status(world).found, ready(world)) == (2, ("False", "Timeout"))


def test_a_lost_status_and_an_outage_take_nothing_away_either(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file("onDisappear: archive"))
    world.run()
    for key in list(world.store.keys("status/")):
        world.store.delete(key)
    registry.down = unavailable()
    world.run()
    assert served(world) == {ONE, TWO}


def test_a_slow_look_keeps_what_is_there(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file())
    world.run()
    registry.gate = Event()
    reconciler = world.reconciler()
    reconciler.hurry(0.05, lambda: None)
    reconciler.run()
    assert (served(world), ready(world)) == ({ONE, TWO}, ("Unknown", "Progressing"))
    registry.gate.set()


def test_removing_a_discovery_archives_its_packages_behind_the_guard(world: World, registry: ARegistry) -> None:
    offer(registry, *(f"grafana/more{number}" for number in range(6)))
    world.commit(discovery_file(), module_file("naming", "1.0.0"))
    world.run()
    before = served(world)
    world.remove(AT)
    outcome = world.run()
    assert "8 of 9 packages would be removed" in outcome.blocked
    assert served(world) == before
    approved = world.reconciler().run(approve=outcome.plan.digest)
    assert approved.published
    assert served(world) == {here("naming")}


def test_a_discovery_that_is_gone_wrong_keeps_its_packages(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file(), module_file("naming", "1.0.0"))
    world.run()
    world.commit({AT: "kind: [\n"})
    outcome = world.run()
    assert served(world) == {ONE, TWO, here("naming")}
    assert (world.reasons(ONE)["Stalled"], outcome.blocked) == ("InvalidSpec", "")
    world.commit(discovery_file())
    world.run()
    assert world.reasons(ONE) == {"Ready": "Succeeded"}


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({CONNECTION: "kind: [\n"}, "DependencyNotReady"),
        ({"namespaces/acme/namespace.yaml": "kind: [\n"}, "DependencyNotReady"),
        (discovery_file("template: {storageClass: nowhere}"), "DependencyNotReady"),
        (discovery_file("template: {verify: {keys: [nobody]}}"), "KeyMissing"),
        (
            {
                CONNECTION: "apiVersion: gitopsreg.io/v1alpha1\nkind: Connection\nmetadata: {name: upstream}\n"
                "spec: {type: registry, baseUrl: 'https://registry.example.com'}\n"
            },
            "SourceUnsupported",
        ),
    ],
)
def test_what_it_stands_on_gone_wrong_keeps_its_packages(
    world: World, registry: ARegistry, files: Mapping[str, str], reason: str
) -> None:
    world.commit(discovery_file(), module_file("naming", "1.0.0"))
    world.run()
    world.commit(files)
    world.run()
    assert served(world) == {ONE, TWO, here("naming")}
    assert world.reasons(ONE)["Ready"] == reason


@pytest.mark.parametrize("suspended", [AT, CONNECTION])
def test_a_suspended_discovery_leaves_all_as_it_is(world: World, registry: ARegistry, suspended: str) -> None:
    world.commit(discovery_file())
    world.run()
    text = discovery_file()[suspended].rstrip()
    world.commit({suspended: f"{text}\n  suspend: true\n" if suspended == AT else f"{text[:-1]}, suspend: true}}\n"})
    registry.upstreams[ONE].content["1.1.0"] = b"one"
    offer(registry, "grafana/four")
    looks = registry.looks
    world.run()
    assert (served(world), world.listed(ONE), registry.looks) == ({ONE, TWO}, ["1.0.0"], looks)
    assert ready(world) == ("Unknown", "Suspended")
    assert world.status(ONE).conditions[0].message == f"suspend: true in {suspended}"


def test_a_narrower_discovery_archives_what_it_no_longer_chooses(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file(namespaces="[grafana, Datadog]"), module_file("naming", "1.0.0"))
    world.run()
    assert served(world) == {ONE, TWO, THREE, here("naming")}
    world.commit(discovery_file())
    world.run()
    assert served(world) == {ONE, TWO, here("naming")}
    world.commit(discovery_file("match: {name: '^t'}"))
    world.run()
    assert served(world) == {TWO, here("naming")}


def test_a_discovery_under_another_name_takes_over(world: World, registry: ARegistry) -> None:
    world.commit(PENDING, gathered_file("two"))
    world.commit(discovery_file())
    world.run()
    world.remove(AT)
    withdraw(registry, "grafana/two")
    world.remove("namespaces/acme/modules/two/generic.yaml")
    renamed = "namespaces/acme/discoveries/renamed.yaml"
    world.commit(discovery_file("approval: pending", path=renamed), module_file("naming", "1.0.0"))
    world.run()
    assert served(world) == {ONE, here("naming")}
    assert discovery_status(world, renamed).published == 1


def test_the_first_of_two_discoveries_wins(world: World, registry: ARegistry) -> None:
    other = "namespaces/acme/discoveries/all.yaml"
    world.commit(
        discovery_file("template: {versions: {constraint: '>= 2.0'}}", namespaces="[grafana, datadog]", path=other),
        discovery_file(),
    )
    world.run()
    assert served(world) == set()
    assert discovery_status(world, other).conditions[0].message == "found 3: 3 not published yet"
    assert discovery_status(world).skipped == (
        (str(ONE), f'"{other}" finds it too, and comes first'),
        (str(TWO), f'"{other}" finds it too, and comes first'),
    )


@pytest.mark.parametrize("first", ["approval: pending", "approval: auto\nmaxPackages: 1"])
def test_one_that_takes_nothing_new_takes_nothing_from_another(world: World, registry: ARegistry, first: str) -> None:
    world.commit(discovery_file(), *(module_file(f"other{number}", "1.0.0") for number in range(8)))
    world.run()
    before = served(world)
    world.commit(discovery_file(first, path="namespaces/acme/discoveries/all.yaml"))
    outcome = world.run()
    assert (served(world), outcome.plan.changes) == (before, ())


def test_names_that_clash_and_names_that_are_none_are_told(world: World, registry: ARegistry) -> None:
    offer(registry, "datadog/one")
    registry.unfit = (
        Skipped(ref="modules/g/grafana/One/Generic.json", reason="in upper case"),
        Skipped(ref="modules/o/other/x/y.json", reason="not looked at"),
        Skipped(ref="providers/g/Grafana/_.json", reason="no name"),
    )
    world.commit(discovery_file("template: {archiveFormat: zip}", namespaces="[datadog, grafana]"))
    world.run()
    assert world.status(ONE).origin == "datadog/one/generic"
    assert discovery_status(world).skipped == (
        ("Grafana/One/generic", '"datadog/one/generic" has the same name, and its namespace stands first'),
        ("modules/g/grafana/One/Generic.json", "in upper case"),
        ("providers/g/Grafana/_.json", "no name"),
    )


def test_a_change_of_defaults_reaches_what_was_found(world: World, registry: ARegistry) -> None:
    registry.upstreams[ONE].content["2.0.0-rc.1"] = b"one"
    world.commit(discovery_file())
    world.run()
    head = "apiVersion: gitopsreg.io/v1alpha1\n"
    world.commit(
        {
            "namespaces/acme/namespace.yaml": head
            + "kind: Namespace\nmetadata: {name: acme}\nspec: {defaults: {versions: {prereleases: true}}}\n"
        }
    )
    world.run()
    assert world.listed(ONE) == ["1.0.0", "2.0.0-rc.1"]
    world.commit(discovery_file("template: {versions: {prereleases: false}}"))
    world.run()
    assert world.listed(ONE) == ["1.0.0"]


def test_a_fault_of_the_upstream_s_costs_one_discovery(world: World, registry: ARegistry) -> None:
    registry.there = None  # type: ignore[assignment]
    world.commit(discovery_file(), module_file("naming", "1.0.0"))
    world.run()
    assert ready(world) == ("False", "InternalError")
    assert world.listed(here("naming")) == ["1.0.0"]


def test_while_a_guard_is_closed_nothing_new_is_said(world: World, registry: ARegistry) -> None:
    world.commit(discovery_file("onDisappear: archive"))
    offer(registry, *(f"grafana/more{number}" for number in range(6)))
    world.run()
    before = read_status(world.store).discoveries
    withdraw(registry, *(f"grafana/more{number}" for number in range(6)))
    outcome = world.run()
    assert "6 of 8 packages would be removed" in outcome.blocked
    assert read_status(world.store).discoveries == before


def test_the_same_catalog_and_upstream_give_the_same_index(tmp_path: Path) -> None:
    digests = set()
    for folder in ("a", "b"):
        world = World(tmp_path / folder)
        registry = a_registry(world)
        names = ["grafana/one", "datadog/one", "grafana/two"]
        offer(registry, *(names if folder == "a" else reversed(names)))
        registry.upstreams[ONE] = FakeUpstream({"1.0.0": b"one"})
        registry.upstreams[TWO] = FakeUpstream({"1.0.0": b"two"})
        world.commit(discovery_file(namespaces="[datadog, grafana]"))
        world.run()
        snapshot = world.snapshot()
        assert snapshot is not None
        digests.add(tuple(sorted((str(address), str(entry.digest)) for address, entry in snapshot.entries.items())))
    assert len(digests) == 1
