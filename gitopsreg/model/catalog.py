"""One revision of the catalog as a whole: its registry, its namespaces, what each of them declares."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import chain

from gitopsreg.model.address import PackageAddress
from gitopsreg.model.declaration import (
    CatalogSource,
    DiscoveryDeclaration,
    IdleDiscovery,
    OpentofuGitSource,
    PackageDeclaration,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceDeclaration:
    """`owners` are (type, name) pairs; `aliases` are old names that keep resolving."""

    name: str
    display_name: str = ""
    owners: tuple[tuple[str, str], ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """Set-level gates: what a publish may remove without a person's word."""

    max_removed_packages: int = 5
    max_removed_percent: int = 10
    allow_empty: bool = False

    def refusal(self, *, removed: int, published: int, declared: int) -> str:
        """Why so many of the published packages may not go at once, "" when they may.

        A single removal never trips the percentage: in a small registry it would trip it always.
        """
        if removed and not declared and not self.allow_empty:
            return f"the catalog declares no package and {published} are published (allowEmpty: false)"
        would = f"{removed} of {published} packages would be removed"
        if removed > self.max_removed_packages:
            return f"{would} (maxRemovedPackages: {self.max_removed_packages})"
        if removed > 1 and removed * 100 > self.max_removed_percent * published:
            return f"{would} (maxRemovedPercent: {self.max_removed_percent})"
        return ""

    def is_looser_than(self, other: "Guards") -> bool:
        """Whether this lets anything pass that the other holds back."""
        return (
            self.max_removed_packages > other.max_removed_packages
            or self.max_removed_percent > other.max_removed_percent
            or (self.allow_empty and not other.allow_empty)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryDeclaration:
    """The singleton `registry.yaml`; `admins` are (type, name) pairs. `archive_for` is how long the bytes of a package
    are kept that the catalog no longer declares (None: for ever).
    """

    hostname: str | None = None
    admins: tuple[tuple[str, str], ...] = ()
    guards: Guards = field(default_factory=Guards)
    suspend: bool = False
    archive_for: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidPackage:
    """A package that is declared (its path says so) but not validly: never removed, keeps its last good versions."""

    address: PackageAddress
    path: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """When bytes that nothing names any more are removed: what the newest `snapshots` name is kept, and everything for
    `grace` after it was written.
    """

    snapshots: int = 10
    grace: timedelta = timedelta(days=30)


@dataclass(frozen=True)  # no slots: what is worked out is kept
class Part:
    """What is declared in one namespace; the same object while it is as it was.

    Every declared package is in exactly one of `packages` and `invalid`.
    """

    packages: tuple[PackageDeclaration, ...] = ()
    invalid: tuple[InvalidPackage, ...] = ()
    namespaces: tuple[NamespaceDeclaration, ...] = ()

    @cached_property
    def by_address(self) -> Mapping[PackageAddress, PackageDeclaration | InvalidPackage]:
        return {item.address: item for item in (*self.packages, *self.invalid)}

    @cached_property
    def of_catalog(self) -> tuple[PackageDeclaration, ...]:
        """Packages whose content lies in the catalog itself."""
        return tuple(item for item in self.packages if isinstance(item.source, CatalogSource))

    @cached_property
    def gathered(self) -> tuple[PackageDeclaration, ...]:
        """Packages of upstreams that have many."""
        return tuple(item for item in self.packages if isinstance(item.source, OpentofuGitSource))

    @cached_property
    def alone(self) -> tuple[PackageDeclaration, ...]:
        """Packages that have an upstream of their own."""
        return tuple(item for item in self.packages if not isinstance(item.source, OpentofuGitSource))

    @cached_property
    def named_there(self) -> frozenset[str]:
        """The namespaces that its packages have where they come from, in lower case."""
        names = (item.source.address for item in self.gathered if isinstance(item.source, OpentofuGitSource))
        return frozenset(name.partition("/")[0].lower() for name in names if name)

    @cached_property
    def looks(self) -> Mapping[str, timedelta]:
        """How often upstreams of many packages are looked at for these, by URL: as the most eager one wants."""
        found: dict[str, timedelta] = {}
        for item in self.gathered:
            if isinstance(item.source, OpentofuGitSource) and not item.suspend:
                found[item.source.url] = min(item.interval, found.get(item.source.url, item.interval))
        return found

    @cached_property
    def is_told_by_commits(self) -> bool:
        """Whether the catalog's commit and those of upstreams of many packages tell when anything is new."""
        told = CatalogSource | OpentofuGitSource
        return all(item.suspend or isinstance(item.source, told) for item in self.packages)


_NOTHING = Part()


@dataclass(frozen=True, kw_only=True)  # no slots: what is worked out is kept
class Catalog:
    """One revision of the catalog, parsed. `revision` is `main@sha1:<40 hex>`, `time` its commit time (RFC 3339, UTC).

    `retention` is the most patient one of all storage classes.

    `parts` are by the namespace of the addresses in them. `discoveries` are in the order of their paths; those that
    can't be acted on are in `idle_discoveries`.
    """

    revision: str
    time: str
    registry: RegistryDeclaration = field(default_factory=RegistryDeclaration)
    parts: Mapping[str, Part] = field(default_factory=dict)
    discoveries: tuple[DiscoveryDeclaration, ...] = ()
    idle_discoveries: tuple[IdleDiscovery, ...] = ()
    retention: Retention = field(default_factory=Retention)

    @cached_property
    def namespaces(self) -> tuple[NamespaceDeclaration, ...]:
        """By name."""
        found = (item for part in self.parts.values() for item in part.namespaces)
        return tuple(sorted(found, key=lambda item: item.name))

    @cached_property
    def packages(self) -> tuple[PackageDeclaration, ...]:
        return tuple(chain.from_iterable(part.packages for part in self.parts.values()))

    @cached_property
    def invalid(self) -> tuple[InvalidPackage, ...]:
        return tuple(chain.from_iterable(part.invalid for part in self.parts.values()))

    def __len__(self) -> int:
        """How many packages are declared."""
        return sum(len(part.packages) + len(part.invalid) for part in self.parts.values())

    def find(self, address: PackageAddress) -> PackageDeclaration | InvalidPackage | None:
        part = self.parts.get(address.namespace)
        return part.by_address.get(address) if part else None


def differing(before: Mapping[str, Part], now: Mapping[str, Part]) -> list[tuple[Part, Part]]:
    """The parts that are not the same objects, each before and now; an empty one where there is none."""
    names = {name for name, part in now.items() if before.get(name) is not part} | (before.keys() - now.keys())
    return [(before.get(name, _NOTHING), now.get(name, _NOTHING)) for name in sorted(names)]


def parts_of(
    packages: Iterable[PackageDeclaration] = (),
    invalid: Iterable[InvalidPackage] = (),
    namespaces: Iterable[NamespaceDeclaration] = (),
) -> dict[str, Part]:
    """These by namespace."""
    found: dict[str, tuple[list[PackageDeclaration], list[InvalidPackage], list[NamespaceDeclaration]]]
    found = defaultdict(lambda: ([], [], []))
    for package in packages:
        found[package.address.namespace][0].append(package)
    for broken in invalid:
        found[broken.address.namespace][1].append(broken)
    for namespace in namespaces:
        found[namespace.name][2].append(namespace)
    return {
        name: Part(packages=tuple(some), invalid=tuple(broken), namespaces=tuple(own))
        for name, (some, broken, own) in found.items()
    }
