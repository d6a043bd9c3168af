"""A snapshot's package documents, shard by shard: what the shards say of each, and its bytes once they were read.

Snapshots that follow each other share the shards, and in a shard that changed the documents, which did not.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping

from gitopsreg.index.model import Entry
from gitopsreg.index.shards import digits_for, sharded
from gitopsreg.model.address import PackageAddress

# The quickest: documents repeat themselves, and all of them are packed while a server starts.
_LEVEL = 1


class Document:
    """One package's: `packed` is None until it was read. Only documents that were proven are held."""

    __slots__ = ("entry", "packed")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.packed: bytes | None = None

    def hold(self, data: bytes) -> None:
        self.packed = zlib.compress(data, _LEVEL)

    @property
    def data(self) -> bytes | None:
        """The bytes as they are stored."""
        return None if self.packed is None else zlib.decompress(self.packed)


Shard = Mapping[PackageAddress, Document]


class Documents:
    """Documents by address. `shards` are by prefix, all of one length, and are never written to."""

    def __init__(self, shards: Mapping[str, Shard], by_address: dict[PackageAddress, Document] | None = None) -> None:
        self.shards = shards
        self.digits = len(next(iter(shards), ""))
        if by_address is None:
            by_address = {address: one for shard in shards.values() for address, one in shard.items()}
        self._by_address = by_address
        self._ordered: list[Document] | None = None

    def find(self, address: PackageAddress) -> Document | None:
        return self._by_address.get(address)

    def __len__(self) -> int:
        return len(self._by_address)

    def __iter__(self) -> Iterator[Document]:
        """In the order of the addresses' text."""
        if self._ordered is None:
            self._ordered = sorted(self._by_address.values(), key=lambda document: str(document.entry.address))
        return iter(self._ordered)

    def unread(self) -> list[Document]:
        return [document for document in self._by_address.values() if document.packed is None]

    def with_shards(self, shards: Mapping[str, Shard]) -> "Documents":
        """These shards and no others; those that are the same objects as here cost nothing."""
        if not self.shards or len(next(iter(shards), "")) != self.digits:
            return Documents(shards)
        by_address = dict(self._by_address)
        for prefix, shard in self.shards.items():
            if shards.get(prefix) is not shard:
                for address in shard:
                    del by_address[address]
        for prefix, shard in shards.items():
            if self.shards.get(prefix) is not shard:
                by_address.update(shard)
        return Documents(shards, by_address)

    def changed(self, changes: Mapping[PackageAddress, Document | None]) -> "Documents":
        """With these in the place of what was there; None: no longer there. Untouched shards are the same objects."""
        by_address = _merged(self._by_address, changes.items())
        if not self.shards or digits_for(len(by_address)) != self.digits:
            return documents_of(by_address.values())
        shards = dict(self.shards)
        for prefix, part in sharded(
            ((address, (address, one)) for address, one in changes.items()), self.digits
        ).items():
            shards[prefix] = _merged(shards.get(prefix, {}), part)
        return Documents({prefix: shards[prefix] for prefix in sorted(shards) if shards[prefix]}, by_address)

    def differences(self, other: "Documents") -> Iterator[tuple[Document | None, Document | None]]:
        """Each package that is not the same in both, as (here, there)."""
        if self.digits != other.digits:
            yield from _differing(self._by_address, other._by_address)  # noqa: SLF001 - of our own kind
            return
        for prefix in self.shards.keys() | other.shards.keys():
            here, there = self.shards.get(prefix, {}), other.shards.get(prefix, {})
            if here is not there:
                yield from _differing(here, there)


def documents_of(documents: Iterable[Document]) -> Documents:
    """In as many shards as they ask for."""
    everything = [(one.entry.address, one) for one in documents]
    shards = sharded(everything, digits_for(len(everything)))
    return Documents({prefix: {one.entry.address: one for one in shard} for prefix, shard in shards.items()})


def _merged(before: Shard, changes: Iterable[tuple[PackageAddress, Document | None]]) -> dict[PackageAddress, Document]:
    merged = dict(before)
    for address, one in changes:
        if one is None:
            merged.pop(address, None)
        else:
            merged[address] = one
    return merged


def _differing(here: Shard, there: Shard) -> Iterator[tuple[Document | None, Document | None]]:
    for address in here.keys() | there.keys():
        one, other = here.get(address), there.get(address)
        if one is not other and (one is None or other is None or one.entry != other.entry):
            yield one, other


class Entries(Mapping[PackageAddress, Entry]):
    """What the shards say of each package, in the order of addresses' text."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def __getitem__(self, address: PackageAddress) -> Entry:
        found = self._documents.find(address)
        if found is None:
            raise KeyError(address)
        return found.entry

    def __iter__(self) -> Iterator[PackageAddress]:
        return (document.entry.address for document in self._documents)

    def __len__(self) -> int:
        return len(self._documents)
