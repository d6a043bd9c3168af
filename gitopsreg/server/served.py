"""A snapshot with what requests ask of it besides its packages: which bytes are withheld, where others lie, how large.

All of it is worked out when a snapshot is loaded, so that a request costs a look-up however many versions there are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitopsreg.index.contents import Place, blobs_of
from gitopsreg.index.keys import blob_key, package_key, root_key, shard_key
from gitopsreg.index.model import Delivery, Package, Shelf, Snapshot
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.digest import Sha256


@dataclass(frozen=True, slots=True)
class Way:
    """How bytes are reached: the shelf they lie on, and how their package has them delivered (None: as the server)."""

    shelf: Shelf | None = None
    delivery: Delivery | None = None

    def place(self, digest: Sha256) -> Place:
        return Place(self.shelf.backend if self.shelf else "", blob_key(digest, self.shelf))


PLAIN = Way()


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """`withheld` are the bytes that are not served. `ways`, by hex digest, holds only what is not `PLAIN`; `sizes` are
    bytes by hex digest, of all that any version names.
    """

    snapshot: Snapshot
    withheld: frozenset[Sha256]
    ways: Mapping[str, Way]
    sizes: Mapping[str, int]


def survey(snapshot: Snapshot, known: Served | None = None, newest: Snapshot | None = None) -> Served:
    """What follows from a snapshot; of packages that are the same in `known` the sizes are taken over.

    `newest` is what was published last, when an older snapshot is served: what it blocks is not served either, unless
    the older one does so openly.
    """
    return Served(
        snapshot=snapshot,
        withheld=withheld(snapshot) | (_blocked_since(snapshot, newest) if newest else frozenset()),
        ways=_ways(snapshot),
        sizes=_sizes(snapshot, known),
    )


def documents(snapshot: Snapshot) -> Iterator[str]:
    """The keys of all that it was loaded from."""
    yield root_key(snapshot.digest)
    yield from (shard_key(digest) for _, digest in snapshot.root.shards)
    yield from (package_key(entry.digest) for entry in snapshot.entries.values())


def withheld(snapshot: Snapshot) -> frozenset[Sha256]:
    """What blocked and discarded versions name and no other version does: not served even to who holds a link."""
    blocked: set[Sha256] = set()
    for package in snapshot.packages.values():
        for version in package.versions:
            if not version.downloadable:
                blocked.update(blob.sha256 for blob in blobs_of(version))
    if not blocked:
        return frozenset()
    for package in snapshot.packages.values():
        for version in package.versions:
            if version.downloadable:
                blocked.difference_update(blob.sha256 for blob in blobs_of(version))
    return frozenset(blocked)


def _blocked_since(snapshot: Snapshot, newest: Snapshot) -> frozenset[Sha256]:
    since = set(withheld(newest))
    for package in snapshot.packages.values() if since else ():
        for version in package.versions:
            if version.downloadable:
                since.difference_update(blob.sha256 for blob in blobs_of(version))
    return frozenset(since)


def _ways(snapshot: Snapshot) -> dict[str, Way]:
    """Of bytes that several versions share, the last that says something counts; but what also lies in the registry's
    own store is taken from there, since every server has that one.
    """
    ways = dict(_told_ways(snapshot))
    if any(way.shelf is not None for way in set(ways.values())):
        for package in snapshot.packages.values():
            for version in package.versions:
                if version.shelf is None and version.downloadable:
                    for blob in blobs_of(version):
                        if (way := ways.get(blob.sha256.hex)) is not None and way.shelf is not None:
                            ways[blob.sha256.hex] = Way(None, way.delivery)
    return ways


def _told_ways(snapshot: Snapshot) -> Iterator[tuple[str, Way]]:
    same: dict[Way, Way] = {}
    for package in snapshot.packages.values():
        for version in package.versions:
            if (package.delivery is not None or version.shelf is not None) and version.downloadable:
                way = Way(version.shelf, package.delivery)
                way = same.setdefault(way, way)
                for blob in blobs_of(version):
                    yield blob.sha256.hex, way


def _sizes(snapshot: Snapshot, known: Served | None) -> dict[str, int]:
    """Versions leave tombstones, so what is taken over hardly outgrows what is there."""
    sizes = dict(known.sizes) if known else {}
    before: dict[PackageAddress, Package] = known.snapshot.packages if known else {}
    for address, package in snapshot.packages.items():
        if before.get(address) is not package:
            for version in package.versions:
                sizes.update((blob.sha256.hex, blob.size) for blob in blobs_of(version))
    return sizes
