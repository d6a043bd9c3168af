"""Serve an older snapshot again: found by its digest, looked over whole, and only then served."""

import re
from collections.abc import Iterator, Mapping
from functools import partial

from gitopsreg.errors import Blocked, InvalidName, NotPublished, StorageError, quoted
from gitopsreg.index import holding, repository
from gitopsreg.index.check import looked_at
from gitopsreg.index.contents import Place, places_of
from gitopsreg.index.head import Head
from gitopsreg.index.held import Held
from gitopsreg.index.model import Blob, Snapshot
from gitopsreg.index.pointer import Hold
from gitopsreg.index.reading import read_root
from gitopsreg.index.retained import kept
from gitopsreg.index.side_by_side import side_by_side
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader, BlobStore

_PREFIX = re.compile(r"[0-9a-f]{8,64}")
_FAR = 10_000  # how many snapshots back are searched
_JOBS = 16


def find(reader: BlobReader, head: Head, wanted: str) -> Sha256:
    """`wanted` is "previous" (the one before what is served) or at least 8 hex digits of a snapshot that is kept.

    Raises InvalidName, NotPublished for one that is not kept, StorageError.
    """
    if wanted == "previous":
        before = read_root(reader, head.root).previous
        if before is None:
            raise NotPublished(f'nothing was published before "{head.root}"')
        if before not in kept(reader, head, _FAR):
            raise NotPublished(f'"{before}", which was published before "{head.root}", is not kept')
        return before
    prefix = wanted.removeprefix("sha256:")
    if not _PREFIX.fullmatch(prefix):
        raise InvalidName(f'{quoted(wanted)} names no snapshot: write "previous", or 8 to 64 of its hex digits')
    found = {digest for digest in kept(reader, head, _FAR) if digest.hex.startswith(prefix)}
    if len(found) > 1:
        raise InvalidName(f'"{prefix}" is the start of {len(found)} snapshots: write more digits')
    if not found:
        raise NotPublished(f'no snapshot that is kept begins with "{prefix}"; "gitopsreg history" lists them')
    return found.pop()


def roll_back(
    stores: Mapping[str, BlobStore],
    head: Head,
    target: Sha256,
    hold: Hold,
    lease: Held,
    *,
    serve_blocked: bool = False,
) -> Snapshot:
    """Serve the target while the hold is in force. The newest snapshot stays the one that is built on.

    Raises Blocked when the target serves what was blocked since, StorageError when it is not whole, PublishConflict,
    LostLease: then nothing has changed.
    """
    store = stores[""]
    snapshot = repository.load(store, target)
    if not serve_blocked:
        _refuse_blocked(snapshot, repository.load(store, head.newest, known=snapshot))
    _check_bytes(stores, snapshot)
    lease.check()
    holding.serve(store, head, snapshot, hold, fence=lease.epoch)
    return snapshot


def _refuse_blocked(snapshot: Snapshot, newest: Snapshot) -> None:
    for address, package in newest.packages.items():
        blocked = {version.version: version.blocked for version in package.versions if version.listing == "blocked"}
        before = snapshot.packages.get(address)
        for version in before.versions if blocked and before else ():
            if version.version in blocked and version.downloadable:
                raise Blocked(
                    f'that snapshot serves "{address}" {version.version}, which was blocked since '
                    f"({blocked[version.version]}): give --serve-blocked to serve it all the same"
                )


def _check_bytes(stores: Mapping[str, BlobReader], snapshot: Snapshot) -> None:
    """Every byte that clients may ask for is there, by its size."""
    look = partial(_look, stores)
    with side_by_side(look, _served(snapshot), jobs=_JOBS) as looks:
        problems = [error for error in looks if error is not None]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise StorageError(f"that snapshot can't be served whole: {problems[0]}{more}")


def _look(stores: Mapping[str, BlobReader], item: tuple[Place, Blob]) -> StorageError | None:
    return looked_at(stores, *item, quick=True)


def _served(snapshot: Snapshot) -> Iterator[tuple[Place, Blob]]:
    for package in snapshot.packages.values():
        for version in package.versions:
            if version.downloadable:
                yield from places_of(version)
