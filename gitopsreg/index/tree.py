"""From content to the documents that say it: packages, shards, root. Pure: the same content, the same bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gitopsreg.index import codec
from gitopsreg.index.keys import package_key, root_key, shard_key
from gitopsreg.index.model import Entry, Namespace, Package, Retention, Root, Snapshot
from gitopsreg.index.shards import digits_for, entry_of, prefix_of, sharded
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.digest import Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What shall be published: a snapshot before it has a digest."""

    revision: str
    time: str
    hostname: str | None
    namespaces: tuple[Namespace, ...]
    packages: Mapping[PackageAddress, Package]
    retention: Retention | None = None


@dataclass(slots=True)
class Tree:
    """The documents that `base` doesn't have, by key, in the order in which each is named by a later one."""

    documents: dict[str, bytes] = field(default_factory=dict)
    snapshot: Snapshot = field(init=False)

    def add(self, key_of: Callable[[Sha256], str], data: bytes) -> Sha256:
        digest = Sha256.of(data)
        self.documents[key_of(digest)] = data
        return digest


def build(content: Content, *, base: Snapshot | None, previous: Sha256 | None) -> Tree:
    """What to store for `content`; what it shares with `base` is neither encoded nor hashed again."""
    tree = Tree()
    entries = _entries(content, base, tree)
    root = Root(
        revision=content.revision,
        time=content.time,
        packages=len(entries),
        shards=_shards(entries, base, tree),
        hostname=content.hostname,
        namespaces=tuple(sorted(content.namespaces, key=lambda namespace: namespace.name)),
        retention=content.retention,
        previous=previous,
    )
    digest = tree.add(root_key, codec.encode_root(root))
    packages = {address: content.packages[address] for address in entries}
    tree.snapshot = Snapshot(digest=digest, root=root, packages=packages, entries=entries)
    return tree


def says_the_same(root: Root, other: Root) -> bool:
    """Whether two roots differ in their history at most."""
    return replace(root, previous=other.previous) == other


def _entries(content: Content, base: Snapshot | None, tree: Tree) -> dict[PackageAddress, Entry]:
    entries = {}
    for address in sorted(content.packages, key=str):
        package = content.packages[address]
        entry = base.entries.get(address) if base else None
        if base is None or entry is None or base.packages.get(address) != package:
            entry = entry_of(package, tree.add(package_key, codec.encode_package(package)))
        entries[address] = entry
    return entries


def _shards(entries: dict[PackageAddress, Entry], base: Snapshot | None, tree: Tree) -> tuple[tuple[str, Sha256], ...]:
    digits = digits_for(len(entries))
    kept = _kept_shards(entries, base, digits)
    return tuple(
        (prefix, kept.get(prefix) or tree.add(shard_key, codec.encode_shard(shard)))
        for prefix, shard in sharded(entries.items(), digits).items()
    )


def _kept_shards(entries: dict[PackageAddress, Entry], base: Snapshot | None, digits: int) -> dict[str, Sha256]:
    """The shards of `base` that hold exactly what they shall hold."""
    if base is None or len(base.entries) != base.root.packages or digits_for(base.root.packages) != digits:
        return {}
    changed = {
        prefix_of(address, digits)
        for address in entries.keys() | base.entries.keys()
        if entries.get(address) != base.entries.get(address)
    }
    return {prefix: digest for prefix, digest in base.root.shards if prefix not in changed}
