"""The one object of the index that changes: read, and moved by compare-and-swap."""

from dataclasses import dataclass, fields
from typing import Any

from gitopsreg.errors import KeyMissing, LostLease, StorageError
from gitopsreg.index import codec
from gitopsreg.index.keys import HEAD, root_key
from gitopsreg.index.pointer import Pointer
from gitopsreg.index.reading import checked, decoded
from gitopsreg.storage.base import BlobReader, BlobStore, Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Head(Pointer):
    """The pointer as read: `token` is what the next change must still find."""

    token: Token

    def moved(self, *, fence: int, **changes: Any) -> Pointer:
        """What comes next: the same but for these fields, one epoch later.

        Raises LostLease when a later holder of the lease than `fence` has moved it.
        """
        if fence < self.fence:
            raise LostLease(
                f"the index was changed under lease {self.fence}, ours is {fence}: another reconciler has taken over",
                taken=True,
            )
        values = {field.name: getattr(self, field.name) for field in fields(Pointer)}
        return Pointer(**(values | {"epoch": self.epoch + 1, "fence": fence} | changes))


def read_head(reader: BlobReader) -> Head | None:
    """None while nothing was published. Raises StorageError."""
    try:
        data, token = reader.get_with_token(HEAD)
    except KeyMissing:
        return None
    pointer = decoded(HEAD, data, codec.decode_head)
    return Head(**{field.name: getattr(pointer, field.name) for field in fields(Pointer)}, token=token)


def move_head(store: BlobStore, pointer: Pointer, *, head: Head | None) -> None:
    """Swap the pointer, then read it back with its root: a store that lies is found out before anybody is told.

    Raises PublishConflict when it is no longer `head`, StorageError.
    """
    data = codec.encode_head(pointer)
    store.replace(HEAD, data, expected=head.token if head else None)
    key = root_key(pointer.root)
    checked(key, store.get(key), pointer.root, bytes)
    token = _torn(store, data, pointer)
    if token is not None:  # nobody can read the index now: written once more, it may be whole
        store.replace(HEAD, data, expected=token)
        if _torn(store, data, pointer) is not None:
            raise StorageError(f'"{HEAD}" took a new value and reads back as another one: check the store')


def _torn(store: BlobStore, data: bytes, pointer: Pointer) -> Token | None:
    """The state of what the store has in place of the pointer; None when it has it, or somebody has moved it on."""
    read_back, token = store.get_with_token(HEAD)
    if read_back == data:
        return None
    try:
        moved_on = codec.decode_head(read_back).epoch > pointer.epoch
    except StorageError:
        moved_on = False
    return None if moved_on else token
