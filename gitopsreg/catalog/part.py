"""The checked files of one namespace, or of all that lies in none: what they declare, and all they say of others.

Drawn out once: a part whose files are the same ones is the same object from one load to the next.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.discovery import DiscoveryFacts
from gitopsreg.catalog.facts import NamespaceFacts, PackageFacts
from gitopsreg.catalog.schema import IDLE_KINDS, PARTLY_IDLE_KINDS
from gitopsreg.model.address import ModuleAddress


@dataclass(frozen=True, eq=False)  # no slots: what is worked out is kept
class CheckedPart:
    """`name` is as in catalog.files.part_of. Where several files declare the same, the first counts."""

    name: str
    checked: tuple[Checked, ...]

    @cached_property
    def namespaces(self) -> Mapping[str, Checked]:
        """By name as the path has it: one, unless folders differ in letter case only."""
        return {one.slot.namespace: one for one in reversed(self._of("Namespace"))}

    @cached_property
    def keys(self) -> Mapping[tuple[str, str], Checked]:
        """By (namespace, name)."""
        return {(one.slot.namespace, one.slot.name): one for one in reversed(self._of("SigningKey"))}

    @cached_property
    def packages(self) -> tuple[Checked, ...]:
        return self._of("Module", "Provider")

    @cached_property
    def by_name(self) -> Mapping[tuple[bool, str], Checked]:
        """Packages by (is it a module, `namespace/name/system` or `namespace/type`): the last of the files of each."""
        found = ((one, one.slot.address) for one in self.packages)
        return {(isinstance(each, ModuleAddress), each.path): one for one, each in found if each is not None}

    @cached_property
    def discoveries(self) -> tuple[Checked, ...]:
        return self._of("Discovery")

    @cached_property
    def aliasing(self) -> tuple[Checked, ...]:
        """Namespaces with aliases."""
        found = ((one, one.facts) for one in self.namespaces.values())
        return tuple(one for one, facts in found if isinstance(facts, NamespaceFacts) and facts.aliases)

    @cached_property
    def replaced(self) -> tuple[Checked, ...]:
        """Packages that name another one in their place."""
        return tuple(one for one, facts in self._package_facts() if facts.replacement)

    @cached_property
    def foldered(self) -> tuple[Checked, ...]:
        """Packages that name folders of the catalog."""
        return tuple(one for one, facts in self._package_facts() if facts.folders)

    @cached_property
    def naming_namespaces(self) -> tuple[Checked, ...]:
        """Files that name namespaces."""
        return tuple(one for one in self.checked if any(each.kind == "Namespace" for each in one.mentions))

    @cached_property
    def idle(self) -> tuple[Checked, ...]:
        """Files of kinds that may be declared for nothing in this release."""
        return self._of(*IDLE_KINDS, *PARTLY_IDLE_KINDS)

    @cached_property
    def noted(self) -> tuple[Checked, ...]:
        """Files with findings of their own."""
        return tuple(one for one in self.checked if one.findings)

    @cached_property
    def silencing(self) -> tuple[Checked, ...]:
        """Files with comments that silence findings."""
        return tuple(one for one in self.checked if one.ignores)

    @cached_property
    def by_path(self) -> Mapping[str, Checked]:
        return {one.path: one for one in self.checked}

    def _of(self, *kinds: str) -> tuple[Checked, ...]:
        return tuple(one for one in self.checked if one.slot.kind in kinds)

    def _package_facts(self) -> tuple[tuple[Checked, PackageFacts], ...]:
        found = ((one, one.facts) for one in self.packages if one.slot.address is not None)
        return tuple((one, facts) for one, facts in found if isinstance(facts, PackageFacts))


def discovery_facts(parts: Mapping[str, CheckedPart]) -> list[tuple[Checked, DiscoveryFacts]]:
    """Every discovery with what is known of it."""
    found = ((one, one.facts) for part in parts.values() for one in part.discoveries)
    return [(one, facts) for one, facts in found if isinstance(facts, DiscoveryFacts)]
