"""What is whole of a checked catalog becomes declarations, part by part; what is not is declared, but invalid."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TypeVar

from gitopsreg.catalog import declarations
from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.defaults import Spec, inheritable
from gitopsreg.catalog.discoveries import Discoveries
from gitopsreg.catalog.discovery import DiscoveryFacts
from gitopsreg.catalog.facts import PackageFacts
from gitopsreg.catalog.memo import Made, Memo
from gitopsreg.catalog.part import CheckedPart
from gitopsreg.catalog.report import Finding
from gitopsreg.catalog.schema import PARTLY_IDLE_KINDS
from gitopsreg.catalog.unusable import reason_of
from gitopsreg.catalog.world import World
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.catalog import Catalog, InvalidPackage, Part, RegistryDeclaration, Retention
from gitopsreg.model.declaration import DiscoveryDeclaration, PackageDeclaration, SigningKey, StorageClass

Name = TypeVar("Name")
# Why each file that can't be used can't be, by path.
Errors = Mapping[str, Finding]


class Declaring:
    """`errors` are by part, only of parts that have any."""

    def __init__(self, world: World, errors: Mapping[str, Errors], memo: Memo) -> None:
        self._world = world
        self._errors = errors
        self._memo = memo
        self._classes: dict[str, StorageClass] = {
            name: declarations.storage_class(name, value) for name, value in self._sound(world.top, world.classes)
        }
        self._defaults = self._inheritable(world.top, world.registry)
        every = {path: error for some in errors.values() for path, error in some.items()}
        self._discoveries = Discoveries(world, every)
        memo.lean_on((self._defaults, self._classes, self._of(world.top)))

    def catalog(self, revision: str, time: str) -> Catalog:
        discoveries, idle_discoveries = self._discoveries.declared(self._why_invalid, self._discovery)
        return Catalog(
            revision=revision,
            time=time,
            registry=self._registry(),
            parts={part.name: self._declared(part) for part in self._world.parts.values() if part.name},
            discoveries=discoveries,
            idle_discoveries=idle_discoveries,
            retention=self._retention(),
        )

    @property
    def registry_broken(self) -> str:
        """Why registry.yaml can't be used, "" when it can or when there is none."""
        broken = self._of(self._world.top).get(self._world.registry.path) if self._world.registry else None
        return f"{broken.path}:{broken.line}:{broken.column}: {broken.message}" if broken else ""

    def is_idle(self, one: Checked) -> bool:
        """Whether a file of a kind that may be declared for nothing is sound, and is so declared."""
        acted_on = one.slot.kind in PARTLY_IDLE_KINDS and self._discoveries.acts_on(one)
        return not acted_on and self._value(self._part(one), one) is not None

    def _part(self, one: Checked) -> CheckedPart:
        return self._world.parts[one.slot.namespace.lower()]

    def _of(self, part: CheckedPart) -> Errors:
        return self._errors.get(part.name, {})

    def _value(self, part: CheckedPart, one: Checked | None) -> Spec | None:
        """The document of a file without errors."""
        if one is None or one.document is None or one.path in self._of(part):
            return None
        value: Spec = one.document.value
        return value

    def _sound(self, part: CheckedPart, some: Mapping[Name, Checked]) -> Iterator[tuple[Name, Spec]]:
        """The documents of the files without errors."""
        values = ((name, self._value(part, one)) for name, one in some.items())
        return ((name, value) for name, value in values if value is not None)

    def _inheritable(self, part: CheckedPart, one: Checked | None) -> Spec:
        value = self._value(part, one)
        return inheritable(value["spec"].get("defaults")) if value else {}

    def _registry(self) -> RegistryDeclaration:
        value = self._value(self._world.top, self._world.registry)
        return declarations.registry(value) if value else RegistryDeclaration()

    def _retention(self) -> Retention:
        sound = self._sound(self._world.top, self._world.classes)
        said = [declarations.retention(value) for _, value in sound] or [Retention()]
        return Retention(snapshots=max(one.snapshots for one in said), grace=max(one.grace for one in said))

    def _declared(self, part: CheckedPart) -> Part:
        """What the part declares; the same object as the last time while nothing that decides it has changed."""
        errors = self._of(part)
        known = self._memo.made(part, errors)
        return known or self._memo.make(part, errors, partial(self._fill, part))

    def _fill(self, part: CheckedPart, made: Made) -> Part:
        packages: dict[PackageAddress, PackageDeclaration] = {}
        invalid: dict[PackageAddress, InvalidPackage] = {}
        keys = self._keys(part)
        for one in part.packages:
            address = one.slot.address
            if address is None:
                continue
            if (reason := self._why_invalid(one)) is None:
                packages[address] = self._package(one, address, keys, made)
            else:
                broken = InvalidPackage(address=address, path=one.path, reason=reason[0], message=reason[1])
                invalid.setdefault(address, broken)
        return Part(
            packages=tuple(packages.values()),
            invalid=tuple(invalid.values()),
            namespaces=tuple(declarations.namespace(*named) for named in self._sound(part, part.namespaces)),
        )

    def _keys(self, part: CheckedPart) -> dict[tuple[str, str], SigningKey]:
        """By (namespace, name)."""
        sound = self._sound(part, part.keys)
        return {name: declarations.signing_key(*name, value) for name, value in sound}

    def _why_invalid(self, one: Checked) -> tuple[str, str] | None:
        """(reason, message), or None for a sound file of a package or a discovery."""
        part = self._part(one)
        if error := self._of(part).get(one.path):
            return reason_of(error), error.message
        leans_on = [part.namespaces[one.slot.namespace]]
        leans_on += [part.keys[one.slot.namespace, name] for name in _key_names(one)]
        for other in leans_on:
            if error := self._of(part).get(other.path):
                return "DependencyNotReady", f"{other.path} is invalid: {error.message}"
        storage = self._world.classes.get(self._storage_class(one))
        if storage and (error := self._of(self._world.top).get(storage.path)):
            return "DependencyNotReady", f"{storage.path} is invalid: {error.message}"
        return None

    def _storage_class(self, one: Checked) -> str:
        """The name of the one that holds for a package, "" for none."""
        spec = (self._value(self._part(one), one) or {}).get("spec", {})
        said = [*self._inherited(one), spec.get("template", {}) if one.slot.kind == "Discovery" else spec]
        name = next((layer["storageClass"] for layer in reversed(said) if "storageClass" in layer), None)
        return str(name or "")

    def _inherited(self, one: Checked) -> tuple[Spec, Spec]:
        part = self._part(one)
        return self._defaults, self._inheritable(part, part.namespaces[one.slot.namespace])

    def _discovery(self, one: Checked, connection: Checked) -> DiscoveryDeclaration:
        known = self._keys(self._part(one))
        keys = tuple(known[one.slot.namespace, name] for name in _key_names(one))
        found = self._value(self._part(one), one) or {}, self._value(self._world.top, connection) or {}
        place = one.slot.namespace, one.slot.name, one.path
        return declarations.discovery(place, *found, self._inherited(one), keys, self._classes)

    def _package(
        self, one: Checked, address: PackageAddress, known: Mapping[tuple[str, str], SigningKey], made: Made
    ) -> PackageDeclaration:
        keys = tuple(known[one.slot.namespace, name] for name in _key_names(one))
        inherited = self._inherited(one)
        value = self._value(self._part(one), one) or {}
        return made.declaration(
            one,
            (inherited, keys, self._classes),
            lambda: declarations.package(address, one.path, value, inherited, keys, self._classes),
        )


def _key_names(one: Checked) -> tuple[str, ...]:
    return tuple(name for name, _ in one.facts.keys) if isinstance(one.facts, PackageFacts | DiscoveryFacts) else ()
