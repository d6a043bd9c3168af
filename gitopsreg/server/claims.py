"""What packages say of stored bytes that is out of the ordinary: not to be had, elsewhere, delivered in another way.

Most packages say nothing of the kind, and their entries say so: then their documents are not looked into. Of a snapshot
that follows a known one only what changed is looked at.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from gitopsreg.index.contents import Place, blobs_of
from gitopsreg.index.documents import Document
from gitopsreg.index.keys import blob_key
from gitopsreg.index.model import Delivery, Package, Shelf, Snapshot
from gitopsreg.index.packages import Packages
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.digest import Sha256
from gitopsreg.server.sizes import named

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Way:
    """How bytes are reached: the shelf they lie on, and how their package has them delivered (None: as the server)."""

    shelf: Shelf | None = None
    delivery: Delivery | None = None

    def place(self, digest: Sha256) -> Place:
        return Place(self.shelf.backend if self.shelf else "", blob_key(digest, self.shelf))


PLAIN = Way()

# So many documents may be unreadable, and what is blocked is withheld all the same; more are an outage.
_SPARE = 10


@dataclass(frozen=True, slots=True)
class Claim:
    """What one package says, by hex digest: bytes that it refuses, those that it offers in a way of its own, and those
    that it offers at the top of the registry's own store.
    """

    refused: frozenset[str]
    told: Mapping[str, Way]
    own: frozenset[str]


@dataclass(frozen=True, slots=True)
class Claims:
    """Of all packages that say anything. `asked` are digests on which the others count too, and `others` which of them
    those packages name.
    """

    said: Mapping[PackageAddress, Claim] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    others: Mapping[PackageAddress, frozenset[str]] = field(default_factory=dict)

    @property
    def withheld(self) -> frozenset[str]:
        """What blocked and discarded versions name and no other version does: not served even to who holds a link."""
        refused = {digest for claim in self.said.values() for digest in claim.refused}
        return frozenset(refused - _offered(self.said) - _union(self.others.values()))

    @property
    def ways(self) -> dict[str, Way]:
        """Of bytes that several versions share, the last that says something counts; but what also lies in the
        registry's own store is taken from there, since every server has that one.
        """
        ways = _told(self.said)
        own = _union(claim.own for claim in self.said.values()) | _union(self.others.values())
        elsewhere = {digest: way for digest, way in ways.items() if way.shelf is not None and digest in own}
        return ways | {digest: Way(None, way.delivery) for digest, way in elsewhere.items()}


def claims_of(snapshot: Snapshot, before: Claims | None = None, known: Snapshot | None = None) -> Claims:
    """`before` are the claims of `known`: the very same object where nothing of them has changed.

    Raises StorageError where documents were not read yet and can't be.
    """
    packages = snapshot.packages
    if not isinstance(packages, Packages):
        return Claims({address: claim(package) for address, package in packages.items()})
    if before is None or known is None or not isinstance(known.packages, Packages):
        return _claims(packages, list(packages.documents), Claims())
    pairs = list(packages.documents.differences(known.packages.documents))
    touched = {one.entry.address for pair in pairs for one in pair if one is not None}
    left = Claims(_without(before.said, touched), before.asked, _without(before.others, touched))
    now = _claims(packages, [here for here, _ in pairs if here is not None], left)
    return before if now == before else now


def _claims(packages: Packages, documents: list[Document], left: Claims) -> Claims:
    """`left` with what these documents say."""
    loud = [document for document in documents if document.entry.stored in {"", "otherwise"}]
    packages.fill([document for document in loud if document.packed is None])
    found = ((document.entry.address, claim(packages.source.decode(document)[0])) for document in loud)
    said = {**left.said, **{address: each for address, each in found if each.refused or each.told}}
    asked = _asked(said)
    if not asked:
        return Claims(said)
    seen = asked <= left.asked
    fresh = [one for one in (documents if seen else packages.documents) if one.entry.stored != "nothing"]
    others = {address: names & asked for address, names in left.others.items()} if seen else {}
    others.update(_named([one for one in fresh if one.entry.address not in said], asked, packages))
    # What was not read is looked at again with the next snapshot, so nothing counts as asked yet.
    whole = all(one.packed is not None for one in fresh)
    return Claims(said, asked if whole else frozenset(), {address: names for address, names in others.items() if names})


def claim(package: Package) -> Claim:
    refused, told, own = set[str](), dict[str, Way](), set[str]()
    for version in package.versions:
        names = [blob.sha256.hex for blob in blobs_of(version)]
        if not version.downloadable:
            refused.update(names)
            continue
        if version.shelf is None:
            own.update(names)
        if version.shelf is not None or package.delivery is not None:
            told.update(dict.fromkeys(names, _same_way(version.shelf, package.delivery)))
    return Claim(frozenset(refused), told, frozenset(own))


@lru_cache(256)
def _same_way(shelf: Shelf | None, delivery: Delivery | None) -> Way:
    """There are few, and many bytes."""
    return Way(shelf, delivery)


def offers(snapshot: Snapshot, asked: frozenset[str]) -> frozenset[str]:
    """Those of the digests that versions which are to be had name. Raises StorageError."""
    packages = snapshot.packages
    if not isinstance(packages, Packages):
        return asked & _offered({address: claim(package) for address, package in packages.items()})
    documents = [document for document in packages.documents if document.entry.stored != "nothing"]
    hits = _named(documents, asked, packages)
    return asked & _offered({address: claim(packages[address]) for address in hits})


def _asked(said: Mapping[PackageAddress, Claim]) -> frozenset[str]:
    """The digests on which it counts what all other packages name."""
    refused = _union(claim.refused for claim in said.values()) - _offered(said)
    own = _union(claim.own for claim in said.values())
    return frozenset(refused | {digest for digest, way in _told(said).items() if way.shelf is not None} - own)


def _named(
    documents: Sequence[Document], asked: frozenset[str], packages: Packages
) -> dict[PackageAddress, frozenset[str]]:
    """Which of the digests each document names, without decoding it; those that name none are left out.

    One that can't be read names none: a damaged document costs its own package, and may not keep bytes from being
    withheld.
    """
    packages.fill([document for document in documents if document.packed is None], spare=_SPARE)
    wanted = frozenset(digest.encode() for digest in asked)
    found = ((document.entry.address, named(document, wanted)) for document in documents)
    return {address: names for address, names in found if names}


def _offered(said: Mapping[PackageAddress, Claim]) -> set[str]:
    return _union(claim.own for claim in said.values()) | _told(said).keys()


def _told(said: Mapping[PackageAddress, Claim]) -> dict[str, Way]:
    ways: dict[str, Way] = {}
    for address in sorted(said, key=str):
        ways.update(said[address].told)
    return ways


def _union(sets: Iterable[frozenset[str]]) -> set[str]:
    return set[str]().union(*sets)


def _without(
    found: Mapping[PackageAddress, _Value], addresses: Collection[PackageAddress]
) -> dict[PackageAddress, _Value]:
    return {address: value for address, value in found.items() if address not in addresses}
