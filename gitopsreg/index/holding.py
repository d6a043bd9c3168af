"""What a person does to the pointer: hold it, let it go again, serve an older snapshot. Nothing else is written."""

from gitopsreg.index.head import Head, move_head
from gitopsreg.index.model import Snapshot
from gitopsreg.index.pointer import Hold
from gitopsreg.storage.base import BlobStore


def hold(store: BlobStore, head: Head, wanted: Hold, *, fence: int) -> None:
    """From now on nothing is published. Raises PublishConflict when the head has moved, LostLease, StorageError."""
    move_head(store, head.moved(fence=fence, hold=wanted), head=head)


def release(store: BlobStore, head: Head, *, fence: int) -> None:
    """The next run publishes again; until then what is served stays. Raises as `hold`."""
    move_head(store, head.moved(fence=fence, hold=None), head=head)


def serve(store: BlobStore, head: Head, snapshot: Snapshot, wanted: Hold, *, fence: int) -> None:
    """Serve an older snapshot while the hold is in force. The newest root stays the ledger. Raises as `hold`."""
    ledger = None if snapshot.digest == head.newest else head.newest
    changes = {"root": snapshot.digest, "revision": snapshot.root.revision, "ledger": ledger, "hold": wanted}
    move_head(store, head.moved(fence=fence, **changes), head=head)
