"""Copy what is published from one store into another, then let the other one's head point at it.

Bytes first, pointer last; what is there already is not copied again, so a copy that was killed is simply run again.
Nothing changes in the source.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gitopsreg.errors import ConfigError, KeyMissing, PublishConflict, StorageError
from gitopsreg.index.check import check_blob, looked_at
from gitopsreg.index.contents import Place
from gitopsreg.index.fault import Damaged, Fault, Faults
from gitopsreg.index.head import Head, move_head, read_head
from gitopsreg.index.held import Held
from gitopsreg.index.keys import COPIED, LINK_KEY, root_key
from gitopsreg.index.model import Blob
from gitopsreg.index.named import Named
from gitopsreg.index.pointer import Pointer
from gitopsreg.index.progress import Progress, Unwatched
from gitopsreg.index.reading import read_root
from gitopsreg.index.repository import history
from gitopsreg.index.retained import Retained, remember_cut, retained
from gitopsreg.index.side_by_side import JOBS, side_by_side
from gitopsreg.index.verify import with_packages
from gitopsreg.index.walk import Page, walk
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader, BlobStore

# How often the difference is copied because the source was published to meanwhile.
_RACES = 10
_LONGEST_HISTORY = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a copy did. `documents` and `blobs` count what was copied, `size` is in bytes; `there` was there already.

    `elsewhere` are (back end, number of blobs) that stay where they are. With faults nothing points at the copy yet.
    """

    root: Sha256
    snapshots: int
    documents: int
    blobs: int
    size: int
    there: int
    elsewhere: tuple[tuple[str, int], ...]
    faults: tuple[Fault, ...]


class _SourceFault(StorageError):
    """The source's bytes, not the target's, are what is wrong."""

    def __init__(self, error: StorageError) -> None:
        super().__init__(str(error))
        self.error = error


def copy(
    source: BlobReader,
    target: BlobStore,
    lease: Held,
    *,
    keep: int,
    quick: bool = False,
    force: bool = False,
    jobs: int = JOBS,
    progress: Progress | None = None,
) -> Copied:
    """Copy the served snapshot and the `keep` newest, with the key of links, under the target's lease: nobody collects
    there meanwhile. `quick` believes the size of what is there already.

    Raises ConfigError when the target holds an index that is not an earlier one of the source's (unless `force`),
    PublishConflict when one of the two is published to all the time, LostLease, StorageError.
    """
    work = _Copy(source, target, quick=quick, jobs=jobs, progress=progress or Unwatched())
    there = read_head(target)
    for _ in range(_RACES):
        head = read_head(source)
        if head is None:
            raise StorageError("nothing has been published into the source yet: there is nothing to copy")
        if there is not None and not force:
            _check_kinship(source, head, there)
        kept = retained(source, head, keep)
        work.bring(kept)
        lease.check()
        if read_head(source) == head:
            if work.faults.found:
                return work.told(head, kept)
            _mark_as_copy(target)
            _copy_link_key(source, target)
            _remember_cut(source, target, kept)
            _cut_over(target, head, there, lease)
            return work.told(head, kept)
        work.faults = Faults()  # what was missing may have been collected meanwhile
    raise PublishConflict(f"the source was published to {_RACES} times meanwhile: hold it, then copy again")


