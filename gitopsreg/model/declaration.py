"""What the catalog declares, after defaults: effective specs. Built by catalog.declarations, used by reconcile."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from gitopsreg.model.address import ModuleAddress, PackageAddress, Platform, ProviderAddress
from gitopsreg.model.constraint import Constraint
from gitopsreg.model.digest import Sha256
from gitopsreg.model.pattern import Pattern
from gitopsreg.model.version import Version

ArchiveFormat = Literal["tar.gz", "zip"]
Visibility = Literal["listed", "hidden"]
Completeness = Literal["all-in-checksums", "required-platforms"]
KeyStatus = Literal["active", "retired", "revoked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GitSource:
    """Tags of any Git repository. `path` is "" or a sub-directory; `tag_prefix` None means an optional "v"."""

    url: str
    path: str = ""
    tag_prefix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSource:
    """Folders of the catalog commit itself, one a version, named by the pins.

    `path` is "" or a module's sub-directory inside each of those folders (the rest of the folder is its surroundings).
    """

    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpentofuGitSource:
    """A Git repository laid out like opentofu/registry. `address` is what the package is called there, as its files
    write it (`Azure/aks/azurerm`); "" is the package's own address, in whatever letters.
    """

    url: str
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsupportedSource:
    """A source type that the catalog may declare and this release does not act on (`release-assets`, `http`, …)."""

    type: str


Source = GitSource | CatalogSource | OpentofuGitSource | UnsupportedSource
# store: our copy is served · reference: clients fetch it where it is
ContentDelivery = Literal["store", "reference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One version tied to its content. `path` (catalog sources) is relative to the catalog root."""

    version: Version
    commit: str | None = None
    sha256: Sha256 | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Yank:
    """Withdrawn but kept: `listed` stays in the list with a warning, `hidden` answers only by exact URL."""

    version: Version
    reason: str
    visibility: Visibility = "listed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Not served at all: malware, leaked secrets. `versions` is a constraint (an exact version is one too)."""

    versions: Constraint
    reason: str
    severity: str = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecation:
    """`since` is a date, `replacement` an address without kind (`platform/network/aws`)."""

    message: str
    replacement: str | None = None
    since: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRules:
    """Which of the upstream's versions are published; applied in the order of the fields. `keep_latest` 0 keeps all."""

    include: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()
    constraint: Constraint | None = None
    prereleases: bool = False
    blocked: tuple[Block, ...] = ()
    keep_latest: int = 0
    pins: tuple[Pin, ...] = ()
    yanked: tuple[Yank, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageClass:
    """Where the bytes of new versions go, and how those of all versions are handed out.

    `backend` is a name from the operator's settings ("" is the registry's own store). `folder` has no slash at its
    ends.
    """

    name: str
    backend: str
    folder: str
    serve: Literal["redirect", "proxy"]
    link_lifetime: timedelta
    archive_format: ArchiveFormat = "tar.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What modules and providers share. `spec_digest` covers the effective spec (after defaults): its generation.

    `storage` None is the top of the registry's own store. `suspended_by` says why a package is suspended whose own file
    doesn't say so.
    """

    path: str
    source: Source
    versions: VersionRules
    spec_digest: Sha256
    description: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    deprecation: Deprecation | None = None
    suspend: bool = False
    suspended_by: str = ""
    interval: timedelta = timedelta(minutes=15)
    timeout: timedelta = timedelta(minutes=5)
    storage: StorageClass | None = None
    delivery: ContentDelivery = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleDeclaration(Declared):
    address: ModuleAddress
    archive_format: ArchiveFormat = "tar.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDeclaration(Declared):
    """`protocols` stand in where a release has no manifest; `keys` name SigningKeys of the namespace."""

    address: ProviderAddress
    protocols: tuple[str, ...] = ("5.0",)
    platforms: tuple[Platform, ...] = ()
    completeness: Completeness = "all-in-checksums"
    keys: tuple["SigningKey", ...] = ()


PackageDeclaration = ModuleDeclaration | ProviderDeclaration


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryDeclaration:
    """Packages of a registry in a Git repository (`url`) that are declared by being there: those of `namespaces` there
    (lower case; the first one wins where names clash) whose name `pattern` admits (None: any name).

    `templates`, one for each kind that is wanted, are what holds for a package: with its address and its source in them
    they are its declaration. `suspended_by` says why nothing is looked for ("" when it is).
    """

    namespace: str
    name: str
    path: str
    url: str
    namespaces: tuple[str, ...]
    templates: tuple[PackageDeclaration, ...]
    pattern: Pattern | None = None
    approval: Literal["pending", "auto"] = "pending"
    max_packages: int = 200
    on_disappear: Literal["keep", "archive"] = "keep"
    interval: timedelta = timedelta(hours=1)
    suspended_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleDiscovery:
    """A discovery that can't be acted on: what it found before is never removed for that. `reason` is CamelCase."""

    namespace: str
    path: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """An OpenPGP key. `providers` () means every provider of the namespace, `versions` None every version."""

    namespace: str
    name: str
    fingerprint: str
    public_key: str
    status: KeyStatus = "active"
    providers: tuple[str, ...] = ()
    versions: Constraint | None = None

    def covers(self, address: ProviderAddress, version: Version) -> bool:
        """Whether this key may vouch for the version: the right provider, inside its range."""
        right_provider = not self.providers or address.type in self.providers
        return right_provider and (self.versions is None or self.versions.admits(version, prereleases=True))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """One revision of the catalog, parsed. `revision` is `main@sha1:<40 hex>`, `time` its commit time (RFC 3339, UTC).

    `retention` is the most patient one of all storage classes.

    Every declared package is in exactly one of `packages` and `invalid`. `discoveries` are in the order of their paths;
    those that can't be acted on are in `idle_discoveries`.
    """

    revision: str
    time: str
    registry: RegistryDeclaration = field(default_factory=RegistryDeclaration)
    namespaces: tuple[NamespaceDeclaration, ...] = ()
    packages: tuple[PackageDeclaration, ...] = ()
    invalid: tuple[InvalidPackage, ...] = ()
    discoveries: tuple[DiscoveryDeclaration, ...] = ()
    idle_discoveries: tuple[IdleDiscovery, ...] = ()
    retention: Retention = field(default_factory=Retention)
