"""What is published: packages with their versions, tombstones included. The package document *is* the ledger.

A version's content (`origin`, digests, sizes) is fixed when it is first seen and never changes; only its `listing`,
`yanked` and the package's own words follow the catalog.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gitopsreg.model.address import ModuleAddress, PackageAddress, Platform, ProviderAddress
from gitopsreg.model.declaration import Deprecation
from gitopsreg.model.digest import Sha256
from gitopsreg.model.quick import quick
from gitopsreg.model.version import Version

# listed: in lists and downloads · hidden: yanked out of the lists, downloads answer · archived: the catalog no longer
# asks for it, downloads answer, restorable · blocked: not served at all
Listing = Literal["listed", "hidden", "archived", "blocked"]


@quick
@dataclass(frozen=True, slots=True, order=True)
class Blob:
    """Stored bytes: `blobs/<sha256>`; size in bytes."""

    sha256: Sha256
    size: int


@quick
@dataclass(frozen=True, slots=True)
class Remote:
    """Bytes that stay where they are: clients fetch them at `url`, for a module an address of go-getter's
    (`git::https://…?ref=<commit>`). `sha256` is None where the upstream records none.
    """

    url: str
    sha256: Sha256 | None = None


# What a version is made of: ours to serve, or somebody else's.
Content = Blob | Remote


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a version came from, for auditors and for noticing that the upstream changed.

    `url` is a Git URL (never with credentials) or "catalog"; `ref` the tag (`vpc/v1.4.2`) or the folder; `commit` and
    `tree` are 40 hex digits (`commit` "" where nobody recorded it, `tree` of what is listed in a registry a digest of
    what its file records); `path` is the sub-directory ("" for the whole tree).
    """

    url: str
    ref: str
    commit: str
    tree: str
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where bytes lie beside the index: a back end's name ("" is the registry's own store) and a folder in it, which
    has no slash at its ends ("" is its top).
    """

    backend: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How clients get a package's bytes: by a link that the store signs and that lives `ttl` seconds, or through us."""

    serve: Literal["redirect", "proxy"]
    ttl: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedVersion:
    """What versions of modules and providers share. `published` is RFC 3339 in UTC, from the commit.

    `shelf` is where the bytes were stored when the version was first seen (None: the top of the registry's own store);
    it stays when the catalog names another storage class. `discarded` is when they were let go, for good: such a
    version is archived, and only its tombstone is left.
    """

    version: Version
    published: str
    origin: Origin
    listing: Listing = "listed"
    yanked: str | None = None
    blocked: str | None = None
    shelf: Shelf | None = None
    discarded: str | None = None

    @property
    def downloadable(self) -> bool:
        return self.listing != "blocked" and self.discarded is None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleVersion(PublishedVersion):
    """`subdirectory` is where the module lies inside a stored archive ("" at its root); a remote's URL says it."""

    archive: Content
    archive_format: Literal["tar.gz", "zip"] = "tar.gz"
    subdirectory: str = ""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderBuild:
    """One platform's zip; its sha256 is known wherever it lies. `h1` is the zip form of the hash (every entry counts),
    "" of a zip that was never here.
    """

    platform: Platform
    filename: str
    zip: Content
    h1: str = ""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key that vouches for a version: `key_id` is 16 upper-case hex digits, `armor` one ASCII-armored block."""

    key_id: str
    armor: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderVersion(PublishedVersion):
    """`keys` are only those whose scope covers this version, the one that signed it first."""

    protocols: tuple[str, ...]
    builds: tuple[ProviderBuild, ...]
    checksums: Content
    checksums_filename: str
    signature: Content
    keys: tuple[PublicKey, ...]

    def build(self, platform: Platform) -> ProviderBuild | None:
        return next((build for build in self.builds if build.platform == platform), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageBase:
    """`archived` is when it was first seen that the catalog no longer declares the package, else None. `delivery` None
    leaves it to the server.
    """

    source: str = ""
    description: str = ""
    deprecation: Deprecation | None = None
    archived: str | None = None
    delivery: Delivery | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModulePackage(PackageBase):
    """Versions are sorted, oldest first, and hold every version ever published."""

    address: ModuleAddress
    versions: tuple[ModuleVersion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPackage(PackageBase):
    """Versions are sorted, oldest first, and hold every version ever published. `warnings` are the upstream's own words
    to whoever uses it.
    """

    address: ProviderAddress
    versions: tuple[ProviderVersion, ...] = ()
    warnings: tuple[str, ...] = ()


Package = ModulePackage | ProviderPackage


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """What the server needs to know of a namespace."""

    name: str
    display_name: str = ""
    aliases: tuple[str, ...] = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A package as its shard lists it: the digest of its document and what lists and search need.

    `stored` is what it has of bytes in stores, so that few documents need be looked into: "nothing"; "plainly": at the
    top of the registry's own store, all of it to be had; "otherwise": some of it elsewhere, delivered in a way of its
    own, blocked or discarded. "" is not known: an older release wrote it.
    """

    address: PackageAddress
    digest: Sha256
    description: str = ""
    latest: str | None = None
    archived: bool = False
    stored: Literal["", "nothing", "plainly", "otherwise"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What a collection keeps: all that the newest `snapshots` name, and everything younger than `grace` seconds."""

    snapshots: int
    grace: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """The top of one snapshot. `shards` maps a prefix of hex digits ("" , "a", "a7") to its document's digest.

    `revision` is the catalog's (`main@sha1:…`), `time` its commit time; `previous` the root it replaced.
    """

    revision: str
    time: str
    packages: int
    shards: tuple[tuple[str, Sha256], ...]
    hostname: str | None = None
    namespaces: tuple[Namespace, ...] = ()
    retention: Retention | None = None
    previous: Sha256 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One complete state of the registry. `digest` is the root's; `packages` are keyed by address, and those of a store
    are decoded when they are asked for (see `packages`).

    `entries` are what the shards say of the same packages; without them a publish encodes every package again.
    """

    digest: Sha256
    root: Root
    packages: Mapping[PackageAddress, Package] = field(default_factory=dict)
    entries: Mapping[PackageAddress, Entry] = field(default_factory=dict, repr=False, compare=False)