class _Copy:
    """The bytes: what was brought once is not looked at again."""

    def __init__(self, source: BlobReader, target: BlobStore, *, quick: bool, jobs: int, progress: Progress) -> None:
        self.faults = Faults()
        self._source = source
        self._target = target
        self._quick = quick
        self._jobs = jobs
        self._progress = progress
        self._done: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._elsewhere: Counter[str] = Counter()

    def bring(self, kept: Retained) -> None:
        everything = self._bring_documents(kept)
        self._elsewhere = Counter(place.backend for place, _ in everything.places() if place.backend)
        wanted = ((place, blob) for place, blob in everything.places() if not place.backend)
        new = ((place, blob) for place, blob in wanted if place.key not in self._done)
        self._progress.working("Copying blobs", everything.count - self._elsewhere.total())
        with side_by_side(self._bring_blob, new, jobs=self._jobs) as brought:
            for place, blob, outcome in brought:
                self._note(place, outcome, blob.size, "blobs")

    def _bring_documents(self, kept: Retained) -> Named:
        everything = Named()
        self._progress.working("Copying the index", None)
        with (
            closing(walk(self._source, kept.roots, heed=self.faults.note, jobs=self._jobs)) as pages,
            side_by_side(self._bring_document, pages, jobs=self._jobs) as brought,
        ):
            for page, outcome in brought:
                everything.add(page)
                if page.key not in self._done:
                    self._note(Place("", page.key), outcome, len(page.data), "documents")
        return everything

    def told(self, head: Head, kept: Retained) -> Copied:
        return Copied(
            root=head.root,
            snapshots=len(kept.roots),
            documents=self._counts["documents"],
            blobs=self._counts["blobs"],
            size=self._counts["size"],
            there=self._counts["there"],
            elsewhere=tuple(sorted(self._elsewhere.items())),
            faults=with_packages(self._source, kept.roots, self.faults.found, jobs=self._jobs),
        )

    def _note(self, place: Place, outcome: bool | StorageError, size: int, kind: str) -> None:
        """`outcome` says whether something was copied, or what is wrong with the source."""
        self._progress.worked(place.key, size)
        self.faults.note(place, outcome if isinstance(outcome, StorageError) else None)
        if isinstance(outcome, StorageError):
            return
        self._done.add(place.key)
        self._counts[kind if outcome else "there"] += 1
        self._counts["size"] += size if outcome else 0

    def _bring_document(self, page: Page) -> tuple[Page, bool]:
        if page.key in self._done or _has_document(self._target, page, quick=self._quick):
            return page, False
        self._target.put(page.key, page.data)
        if self._target.get(page.key) != page.data:
            raise StorageError(f'"{page.key}" reads back as other bytes than were written: check the target')
        return page, True

    def _bring_blob(self, item: tuple[Place, Blob]) -> tuple[Place, Blob, bool | StorageError]:
        place, blob = item
        try:
            check_blob({"": self._target}, place, blob, quick=self._quick)
        except (KeyMissing, Damaged):
            try:
                self._target.put(place.key, _proven(self._source, place.key, blob))
            except _SourceFault as fault:
                return place, blob, fault.error
            if (wrong := looked_at({"": self._target}, place, blob)) is not None:
                raise StorageError(f"what was written can't be read back: {wrong}: check the target") from None
            return place, blob, True
        return place, blob, False


def _has_document(target: BlobReader, page: Page, *, quick: bool) -> bool:
    try:
        return target.size(page.key) == len(page.data) if quick else target.get(page.key) == page.data
    except KeyMissing:
        return False


def _proven(source: BlobReader, key: str, blob: Blob) -> Iterator[bytes]:
    """The bytes; raises before the end when they are not those of the name, so that nothing is stored."""
    digest, size = sha256(), 0
    try:
        for chunk in source.chunks(key):
            digest.update(chunk)
            size += len(chunk)
            yield chunk
        if size != blob.size or digest.hexdigest() != blob.sha256.hex:
            raise Damaged(f'"{key}" holds other bytes than were published')
    except StorageError as error:
        raise _SourceFault(error) from error


def _check_kinship(source: BlobReader, head: Head, there: Head) -> None:
    ours = {head.root, *(digest for digest, _ in history(source, head, _LONGEST_HISTORY))}
    if {there.root, there.newest} <= ours:
        return
    raise ConfigError(
        f'the target holds an index of its own ("{root_key(there.newest)}"), which the source never published or has '
        "let go: write another target, or replace it with --force"
    )


def _mark_as_copy(target: BlobStore) -> None:
    """What lies in other back ends is the original's."""
    try:
        target.stat(COPIED)
    except KeyMissing:
        target.put(COPIED, b"")


def _copy_link_key(source: BlobReader, target: BlobStore) -> None:
    """So that links that were handed out stay good."""
    try:
        key = source.get(LINK_KEY)
    except KeyMissing:
        return
    try:
        if target.get(LINK_KEY) == key:
            return
    except KeyMissing:
        pass
    target.put(LINK_KEY, key)


def _remember_cut(source: BlobReader, target: BlobStore, kept: Retained) -> None:
    """Unless the target has what is older from an earlier copy."""
    older = read_root(source, kept.chain[-1]).previous
    if older is None:
        return
    try:
        target.stat(root_key(older))
    except KeyMissing:
        remember_cut(target, kept)


def _cut_over(target: BlobStore, head: Head, there: Head | None, lease: Held) -> None:
    said: dict[str, Any] = {"root": head.root, "revision": head.revision, "ledger": head.ledger, "hold": head.hold}
    if there is None:
        move_head(target, Pointer(epoch=head.epoch, fence=lease.epoch, **said), head=None)
    elif any(getattr(there, name) != value for name, value in said.items()):
        move_head(target, there.moved(fence=lease.epoch, **said), head=there)
