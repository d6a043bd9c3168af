"""Whether a store may move to a bundle's snapshot, and how it does."""

from gitopsreg.errors import BundleRefused, KeyMissing, PublishHeld
from gitopsreg.index.head import Head, move_head
from gitopsreg.index.pointer import Pointer
from gitopsreg.index.reading import read_root
from gitopsreg.index.repository import history
from gitopsreg.index.retained import Retained, remember_cut
from gitopsreg.model.digest import Sha256
from gitopsreg.offline.bundle import Bundle
from gitopsreg.storage.base import BlobReader, BlobStore

_FORCE = "give --force to replace it all the same"
_HISTORY = 1000


def check_hold(head: Head | None, now: str) -> None:
    """Raises PublishHeld. `now` is RFC 3339 in UTC."""
    if head is not None and (hold := head.hold_at(now)):
        raise PublishHeld(f"nothing is published: {hold}")


def check_lineage(reader: BlobReader, head: Head | None, bundle: Bundle) -> None:
    """Forward only: raises BundleRefused unless the store is empty or serves an ancestor of the bundle's snapshot."""
    if head is None or head.newest in {bundle.root, *bundle.ancestors}:
        return
    if any(digest == bundle.root for digest, _ in history(reader, head, limit=_HISTORY)):
        raise BundleRefused(f"the bundle is older than what this store serves ({head.newest}): {_FORCE}")
    raise BundleRefused(
        f"this store serves {head.newest}, which the bundle does not come from: it is another registry's, it was "
        f"reconciled here, or the bundle is much newer; {_FORCE}"
    )


def advance(store: BlobStore, head: Head | None, bundle: Bundle, *, fence: int) -> None:
    """Serve the bundle's snapshot, all of which is stored. `fence` is the epoch of the lease.

    Raises PublishConflict, LostLease, StorageError.
    """
    _cut_history(store, bundle.root)
    if head is None:
        pointer = Pointer(root=bundle.root, revision=bundle.revision, epoch=1, fence=fence)
    else:
        pointer = head.moved(fence=fence, root=bundle.root, revision=bundle.revision, ledger=None, hold=None)
    move_head(store, pointer, head=head)


def _cut_history(store: BlobStore, root: Sha256) -> None:
    """A bundle brings no older snapshots along; they are not lost."""
    previous = read_root(store, root).previous
    try:
        if previous is not None:
            read_root(store, previous)
    except KeyMissing:
        remember_cut(store, Retained(root, (root,)))
