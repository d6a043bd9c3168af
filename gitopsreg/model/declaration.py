"""What the catalog declares, after defaults: effective specs. Built by catalog.declarations, used by reconcile."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from gitopsreg.model.address import ModuleAddress, Platform, ProviderAddress
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
