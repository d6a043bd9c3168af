"""Small published stores for tests of what reads and copies them."""

from dataclasses import replace

from gitopsreg.index import repository
from gitopsreg.index.contents import places_of
from gitopsreg.index.model import ModulePackage, Shelf, Snapshot
from gitopsreg.index.repository import Content
from gitopsreg.model.address import ModuleAddress
from gitopsreg.storage.base import BlobStore
from tests.builders import VPC, a_module

TIME = "2026-01-01T00:00:00Z"
DNS = ModuleAddress("platform", "dns", "aws")
ARCHIVE = Shelf(backend="archive", folder="old")


def publish(store: BlobStore, *packages: ModulePackage, archive: BlobStore | None = None) -> Snapshot:
    """The packages with the bytes of their versions, which are the versions' own texts."""
    for package in packages:
        for version in package.versions:
            for place, _ in places_of(version):
                shelf = archive if place.backend else store
                if shelf is not None:
                    shelf.put(place.key, version.version.text.encode())
    head = repository.read_head(store)
    content = Content(
        revision=f"main@sha1:{'a' * 40}",
        time=TIME,
        hostname=None,
        namespaces=(),
        packages={package.address: package for package in packages},
    )
    base = repository.load(store, head.newest) if head else None
    return repository.publish(store, content, base=base, head=head, fence=head.fence if head else 0)


def shelved(*versions: str) -> ModulePackage:
    """A module whose bytes lie in another back end."""
    module = a_module(*versions, address=DNS)
    return replace(module, versions=tuple(replace(version, shelf=ARCHIVE) for version in module.versions))


def a_history(store: BlobStore, *versions: str) -> list[Snapshot]:
    """One snapshot for each version, each of which has all the versions before it too."""
    return [publish(store, a_module(*versions[: number + 1], address=VPC)) for number in range(len(versions))]
