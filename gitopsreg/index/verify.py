"""Is all there that the retained snapshots name, and is it right? Reads everything, changes nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from gitopsreg.errors import StorageError
from gitopsreg.index.check import looked_at
from gitopsreg.index.contents import Place, places_of
from gitopsreg.index.fault import Fault, Faults
from gitopsreg.index.head import read_head
from gitopsreg.index.keys import package_key
from gitopsreg.index.model import Blob, ModulePackage, ProviderPackage
from gitopsreg.index.named import named
from gitopsreg.index.progress import Progress, Unwatched
from gitopsreg.index.retained import retained
from gitopsreg.index.side_by_side import JOBS, side_by_side
from gitopsreg.index.walk import Page, walk
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was looked at, and what is wrong; `size` in bytes, of blobs."""

    snapshots: int = 0
    documents: int = 0
    blobs: int = 0
    size: int = 0
    faults: tuple[Fault, ...] = ()


def verify(
    stores: Mapping[str, BlobReader],
    *,
    keep: int,
    quick: bool = False,
    jobs: int = JOBS,
    progress: Progress | None = None,
) -> Verified:
    """Documents are always read; with `quick` only the sizes of blobs are looked at.

    Raises StorageError where nothing was published, or the store does not answer.
    """
    own, told = stores[""], progress or Unwatched()
    head = read_head(own)
    if head is None:
        raise StorageError("nothing has been published into this store yet: there is nothing to verify")
    faults = Faults()
    kept = retained(own, head, keep)
    told.working("Reading the index", None)
    everything = named(own, kept.roots, heed=faults.note, jobs=jobs)
    told.working("Checking blobs", everything.count)
    size = 0

    def look(item: tuple[Place, Blob]) -> tuple[Place, Blob, StorageError | None]:
        return *item, looked_at(stores, *item, quick=quick)

    with side_by_side(look, everything.places(), jobs=jobs) as looks:
        for place, blob, error in looks:
            faults.note(place, error)
            size += blob.size
            told.worked(place.key, blob.size)
    return Verified(
        snapshots=len(kept.roots),
        documents=len(everything.documents),
        blobs=everything.count,
        size=size,
        faults=with_packages(own, kept.roots, faults.found, jobs=jobs),
    )


def with_packages(
    reader: BlobReader, roots: Sequence[Sha256], faults: Iterable[Fault], *, jobs: int = JOBS
) -> tuple[Fault, ...]:
    """The faults with the packages that need each, which costs another walk through the index where there are any."""
    found = tuple(faults)
    if not found:
        return ()
    needed: dict[Place, set[str]] = {fault.place: set() for fault in found}
    with closing(walk(reader, roots, heed=lambda _place, _error: None, jobs=jobs)) as pages:
        for page in pages:
            for place, address in _needs(page):
                if place in needed:
                    needed[place].add(address)
    return tuple(replace(fault, packages=tuple(sorted(needed[fault.place]))) for fault in found)


def _needs(page: Page) -> Iterator[tuple[Place, str]]:
    """Where things lie that packages need, with the package's address."""
    if isinstance(page.value, tuple):
        for entry in page.value:
            yield Place("", package_key(entry.digest)), str(entry.address)
    if isinstance(page.value, (ModulePackage, ProviderPackage)):
        for version in page.value.versions:
            for place, _ in places_of(version):
                yield place, str(page.value.address)
