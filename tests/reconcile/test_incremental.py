"""A process that goes on and does only what a change asks for comes to what a new process comes to each time."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gitopsreg.index.status_store import read_status
from gitopsreg.index.statuses import RegistryStatus
from gitopsreg.model.address import ModuleAddress
from gitopsreg.reconcile.run import Outcome
from gitopsreg.storage.memory import MemoryStore
from tests.reconcile.discoveries import AT, a_registry, discovery_file, here, offer
from tests.reconcile.fakes import FakeUpstream, unavailable
from tests.reconcile.world import World, gathered_file, module_file, provider_files, remote_file

Step = Callable[[World, int], object]
_NAMES = ("one", "two", "remote", "other", "found")
_REGISTRY = "apiVersion: gitopsreg.io/v1alpha1\nkind: Registry\nmetadata: {name: registry}\nspec: "
_NAMESPACE = "apiVersion: gitopsreg.io/v1alpha1\nkind: Namespace\nmetadata: {name: acme}\nspec: "


def _release(name: str) -> Step:
    def step(world: World, number: int) -> None:
        world.upstreams[here(name)].content[f"1.{number}.0"] = f"{name}{number}".encode()
        world.gathering.commit = f"{number:040x}"

    return step


def _wait(world: World, number: int) -> None:
    world.pass_time(timedelta(minutes=20 * number))


def _fail(world: World, number: int) -> None:
    upstream = world.upstreams[here("remote")]
    upstream.down = None if upstream.down else unavailable()


def _lose_sight(world: World, number: int) -> None:
    """Not while something is discovered there: who goes on knows what was chosen, a new process can't."""
    if (world.repo / AT).exists():
        return
    world.gathering.down = None if world.gathering.down else unavailable()
    world.gathering.commit = f"{number:040x}"


def _discover(world: World, number: int) -> None:
    if world.gathering.down is None:
        world.commit(discovery_file())


def _remove(path: str) -> Step:
    def step(world: World, number: int) -> None:
        if (world.repo / path).exists():
            world.remove(path)

    return step


def _commit(*files: Mapping[str, str | bytes]) -> Step:
    return lambda world, number: world.commit(*files)


_STEPS: tuple[Step, ...] = (
    _commit(gathered_file("one")),
    _commit(gathered_file("one", "description: other\n")),
    _commit(gathered_file("two", "suspend: true\n")),
    _commit(gathered_file("two", "versions: {constraint: '< 1.2'}\n")),
    _commit(gathered_file("other", "nonsense: 1\n")),
    _commit(remote_file()),
    _commit(module_file("naming", "1.0.0")),
    _commit(provider_files("1.0.0")),
    _commit({"namespaces/acme/namespace.yaml": _NAMESPACE + "{aliases: [old]}\n"}),
    _commit({"namespaces/acme/namespace.yaml": _NAMESPACE + "{nonsense: 1}\n"}),
    _commit({"namespaces/acme/namespace.yaml": _NAMESPACE + "{}\n"}),
    _commit({"registry.yaml": _REGISTRY + "{guards: {maxRemovedPackages: 0}}\n"}),
    _commit({"registry.yaml": _REGISTRY + "{guards: {allowEmpty: true, maxRemovedPercent: 100}}\n"}),
    _commit({"registry.yaml": _REGISTRY + "{defaults: {retention: {archiveFor: 1h}}}\n"}),
    _commit({"content/naming/1.0.0/main.tf": "# other bytes\n"}),
    _discover,
    _remove(AT),
    _remove("namespaces/acme/modules/one"),
    _remove("namespaces/acme/modules/naming"),
    _release("one"),
    _release("two"),
    _release("remote"),
    _wait,
    _fail,
    _lose_sight,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@example([(_commit(remote_file()), True), (_release("remote"), True), (_release("remote"), True)])
@example([(_commit(gathered_file("one"), gathered_file("two")), True), (_remove("namespaces/acme/modules/one"), False)])
@example([(_commit(gathered_file("two", "suspend: true\n")), True), (_wait, False), (_wait, False)])
@given(st.lists(st.tuples(st.sampled_from(_STEPS), st.booleans()), min_size=3, max_size=10))
def test_what_a_process_remembers_has_no_share_in_what_comes_of_it(steps: list[tuple[Step, bool]]) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        for name in _NAMES:
            world.upstreams[ModuleAddress("acme", name, "generic")] = FakeUpstream({"1.0.0": name.encode()})
        offer(a_registry(world), "Grafana/found", "grafana/more")
        lasting, passing = MemoryStore(), MemoryStore()
        watcher = world.reconciler(lasting)
        for number, (step, asks) in enumerate(steps, 1):
            step(world, number)
            outcome = watcher.run() if asks else watcher.tick()
            if outcome is None:  # then nobody else would find anything to publish either
                assert not _run(world, _copy(passing), asks=False).published
                continue
            assert told(outcome) == told(_run(world, passing, asks=asks))
            status = read_status(lasting)
            assert known(status) == known(read_status(passing))
            # Whatever is declared has a status, and nothing else has; what a gate held back tells of what was before.
            catalog = outcome.loaded.catalog
            declared = {address for part in catalog.parts.values() for address in part.by_address}
            assert outcome.blocked or status.packages.keys() == declared


def _run(world: World, store: MemoryStore, *, asks: bool) -> Outcome:
    """One run of a process of its own, which knows nothing but what is stored."""
    process = world.reconciler(store)
    outcome = process.run() if asks else process.tick()
    assert outcome is not None
    return outcome


def _copy(store: MemoryStore) -> MemoryStore:
    other = MemoryStore()
    for key in store.keys(""):
        other.put(key, store.get(key))
    return other


def told(outcome: Outcome) -> tuple[object, ...]:
    return outcome.snapshot, outcome.published, outcome.packages, outcome.blocked, outcome.plan, outcome.versions_added


def known(status: RegistryStatus) -> tuple[object, ...]:
    """When a new process met a suspended package is no knowledge: who goes on leaves it alone."""
    packages = status.packages.values()
    return status.summary, [item if item.skip_key else replace(item, last_attempt="") for item in packages]
