"""How many packages a snapshot's catalog declared: its root counts the archived ones too, its shards know them."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from gitopsreg.errors import StorageError
from gitopsreg.index import codec
from gitopsreg.index.keys import shard_key
from gitopsreg.index.model import Root, Snapshot
from gitopsreg.index.reading import checked
from gitopsreg.index.side_by_side import JOBS, side_by_side
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader


def served(snapshot: Snapshot | None) -> int:
    """How many packages of a loaded snapshot are not archived."""
    return sum(not entry.archived for entry in snapshot.entries.values()) if snapshot else 0


def census(reader: BlobReader, roots: Iterable[Root], *, jobs: int = JOBS) -> Iterator[int | None]:
    """One number a root, in order; None where a shard can't be read. Each shard is read once, and most are shared."""
    tops = list(roots)
    shards = dict.fromkeys(digest for root in tops for _, digest in root.shards)
    with side_by_side(lambda digest: _declared(reader, digest), shards, jobs=jobs) as declared:
        counts = dict(zip(shards, declared, strict=True))
    for root in tops:
        of_root = [counts[digest] for _, digest in root.shards]
        known = [count for count in of_root if count is not None]
        yield sum(known) if len(known) == len(of_root) else None


def _declared(reader: BlobReader, digest: Sha256) -> int | None:
    key = shard_key(digest)
    with suppress(StorageError):
        return sum(not entry.archived for entry in checked(key, reader.get(key), digest, codec.decode_shard))
    return None
