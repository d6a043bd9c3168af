"""Which stored bytes a snapshot names, and where they lie."""

from collections.abc import Iterator
from dataclasses import dataclass

from gitopsreg.index.keys import blob_key
from gitopsreg.index.model import Blob, Content, ModuleVersion, Package, ProviderVersion, Snapshot


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where bytes lie: a back end by name ("" is the registry's own store) and the key there."""

    backend: str
    key: str


def blobs_of(version: ModuleVersion | ProviderVersion) -> tuple[Blob, ...]:
    """The stored bytes that a version stands for, in one order; none of what stays elsewhere."""
    return tuple(item for item in contents_of(version) if isinstance(item, Blob))


def contents_of(version: ModuleVersion | ProviderVersion) -> tuple[Content, ...]:
    """All that a version stands for, stored or not, in one order: what never changes once it is published."""
    if isinstance(version, ModuleVersion):
        return (version.archive,)
    return (version.checksums, version.signature, *(build.zip for build in version.builds))


def places_of(version: ModuleVersion | ProviderVersion) -> Iterator[tuple[Place, Blob]]:
    """Where a version's bytes lie; none once they were discarded."""
    if version.discarded is None:
        backend = version.shelf.backend if version.shelf else ""
        for blob in blobs_of(version):
            yield Place(backend, blob_key(blob.sha256, version.shelf)), blob


def places(snapshot: Snapshot) -> dict[Place, Blob]:
    """Everything that a snapshot's versions name, the blocked and archived ones too."""
    return {place: blob for package in snapshot.packages.values() for place, blob in _of_package(package)}


def _of_package(package: Package) -> Iterator[tuple[Place, Blob]]:
    for version in package.versions:
        yield from places_of(version)
