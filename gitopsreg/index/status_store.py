"""The status on the shelf: the registry's own document, and one for each shard of packages.

Status is never a reason to stop: what can't be read counts as not there. It is no part of the index and names nothing
by digest; documents are simply replaced.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from gitopsreg.errors import StorageError
from gitopsreg.index import codec
from gitopsreg.index.codec import StatusIndex
from gitopsreg.index.shards import digits_for, sharded
from gitopsreg.index.status import PackageStatus, RegistryStatus
from gitopsreg.storage.base import BlobReader, BlobStore

_REGISTRY = "status/registry"
_SHARDS = "status/packages/"

_Result = TypeVar("_Result")


def read_status(reader: BlobReader) -> RegistryStatus:
    """What is stored, packages sorted by the text of their addresses; an empty status when nothing is. Never raises."""
    index = _read(reader, _REGISTRY, codec.decode_status)
    if index is None:
        return RegistryStatus()
    shards = (_read(reader, _shard_key(prefix), codec.decode_status_shard) for prefix in index.shards)
    packages = sorted((package for shard in shards for package in shard or ()), key=_address)
    return replace(index.status, packages=tuple(packages))


def write_status(store: BlobStore, status: RegistryStatus, *, known: RegistryStatus | None = None) -> None:
    """Store the documents that differ from `known`: what was read or written last (None: store all).

    Raises StorageError.
    """
    wanted = _documents(status)
    stored = _documents(known) if known else {}
    for key, data in wanted.items():
        if stored.get(key) != data:
            store.put(key, data)
    for key in sorted((stored.keys() if known else set(store.keys(_SHARDS))) - wanted.keys()):
        store.delete(key)


def _documents(status: RegistryStatus) -> dict[str, bytes]:
    """By key, the shards before the document that names them."""
    packages = ((package.address, package) for package in status.packages)
    shards = sharded(packages, digits_for(len(status.packages)))
    documents = {_shard_key(prefix): codec.encode_status_shard(shard) for prefix, shard in shards.items()}
    documents[_REGISTRY] = codec.encode_status(StatusIndex(status=replace(status, packages=()), shards=tuple(shards)))
    return documents


def _shard_key(prefix: str) -> str:
    return f"{_SHARDS}{prefix or 'all'}"


def _address(package: PackageStatus) -> str:
    return str(package.address)


def _read(reader: BlobReader, key: str, decode: Callable[[bytes], _Result]) -> _Result | None:
    try:
        return decode(reader.get(key))
    except StorageError:
        return None
