"""Which discoveries this release acts on (those over a registry in a Git repository), and why it doesn't on others."""

from collections.abc import Callable, Mapping

from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.discovery import DiscoveryFacts
from gitopsreg.catalog.report import Finding
from gitopsreg.catalog.world import World
from gitopsreg.errors import quoted
from gitopsreg.model.declaration import DiscoveryDeclaration, IdleDiscovery

_ACTED_ON = "opentofu-git"

# (reason, message) why a file can't be acted on.
Why = tuple[str, str]


class Discoveries:
    """The discoveries of one catalog and the connections that they name."""

    def __init__(self, world: World, errors: Mapping[str, Finding]) -> None:
        """`errors` by path: the first of each file that has any."""
        found = (one for part in world.parts.values() for one in part.discoveries)
        self._found = sorted(found, key=lambda one: one.path)
        self._connections = world.connections
        self._errors = errors

    def acts_on(self, one: Checked) -> bool:
        """Whether this release acts on a discovery, or on a connection."""
        connection = self._connection(one) if one.slot.kind == "Discovery" else one
        return connection is not None and (connection.cursor / "spec" / "type").text == _ACTED_ON

    def declared(
        self, why_invalid: Callable[[Checked], Why | None], make: Callable[[Checked, Checked], DiscoveryDeclaration]
    ) -> tuple[tuple[DiscoveryDeclaration, ...], tuple[IdleDiscovery, ...]]:
        """`make` takes a discovery and its connection, both sound."""
        declared, idle = [], []
        for one in self._found:
            connection = self._connection(one)
            why = why_invalid(one) or self._why_idle(one, connection)
            if why is None and connection is not None:
                declared.append(make(one, connection))
            elif why is not None:
                idle.append(IdleDiscovery(namespace=one.slot.namespace, path=one.path, reason=why[0], message=why[1]))
        return tuple(declared), tuple(idle)

    def _connection(self, one: Checked) -> Checked | None:
        facts = one.facts
        return self._connections.get(facts.place) if isinstance(facts, DiscoveryFacts) and _is_registry(facts) else None

    def _why_idle(self, one: Checked, connection: Checked | None) -> Why | None:
        if connection is not None and (error := self._errors.get(connection.path)):
            return "DependencyNotReady", f"{connection.path} is invalid: {error.message}"
        if not self.acts_on(one):
            return "SourceUnsupported", f"this release finds packages over connections of type {quoted(_ACTED_ON)} only"
        return None


def _is_registry(facts: DiscoveryFacts) -> bool:
    return facts.scope == "registry"
