"""The index on the shelf: load a snapshot, publish one by compare-and-swap, walk back through the old ones.

Bytes first, pointer last: `index/head` is the only object that changes, and it changes when all that it leads to is
stored. It never looks at blobs and never deletes.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice

from gitopsreg.errors import KeyMissing, PublishHeld, StorageError
from gitopsreg.index import codec
from gitopsreg.index.documents import Document, Documents, Entries, Shard
from gitopsreg.index.head import Head, move_head, read_head
from gitopsreg.index.keys import package_key, root_key, shard_key
from gitopsreg.index.model import Entry, Package, Root, Snapshot
from gitopsreg.index.packages import Packages, Source
from gitopsreg.index.pointer import Pointer
from gitopsreg.index.reading import checked, read_root
from gitopsreg.index.side_by_side import JOBS, in_parts, in_slices, side_by_side
from gitopsreg.index.tree import Content, Tree, says_the_same
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader, BlobStore
from gitopsreg.storage.together import at_once, bulk, get_all, put_all

_FEW = 64  # documents: fewer are shared out among threads, more come in parts
_PART = 4 * 1024 * 1024  # bytes

__all__ = ["Content", "Head", "history", "load", "publish", "read_head"]


def load(
    reader: BlobReader,
    root: Sha256,
    *,
    known: Snapshot | None = None,
    ahead: int | None = None,
    jobs: int = JOBS,
) -> Snapshot:
    """The whole snapshot; what is unchanged since `known` is taken from there and not read again.

    Documents of packages that `known` doesn't have are read now and proven; if they are more than `ahead` (None:
    however many) each is read when it is first asked for instead, and a look-up may raise StorageError.

    Raises StorageError naming the key when a document is missing, torn, altered or not understood: all or nothing.
    """
    if known is not None and known.digest == root:
        return known
    top = read_root(reader, root)
    before = known.packages if known is not None and isinstance(known.packages, Packages) else None
    shards, new = _load_shards(reader, top, known if before else None, jobs)
    documents = before.documents.with_shards(shards) if before else Documents(shards)
    if len(documents) != top.packages:
        raise StorageError(f'"{root_key(root)}" counts {top.packages} packages, its shards list {len(documents)}')
    packages = Packages(documents, Source(reader, before.source if before else None))
    if ahead is None or len(new) <= ahead:
        packages.fill(new, jobs=jobs)
    return Snapshot(digest=root, root=top, packages=packages, entries=Entries(documents))


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
    tree = Tree(content, base=base)
    source = Source(store, base.packages.source if base and isinstance(base.packages, Packages) else None)
    # Also a document that is stored already is written, without a look at it: after a crash or on a bad disk it may not
    # be what its name says, and a collector that goes by age may be about to take it. What `base` has is not in here,
    # so that this is O(change) all the same.
    _store_all(store, (_kept(source, *item) for item in tree.packages()), jobs)
    top = tree.top(head.newest if head else None)
    if base and head and base.digest == head.newest and says_the_same(top.root, base.root):
        if head.root == base.digest:
            return base
        snapshot = base  # an older one was served; now it is this one's turn again
    else:
        _store_all(store, top.written.items(), jobs)
        packages, entries = Packages(top.documents, source), Entries(top.documents)
        snapshot = Snapshot(digest=top.digest, root=top.root, packages=packages, entries=entries)
    move_head(store, _pointer(head, snapshot, fence), head=head)
    return snapshot


def _kept(source: Source, digest: Sha256, data: bytes, package: Package) -> tuple[str, bytes]:
    """The document by its key; its package stays decoded, since whoever publishes it asks for it soon."""
    source.recent.keep(digest, package, len(data))
    return package_key(digest), data


def _store_all(store: BlobStore, documents: Iterable[tuple[str, bytes]], jobs: int) -> None:
    """Many at a time where that is cheaper, but never so many that their bytes fill the memory."""
    store_part, jobs = partial(_store, store), at_once(store, jobs)
    rest = iter(documents)
    first = list(islice(rest, _FEW))
    if len(first) < _FEW:
        working = in_parts(store_part, first, jobs=jobs)
    else:
        working = side_by_side(store_part, _parts(chain(first, rest), bulk(store)), jobs=jobs)
    with working as stored:
        deque(stored, maxlen=0)


def _parts(documents: Iterable[tuple[str, bytes]], most: int) -> Iterator[list[tuple[str, bytes]]]:
    """Of `most` documents each, fewer where they are large."""
    part: list[tuple[str, bytes]] = []
    size = 0
    for key, data in documents:
        part.append((key, data))
        size += len(data)
        if len(part) >= most or size >= _PART:
            yield part
            part, size = [], 0
    if part:
        yield part


def _store(store: BlobStore, documents: Sequence[tuple[str, bytes]]) -> None:
    """Stored and read back: the head may not lead to what a store only said it took."""
    put_all(store, documents)
    for (key, data), found in zip(documents, get_all(store, [key for key, _ in documents]), strict=True):
        if found != data:
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


def _load_shards(
    reader: BlobReader, root: Root, known: Snapshot | None, jobs: int
) -> tuple[dict[str, Shard], list[Document]]:
    """The shards, those that are as in `known` being the same objects; and the documents that are new."""
    before = known.packages.documents if known and isinstance(known.packages, Packages) else Documents({})
    same = set(known.root.shards) & set(root.shards) if known else set()
    shards: dict[str, Shard] = {prefix: before.shards[prefix] for prefix, _ in same}
    missing = [(prefix, digest) for prefix, digest in root.shards if prefix not in shards]
    new: list[Document] = []
    with _read_shards(reader, [digest for _, digest in missing], jobs) as loaded:
        for (prefix, _), entries in zip(missing, loaded, strict=True):
            shards[prefix] = {entry.address: _document(entry, before, new) for entry in entries}
    return {prefix: shards[prefix] for prefix, _ in root.shards}, new


def _document(entry: Entry, before: Documents, new: list[Document]) -> Document:
    known = before.find(entry.address)
    if known is not None and known.entry == entry:
        return known
    document = Document(entry)
    if known is not None and known.entry.digest == entry.digest:
        document.packed = known.packed
    else:
        new.append(document)
    return document


@contextmanager
def _read_shards(reader: BlobReader, digests: Sequence[Sha256], jobs: int) -> Iterator[Iterator[tuple[Entry, ...]]]:
    """In order. Threads only fetch: they wait on the store, while decoding would make them fight."""
    with in_slices(lambda digest: reader.get(shard_key(digest)), digests, jobs=jobs) as fetched:
        pairs = zip(digests, fetched, strict=True)
        yield (checked(shard_key(digest), data, digest, codec.decode_shard) for digest, data in pairs)
