"""All that some snapshots name: their documents, and the bytes on every shelf. Small enough for millions of blobs."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from gitopsreg.index.contents import Place, blobs_of
from gitopsreg.index.keys import blob_key
from gitopsreg.index.model import Blob, ModulePackage, Package, ProviderPackage, Shelf
from gitopsreg.index.side_by_side import JOBS
from gitopsreg.index.walk import Heed, Page, refuse, walk
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader

_TOP = Shelf()


@dataclass(slots=True)
class Named:
    """`blobs` are sizes in bytes by shelf and raw digest. A shelf whose bytes were all let go is in it, empty."""

    documents: set[str] = field(default_factory=set)
    blobs: dict[Shelf, dict[bytes, int]] = field(default_factory=lambda: {_TOP: {}})

    def add(self, page: Page) -> None:
        self.documents.add(page.key)
        if isinstance(page.value, (ModulePackage, ProviderPackage)):
            self._add_package(page.value)

    def _add_package(self, package: Package) -> None:
        for version in package.versions:
            shelf = self.blobs.setdefault(version.shelf or _TOP, {})
            if version.discarded is None:
                shelf.update((bytes.fromhex(blob.sha256.hex), blob.size) for blob in blobs_of(version))

    def places(self) -> Iterator[tuple[Place, Blob]]:
        """Every stored blob, a shelf after the other, by digest."""
        for shelf in sorted(self.blobs, key=lambda shelf: (shelf.backend, shelf.folder)):
            for raw, size in sorted(self.blobs[shelf].items()):
                digest = Sha256(raw.hex())
                yield Place(shelf.backend, blob_key(digest, shelf)), Blob(digest, size)

    @property
    def count(self) -> int:
        return sum(map(len, self.blobs.values()))


def named(reader: BlobReader, roots: Iterable[Sha256], *, heed: Heed = refuse, jobs: int = JOBS) -> Named:
    """Raises as `walk`: by default for anything that can't be read, so that what comes back is all of it."""
    everything = Named()
    with closing(walk(reader, roots, heed=heed, jobs=jobs)) as pages:
        for page in pages:
            everything.add(page)
    return everything
