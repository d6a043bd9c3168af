"""What a scrub looks at, in one order: package after package, each with its document and the bytes of its versions.

A cycle may stop after any object and go on there in another process; what was published meanwhile is simply met.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitopsreg.errors import StorageError
from gitopsreg.index import codec
from gitopsreg.index.contents import Place, places_of
from gitopsreg.index.keys import package_key
from gitopsreg.index.model import Blob, Package
from gitopsreg.index.walk import Heed, read_document, walk_to_shards
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One object to look at. A document was looked at already: `blob` is None, and `error` says how it was found."""

    package: str
    place: Place
    version: str = ""
    blob: Blob | None = None
    error: StorageError | None = None
    size: int = 0


def targets(
    reader: BlobReader, roots: Sequence[Sha256], *, package: str = "", key: str = "", heed: Heed, jobs: int
) -> Iterator[Target]:
    """What is served, from behind the object `key` of `package` on. `heed` is told of roots and shards."""
    for address, digest in _packages(reader, roots, heed, jobs):
        if address < package:
            continue
        found = list(_of_package(reader, address, digest))
        done = [number for number, target in enumerate(found) if target.place.key == key and address == package]
        yield from found[done[0] + 1 if done else 0 :]


def _packages(reader: BlobReader, roots: Sequence[Sha256], heed: Heed, jobs: int) -> list[tuple[str, Sha256]]:
    pages = walk_to_shards(reader, roots, heed=heed, jobs=jobs)
    shards = (page.value for page in pages if isinstance(page.value, tuple))
    return sorted({(str(entry.address), entry.digest) for entries in shards for entry in entries})


def _of_package(reader: BlobReader, address: str, digest: Sha256) -> Iterator[Target]:
    key = package_key(digest)
    try:
        data = read_document(reader, key)
        package = codec.decode_package(data)
    except StorageError as error:
        yield Target(package=address, place=Place("", key), error=error)
        return
    yield Target(package=address, place=Place("", key), size=len(data))
    yield from _bytes_of(package, address)


def _bytes_of(package: Package, address: str) -> Iterator[Target]:
    seen: set[Place] = set()
    for version in package.versions:
        for place, blob in places_of(version):
            if place not in seen:
                seen.add(place)
                yield Target(package=address, version=version.version.text, place=place, blob=blob, size=blob.size)
