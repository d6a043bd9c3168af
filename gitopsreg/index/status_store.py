"""The status on the shelf: the registry's own document, and one for each shard of packages.

Status is never a reason to stop: what can't be read counts as not there. It is no part of the index and names nothing
by digest; documents are simply replaced.
"""

from collections.abc import Callable
from typing import TypeVar

from gitopsreg.errors import StorageError
from gitopsreg.index import codec
from gitopsreg.index.codec import StatusIndex
from gitopsreg.index.status import RegistrySummary
from gitopsreg.index.statuses import PackageStatuses, RegistryStatus, with_packages
from gitopsreg.storage.base import BlobReader, BlobStore

_REGISTRY = "status/registry"
_SHARDS = "status/packages/"

_Result = TypeVar("_Result")


def read_status(reader: BlobReader, *, known: RegistryStatus | None = None) -> RegistryStatus:
    """What is stored; an empty status when nothing is. Never raises.

    `known` is what was read or written last: while the registry's own document says the same, it still holds.
    """
    index = _read(reader, _REGISTRY, codec.decode_status)
    if index is None:
        return RegistryStatus()
    if known is not None and index.status == known.summary:
        return known
    shards = (_read(reader, _shard_key(prefix), codec.decode_status_shard) for prefix in index.shards)
    packages = PackageStatuses.of(package for shard in shards for package in shard or ())
    return with_packages(index.status, packages)


def read_summary(reader: BlobReader) -> RegistrySummary:
    """What is stored of the registry as a whole, without its packages. Never raises."""
    index = _read(reader, _REGISTRY, codec.decode_status)
    return index.status if index else RegistrySummary()


def write_summary(store: BlobStore, summary: RegistrySummary) -> None:
    """Store what is known of the registry as a whole; its packages stay as they are. Raises StorageError."""
    index = _read(store, _REGISTRY, codec.decode_status)
    store.put(_REGISTRY, codec.encode_status(StatusIndex(status=summary, shards=index.shards if index else ())))


def write_status(store: BlobStore, status: RegistryStatus, *, known: RegistryStatus | None = None) -> None:
    """Store what differs from `known`: what was read or written last (None: store all).

    The registry's own document comes last: who sees it finds the packages that it speaks of. Raises StorageError.
    """
    shards = status.packages.shards
    for prefix in sorted(status.packages.differing(known.packages) if known else shards):
        store.put(_shard_key(prefix), codec.encode_status_shard(shards[prefix].in_order))
    summary = _summary(status)
    if known is None or summary != _summary(known):
        store.put(_REGISTRY, summary)
    there = set(store.keys(_SHARDS)) if known is None else {_shard_key(prefix) for prefix in known.packages.shards}
    for key in sorted(there - {_shard_key(prefix) for prefix in shards}):
        store.delete(key)


def _summary(status: RegistryStatus) -> bytes:
    return codec.encode_status(StatusIndex(status=status.summary, shards=tuple(status.packages.shards)))


def _shard_key(prefix: str) -> str:
    return f"{_SHARDS}{prefix or 'all'}"


def _read(reader: BlobReader, key: str, decode: Callable[[bytes], _Result]) -> _Result | None:
    try:
        return decode(reader.get(key))
    except StorageError:
        return None
