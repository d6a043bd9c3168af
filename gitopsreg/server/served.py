"""A snapshot with what requests ask of it besides its packages: which bytes are withheld, where others lie, how large.

All of it is worked out when a snapshot is loaded, so that a request costs a look-up however many versions there are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitopsreg.index.keys import package_key, root_key, shard_key
from gitopsreg.index.model import Snapshot
from gitopsreg.server.claims import PLAIN, Claims, Way, claims_of, offers
from gitopsreg.server.sizes import add_sizes

__all__ = ["PLAIN", "Served", "Way", "documents", "survey", "withheld"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """`withheld` are the bytes that are not served, `ways` how others are reached, where they are not `PLAIN`, `sizes`
    bytes, of all that is known; by hex digest. `claims` is what they were worked out from.
    """

    snapshot: Snapshot
    withheld: frozenset[str]
    ways: Mapping[str, Way]
    sizes: dict[str, int]
    claims: Claims


def survey(snapshot: Snapshot, known: Served | None = None, newest: Snapshot | None = None) -> Served:
    """What follows from a snapshot; what is the same in `known` is taken over.

    `newest` is what was published last, when an older snapshot is served: what it blocks is not served either, unless
    the older one does so openly. Raises StorageError where documents were not read yet and can't be.
    """
    claims = claims_of(snapshot, known.claims, known.snapshot) if known else claims_of(snapshot)
    sizes = known.sizes if known else {}
    add_sizes(sizes, snapshot, known.snapshot if known else None)
    return Served(
        snapshot=snapshot,
        withheld=claims.withheld | (_blocked_since(snapshot, newest) if newest else frozenset()),
        ways=known.ways if known and claims is known.claims else claims.ways,
        sizes=sizes,
        claims=claims,
    )


def documents(snapshot: Snapshot) -> Iterator[str]:
    """The keys of all that it was loaded from."""
    yield root_key(snapshot.digest)
    yield from (shard_key(digest) for _, digest in snapshot.root.shards)
    yield from (package_key(entry.digest) for entry in snapshot.entries.values())


def withheld(snapshot: Snapshot) -> frozenset[str]:
    """Raises StorageError."""
    return claims_of(snapshot).withheld


def _blocked_since(snapshot: Snapshot, newest: Snapshot) -> frozenset[str]:
    since = withheld(newest)
    return since - offers(snapshot, since) if since else since
