"""The status on the shelf: the registry's own document, and one for each shard of packages.

Status is never a reason to stop: what can't be read counts as not there. It is no part of the index and names nothing
by digest; documents are simply replaced.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import TypeVar

from gitopsreg.errors import StorageError
from gitopsreg.index import codec
from gitopsreg.index.codec import StatusIndex
from gitopsreg.index.shards import digits_for, prefix_of
from gitopsreg.index.status import PackageStatus, RegistryStatus
from gitopsreg.model.address import PackageAddress
from gitopsreg.storage.base import BlobReader, BlobStore

_REGISTRY = "status/registry"
_SHARDS = "status/packages/"

_Result = TypeVar("_Result")


def read_status(reader: BlobReader, *, known: RegistryStatus | None = None) -> RegistryStatus:
    """What is stored, packages sorted by the text of their addresses; an empty status when nothing is. Never raises.

    `known` is what was read or written last: while the registry's own document says the same, it still holds.
    """
    index = _read(reader, _REGISTRY, codec.decode_status)
    if index is None:
        return RegistryStatus()
    if known is not None and index.status == _alone(known):
        return known
    shards = (_read(reader, _shard_key(prefix), codec.decode_status_shard) for prefix in index.shards)
    packages = sorted((package for shard in shards for package in shard or ()), key=_address)
    return replace(index.status, packages=tuple(packages))


def read_summary(reader: BlobReader) -> RegistryStatus:
    """What is stored of the registry as a whole, without its packages. Never raises."""
    index = _read(reader, _REGISTRY, codec.decode_status)
    return index.status if index else RegistryStatus()


def write_summary(store: BlobStore, summary: RegistryStatus) -> None:
    """Store what is known of the registry as a whole; its packages stay as they are. Raises StorageError."""
    index = _read(store, _REGISTRY, codec.decode_status)
    store.put(_REGISTRY, codec.encode_status(StatusIndex(status=_alone(summary), shards=index.shards if index else ())))


def write_status(store: BlobStore, status: RegistryStatus, *, known: RegistryStatus | None = None) -> None:
    """Store what differs from `known`: what was read or written last (None: store all).

    The registry's own document comes last: who sees it finds the packages that it speaks of. Raises StorageError.
    """
    prefixes, digits = status.prefixes, digits_for(len(status.packages))
    stored = None if known is None or digits_for(len(known.packages)) != digits else known
    touched = {prefix_of(address, digits) for address in _changed(stored, status)} if stored else set(prefixes)
    for prefix, packages in _shards(status, touched & prefixes, digits).items():
        store.put(_shard_key(prefix), codec.encode_status_shard(packages))
    summary = _summary(status, prefixes)
    if known is None or summary != _summary(known, known.prefixes):
        store.put(_REGISTRY, summary)
    there = set(store.keys(_SHARDS)) if known is None else {_shard_key(prefix) for prefix in known.prefixes}
    for key in sorted(there - {_shard_key(prefix) for prefix in prefixes}):
        store.delete(key)


def _changed(known: RegistryStatus, status: RegistryStatus) -> Iterator[PackageAddress]:
    """The packages of which something new is known, or nothing any more. Most are the same objects as before."""
    before, after = known.by_address, status.by_address
    if before is after:
        return
    yield from (address for address, package in after.items() if _differs(before.get(address), package))
    yield from before.keys() - after.keys()


def _differs(one: PackageStatus | None, other: PackageStatus) -> bool:
    return one is not other and one != other


def _shards(status: RegistryStatus, prefixes: Collection[str], digits: int) -> dict[str, tuple[PackageStatus, ...]]:
    """Those with these prefixes, in order."""
    members: dict[str, list[PackageStatus]] = {}
    for package in status.packages if prefixes else ():
        if (prefix := prefix_of(package.address, digits)) in prefixes:
            members.setdefault(prefix, []).append(package)
    return {prefix: tuple(members[prefix]) for prefix in sorted(members)}


def _summary(status: RegistryStatus, prefixes: Collection[str]) -> bytes:
    return codec.encode_status(StatusIndex(status=_alone(status), shards=tuple(sorted(prefixes))))


def _alone(status: RegistryStatus) -> RegistryStatus:
    return replace(status, packages=())


def _shard_key(prefix: str) -> str:
    return f"{_SHARDS}{prefix or 'all'}"


def _address(package: PackageStatus) -> str:
    return str(package.address)


def _read(reader: BlobReader, key: str, decode: Callable[[bytes], _Result]) -> _Result | None:
    try:
        return decode(reader.get(key))
    except StorageError:
        return None
