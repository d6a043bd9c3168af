"""A registry that has many packages, in memory, and catalogs that discover them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitopsreg.errors import UpstreamUnavailable
from gitopsreg.index.status import DiscoveryStatus
from gitopsreg.index.status_store import read_status
from gitopsreg.model.address import ModuleAddress, PackageAddress
from gitopsreg.upstream.base import Skipped
from tests.reconcile.fakes import FakeGathering, FakeUpstream
from tests.reconcile.world import GATHERED, World

CONNECTION = "connections/upstream.yaml"
AT = "namespaces/acme/discoveries/found.yaml"
_HEAD = "apiVersion: gitopsreg.io/v1alpha1\n"


@dataclass
class ARegistry(FakeGathering):
    """`there` are its packages as its files write them, `unfit` its other files. A `blind` one was never seen."""

    there: dict[PackageAddress, str] = field(default_factory=dict)
    unfit: tuple[Skipped, ...] = ()
    blind: bool = False
    listed: int = 0

    def addresses(self) -> dict[PackageAddress, str]:
        self.listed += 1
        if self.blind:
            raise UpstreamUnavailable("nobody answers", reason="Timeout")
        return dict(self.there)

    def skipped(self) -> tuple[Skipped, ...]:
        return self.unfit


def a_registry(world: World) -> ARegistry:
    """Where the world's packages come from, from now on."""
    world.gathering = registry = ARegistry(GATHERED, world.upstreams)
    return registry


def here(name: str, namespace: str = "acme") -> ModuleAddress:
    return ModuleAddress(namespace, name, "generic")


def offer(registry: ARegistry, *written: str, to: str = "acme") -> None:
    """Modules as the registry writes them (`Grafana/one`), each with a version; they come into the namespace `to`."""
    for text in written:
        namespace, name = text.split("/")
        registry.there[here(name.lower(), namespace.lower())] = f"{text}/generic"
        registry.upstreams.setdefault(here(name.lower(), to), FakeUpstream({"1.0.0": text.encode()}))
    _move(registry)


def withdraw(registry: ARegistry, *written: str) -> None:
    for text in written:
        namespace, name = text.lower().split("/")
        del registry.there[here(name, namespace)]
    _move(registry)


def _move(registry: ARegistry) -> None:
    registry.commit = f"{int(registry.commit, 16) + 1:040x}"


def discovery_file(more: str = "", *, namespaces: str = "[grafana]", path: str = AT) -> Mapping[str, str]:
    """Everything of these namespaces, published by itself unless `more` says otherwise."""
    approval = "" if "approval:" in more else "  approval: auto\n"
    spec = "".join(f"  {line}\n" for line in more.strip().splitlines())
    name = path.rpartition("/")[2].removesuffix(".yaml")
    return {
        CONNECTION: f"{_HEAD}kind: Connection\nmetadata: {{name: upstream}}\n"
        f"spec: {{type: opentofu-git, url: '{GATHERED}'}}\n",
        path: f"{_HEAD}kind: Discovery\nmetadata: {{name: {name}}}\nspec:\n"
        f"  scope: {{registry: upstream, namespaces: {namespaces}}}\n{approval}{spec}",
    }


def discovery_status(world: World, path: str = AT) -> DiscoveryStatus:
    return next(item for item in read_status(world.store).discoveries if item.path == path)


def ready(world: World, path: str = AT) -> tuple[str, str]:
    """(status, reason) of a discovery."""
    condition = discovery_status(world, path).conditions[0]
    return condition.status, condition.reason
