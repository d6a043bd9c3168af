"""The index on the shelf: load a snapshot, publish one by compare-and-swap, walk back through the old ones.

Bytes first, pointer last: `index/head` is the only object that changes, and it changes when all that it leads to is
stored. It never looks at blobs and never deletes.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from gitopsreg.errors import KeyMissing, StorageError
from gitopsreg.index import codec
from gitopsreg.index.keys import HEAD, package_key, root_key, shard_key
from gitopsreg.index.model import Entry, Package, Root, Snapshot
from gitopsreg.index.shards import prefix_of
from gitopsreg.index.tree import Content, build, says_the_same
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader, BlobStore, Token

__all__ = ["Content", "Head", "history", "load", "publish", "read_head"]

_JOBS = 8  # stores wait on disks and networks, not on us

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The pointer as read: `token` is what the next publish must still find."""

    root: Sha256
    revision: str
    epoch: int
    token: Token


def read_head(reader: BlobReader) -> Head | None:
    """None while nothing was published. Raises StorageError."""
    try:
        data, token = reader.get_with_token(HEAD)
    except KeyMissing:
        return None
    pointer = _decoded(HEAD, data, codec.decode_head)
    return Head(root=pointer.root, revision=pointer.revision, epoch=pointer.epoch, token=token)


def load(reader: BlobReader, root: Sha256, *, known: Snapshot | None = None, jobs: int = _JOBS) -> Snapshot:
    """The whole snapshot; what is unchanged since `known` is taken from there and not read again.

    Raises StorageError naming the key when a document is missing, torn, altered or not understood: all or nothing.
    """
    if known is not None and known.digest == root:
        return known
    top = _read_root(reader, root)
    entries = _load_entries(reader, top, known, jobs)
    if len(entries) != top.packages:
        raise StorageError(f'"{root_key(root)}" counts {top.packages} packages, its shards list {len(entries)}')
    packages = _load_packages(reader, entries, known, jobs)
    return Snapshot(digest=root, root=top, packages=packages, entries=entries)


def publish(
    store: BlobStore, content: Content, *, base: Snapshot | None, head: Head | None, jobs: int = _JOBS
) -> Snapshot:
    """Store what `base` doesn't have, then move the head. Content equal to the head's writes nothing, returns `base`.

    `head` is the pointer that this change was built on (None: nothing published yet), `base` its snapshot; None when it
    could not be loaded, then everything is stored again. Raises PublishConflict when the head has moved, StorageError.
    """
    tree = build(content, base=base, previous=head.root if head else None)
    if base and head and base.digest == head.root and says_the_same(tree.snapshot.root, base.root):
        return base
    # Also a document that is stored already is written, without a look at it: after a crash or on a bad disk it may not
    # be what its name says, and a collector that goes by age may be about to take it. What `base` has is not in here,
    # so that this is O(change) all the same.
    for _ in _each(lambda document: store.put(*document), list(tree.documents.items()), jobs):
        pass
    pointer = codec.Pointer(root=tree.snapshot.digest, revision=content.revision, epoch=head.epoch + 1 if head else 1)
    store.replace(HEAD, codec.encode_head(pointer), expected=head.token if head else None)
    return tree.snapshot


def history(reader: BlobReader, head: Head, limit: int = 50) -> Iterator[tuple[Sha256, Root]]:
    """The head's root and those before it, newest first, as far back as they are kept. Raises StorageError."""
    digest: Sha256 | None = head.root
    for _ in range(limit):
        if digest is None:
            return
        try:
            root = _read_root(reader, digest)
        except KeyMissing:
            if digest == head.root:  # this one must be there
                raise
            return
        yield digest, root
        digest = root.previous


def _load_entries(reader: BlobReader, root: Root, known: Snapshot | None, jobs: int) -> dict[PackageAddress, Entry]:
    """All entries in the order of their addresses' text."""
    found = _known_entries(root, known)
    digests = [digest for prefix, digest in root.shards if prefix not in found]
    shards = _read_all(reader, shard_key, digests, codec.decode_shard, jobs)
    entries = [*found.values(), *shards]
    flat = sorted((entry for shard in entries for entry in shard), key=lambda entry: str(entry.address))
    return {entry.address: entry for entry in flat}


def _known_entries(root: Root, known: Snapshot | None) -> dict[str, list[Entry]]:
    """The entries of the shards that `known` has too, by prefix."""
    if known is None or len(known.entries) != known.root.packages:
        return {}
    same: dict[str, list[Entry]] = {prefix: [] for prefix, _ in set(root.shards) & set(known.root.shards)}
    digits = len(next(iter(same), ""))
    for address, entry in known.entries.items() if same else ():
        if (prefix := prefix_of(address, digits)) in same:
            same[prefix].append(entry)
    return same


def _load_packages(
    reader: BlobReader, entries: dict[PackageAddress, Entry], known: Snapshot | None, jobs: int
) -> dict[PackageAddress, Package]:
    before = known.entries if known else {}
    changed = [entry for address, entry in entries.items() if before.get(address) != entry]
    packages = dict(known.packages) if known else {}
    loaded = _read_all(reader, package_key, [entry.digest for entry in changed], codec.decode_package, jobs)
    for entry, package in zip(changed, loaded, strict=True):
        if package.address != entry.address:
            raise StorageError(f'"{package_key(entry.digest)}" is "{package.address}", not "{entry.address}"')
        packages[entry.address] = package
    return {address: packages[address] for address in entries}


def _read_all(
    reader: BlobReader,
    key_of: Callable[[Sha256], str],
    digests: Sequence[Sha256],
    decode: Callable[[bytes], _Result],
    jobs: int,
) -> Iterator[_Result]:
    """Documents in order. Threads only fetch: they wait on the store, while decoding would make them fight."""
    fetched = _each(lambda digest: reader.get(key_of(digest)), digests, jobs)
    for digest, data in zip(digests, fetched, strict=True):
        yield _checked(key_of(digest), data, digest, decode)


def _read_root(reader: BlobReader, digest: Sha256) -> Root:
    key = root_key(digest)
    return _checked(key, reader.get(key), digest, codec.decode_root)


def _checked(key: str, data: bytes, digest: Sha256, decode: Callable[[bytes], _Result]) -> _Result:
    if Sha256.of(data) != digest:
        raise StorageError(f'"{key}" is torn or altered: restore the document whose sha256 is its name')
    return _decoded(key, data, decode)


def _decoded(key: str, data: bytes, decode: Callable[[bytes], _Result]) -> _Result:
    try:
        return decode(data)
    except StorageError as error:
        raise StorageError(f'"{key}" can\'t be used: {error}') from error


def _each(function: Callable[[_Item], _Result], items: Sequence[_Item], jobs: int) -> Iterator[_Result]:
    """In order; the first error ends it and nothing new is begun. Slices, because handing over an item costs too."""
    if jobs == 1 or len(items) < 2:
        yield from map(function, items)
        return
    step = min(64, -(-len(items) // jobs))
    slices = [items[start : start + step] for start in range(0, len(items), step)]
    with ThreadPoolExecutor(min(jobs, len(slices)), thread_name_prefix="index") as pool:
        for results in pool.map(lambda part: [function(item) for item in part], slices):
            yield from results
