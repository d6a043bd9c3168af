"""The index on the shelf: load a snapshot, publish one by compare-and-swap, walk back through the old ones.

Bytes first, pointer last: `index/head` is the only object that changes, and it changes when all that it leads to is
stored. It never looks at blobs and never deletes.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TypeVar

from gitopsreg.errors import KeyMissing, PublishHeld, StorageError
from gitopsreg.index import codec
from gitopsreg.index.head import Head, move_head, read_head
from gitopsreg.index.keys import package_key, root_key, shard_key
from gitopsreg.index.model import Entry, Package, Root, Snapshot
from gitopsreg.index.pointer import Pointer
from gitopsreg.index.reading import checked, read_root
from gitopsreg.index.shards import prefix_of
from gitopsreg.index.side_by_side import JOBS, side_by_side
from gitopsreg.index.tree import Content, build, says_the_same
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader, BlobStore

__all__ = ["Content", "Head", "history", "load", "publish", "read_head"]


_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def load(reader: BlobReader, root: Sha256, *, known: Snapshot | None = None, jobs: int = JOBS) -> Snapshot:
    """The whole snapshot; what is unchanged since `known` is taken from there and not read again.

    Raises StorageError naming the key when a document is missing, torn, altered or not understood: all or nothing.
    """
    if known is not None and known.digest == root:
        return known
    top = read_root(reader, root)
    entries = _load_entries(reader, top, known, jobs)
    if len(entries) != top.packages:
        raise StorageError(f'"{root_key(root)}" counts {top.packages} packages, its shards list {len(entries)}')
    packages = _load_packages(reader, entries, known, jobs)
    return Snapshot(digest=root, root=top, packages=packages, entries=entries)


def publish(
    store: BlobStore,
    content: Content,
    *,
    base: Snapshot | None,
    head: Head | None,
    fence: int = 0,
    now: str = "",
    jobs: int = JOBS,
) -> Snapshot:
    """Store what `base` doesn't have, then move the head. Content equal to what is served writes nothing, gives `base`.

    `head` is the pointer that this change was built on (None: nothing published yet), `base` the snapshot of its newest
    root; None when it could not be loaded, then everything is stored again. `fence` is the epoch of the lease, `now`
    RFC 3339 (without it a hold never ends by itself).

    Raises PublishConflict when the head has moved, PublishHeld, LostLease, StorageError.
    """
    if head and (hold := head.hold_at(now)):
        raise PublishHeld(f"nothing is published: {hold}")
    tree = build(content, base=base, previous=head.newest if head else None)
    snapshot, documents = tree.snapshot, list(tree.documents.items())
    if base and head and base.digest == head.newest and says_the_same(snapshot.root, base.root):
        if head.root == base.digest:
            return base
        snapshot, documents = base, []  # an older one was served; now it is this one's turn again
    pointer = _pointer(head, snapshot, fence)
    # Also a document that is stored already is written, without a look at it: after a crash or on a bad disk it may not
    # be what its name says, and a collector that goes by age may be about to take it. What `base` has is not in here,
    # so that this is O(change) all the same.
    with _each(lambda document: _store(store, *document), documents, jobs) as stored:
        for _ in stored:
            pass
    move_head(store, pointer, head=head)
    return snapshot


def _store(store: BlobStore, key: str, data: bytes) -> None:
    """Stored and read back: the head may not lead to what a store only said it took."""
    store.put(key, data)
    if store.get(key) != data:
        raise StorageError(f'"{key}" reads back as other bytes than were written: check the store')


def _pointer(head: Head | None, snapshot: Snapshot, fence: int) -> Pointer:
    if head is None:
        return Pointer(root=snapshot.digest, revision=snapshot.root.revision, epoch=1, fence=fence)
    return head.moved(fence=fence, root=snapshot.digest, revision=snapshot.root.revision, ledger=None, hold=None)


def history(reader: BlobReader, head: Head, limit: int = 50) -> Iterator[tuple[Sha256, Root]]:
    """The newest root and those before it, newest first, as far back as they are kept: a rolled back one too.

    Raises StorageError.
    """
    digest: Sha256 | None = head.newest
    for _ in range(limit):
        if digest is None:
            return
        try:
            root = read_root(reader, digest)
        except KeyMissing:
            if digest == head.newest:  # this one must be there
                raise
            return
        yield digest, root
        digest = root.previous


def _load_entries(reader: BlobReader, root: Root, known: Snapshot | None, jobs: int) -> dict[PackageAddress, Entry]:
    """All entries in the order of their addresses' text."""
    found = _known_entries(root, known)
    digests = [digest for prefix, digest in root.shards if prefix not in found]
    with _read_all(reader, shard_key, digests, codec.decode_shard, jobs) as shards:
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
    with _read_all(reader, package_key, [entry.digest for entry in changed], codec.decode_package, jobs) as loaded:
        for entry, package in zip(changed, loaded, strict=True):
            if package.address != entry.address:
                raise StorageError(f'"{package_key(entry.digest)}" is "{package.address}", not "{entry.address}"')
            packages[entry.address] = package
    return {address: packages[address] for address in entries}


@contextmanager
def _read_all(
    reader: BlobReader,
    key_of: Callable[[Sha256], str],
    digests: Sequence[Sha256],
    decode: Callable[[bytes], _Result],
    jobs: int,
) -> Iterator[Iterator[_Result]]:
    """Documents in order. Threads only fetch: they wait on the store, while decoding would make them fight."""
    with _each(lambda digest: reader.get(key_of(digest)), digests, jobs) as fetched:
        pairs = zip(digests, fetched, strict=True)
        yield (checked(key_of(digest), data, digest, decode) for digest, data in pairs)


@contextmanager
def _each(function: Callable[[_Item], _Result], items: Sequence[_Item], jobs: int) -> Iterator[Iterator[_Result]]:
    """In order; the first error ends it and nothing new is begun. Slices, because handing over an item costs too."""
    if len(items) < 2:
        yield map(function, items)
        return
    step = min(64, -(-len(items) // jobs))
    slices = [items[start : start + step] for start in range(0, len(items), step)]
    with side_by_side(lambda part: [function(item) for item in part], slices, jobs=jobs) as results:
        yield chain.from_iterable(results)
