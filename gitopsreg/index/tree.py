"""From content to the documents that say it: packages, shards, root. Pure: the same content, the same bytes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from gitopsreg.index import codec
from gitopsreg.index.changed import Changed
from gitopsreg.index.documents import Document, Documents, Shard
from gitopsreg.index.keys import root_key, shard_key
from gitopsreg.index.model import Namespace, Package, Retention, Root, Snapshot
from gitopsreg.index.packages import Packages
from gitopsreg.index.shards import entry_of
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.digest import Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What shall be published: a snapshot before it has a digest.

    `packages` are all of them; as a `Changed` of the base's they cost no more than what changed.
    """

    revision: str
    time: str
    hostname: str | None
    namespaces: tuple[Namespace, ...]
    packages: Mapping[PackageAddress, Package]
    retention: Retention | None = None


class Tree:
    """What to store for `content`: what it shares with `base` is neither encoded nor hashed again.

    First all `packages`, one after the other, so that nobody need hold them all; then what leads to them.
    """

    def __init__(self, content: Content, *, base: Snapshot | None) -> None:
        known = base.packages if base else None
        self._content = content
        self._before = known.documents if isinstance(known, Packages) else Documents({})
        self._digests = dict(base.root.shards) if base and isinstance(known, Packages) else {}
        self._given, self._changes = _given(content.packages, known if isinstance(known, Packages) else None)

    def packages(self) -> Iterator[tuple[Sha256, bytes, Package]]:
        """Digest, bytes and value of each package that is not as in the base."""
        for address in sorted(self._given, key=str):
            package = self._given[address]
            data = codec.encode_package(package)
            digest = Sha256.of(data)
            before = self._before.find(address)
            if before is None or before.entry.digest != digest:
                self._changes[address] = Document(entry_of(package, digest))
                yield digest, data, package

    def top(self, previous: Sha256 | None) -> "Top":
        """Once all packages were gone through. `previous` is the root that this one replaces."""
        documents = self._before.changed(self._changes)
        written: dict[str, bytes] = {}
        root = Root(
            revision=self._content.revision,
            time=self._content.time,
            packages=len(documents),
            shards=tuple((prefix, self._shard(prefix, shard, written)) for prefix, shard in documents.shards.items()),
            hostname=self._content.hostname,
            namespaces=tuple(sorted(self._content.namespaces, key=lambda namespace: namespace.name)),
            retention=self._content.retention,
            previous=previous,
        )
        digest = _add(written, root_key, codec.encode_root(root))
        return Top(digest=digest, root=root, documents=documents, written=written)

    def _shard(self, prefix: str, shard: Shard, written: dict[str, bytes]) -> Sha256:
        if self._before.shards.get(prefix) is shard and prefix in self._digests:
            return self._digests[prefix]
        entries = sorted((document.entry for document in shard.values()), key=lambda entry: str(entry.address))
        return _add(written, shard_key, codec.encode_shard(tuple(entries)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """A root with what it leads to; `written` are the documents above packages that the base doesn't have, by key, in
    the order in which each is named by a later one.
    """

    digest: Sha256
    root: Root
    documents: Documents
    written: Mapping[str, bytes]


def says_the_same(root: Root, other: Root) -> bool:
    """Whether two roots differ in their history at most."""
    return replace(root, previous=other.previous) == other


def _given(
    packages: Mapping[PackageAddress, Package], known: Packages | None
) -> tuple[Mapping[PackageAddress, Package], dict[PackageAddress, Document | None]]:
    """The packages that may differ from the known ones, and what is known and no longer there."""
    if known is None:
        return packages, {}
    if packages is known:
        return {}, {}
    if isinstance(packages, Changed) and packages.before is known:
        return packages.given, {}
    return packages, {address: None for address in known if address not in packages}


def _add(documents: dict[str, bytes], key_of: Callable[[Sha256], str], data: bytes) -> Sha256:
    digest = Sha256.of(data)
    documents[key_of(digest)] = data
    return digest
