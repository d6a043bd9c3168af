"""Whose a back end is. Two registries may name the same one, or one may be a copy of the other; only the one that
claimed it removes anything there.
"""

import secrets
from contextlib import suppress

from gitopsreg.errors import KeyMissing, PublishConflict
from gitopsreg.index.keys import COPIED, HEAD
from gitopsreg.storage.base import BlobReader, BlobStore

# Made once; `store copy` leaves it behind, since a copy is another registry.
_IDENTITY = "private/registry-id"
_CLAIM = "collected-by"


def claim(own: BlobStore, other: BlobStore, *, take_over: bool = False) -> bool:
    """Claim a back end for the registry whose own store is `own`; whether it is ours now.

    `take_over` takes it from whoever claimed it before, but never another registry's own store. Without it a copy never
    claims anything: what lies there is the original's, whether that has claimed it or not. Raises StorageError.
    """
    ours = _identity(own)
    if _read(other, HEAD) is not None:  # it is the own store of a registry: of this one, under two names?
        return _read(other, _IDENTITY) == ours
    if take_over:
        other.put(_CLAIM, ours)
    elif _read(own, COPIED) is None:
        with suppress(PublishConflict):  # then it has been claimed
            other.replace(_CLAIM, ours, expected=None)
    return _read(other, _CLAIM) == ours


def is_free(own: BlobReader, other: BlobReader) -> bool:
    """Whether `claim` would say yes. Writes nothing."""
    ours = _read(own, _IDENTITY)
    if _read(other, HEAD) is not None:
        return ours is not None and _read(other, _IDENTITY) == ours
    claimed = _read(other, _CLAIM)
    return claimed == ours if claimed is not None else _read(own, COPIED) is None


def is_anothers(own: BlobReader, other: BlobReader, folder: str) -> bool:
    """Whether a folder of a back end (or of the own store) lies in the own store of another registry, or in a back end
    that one claimed: a catalog may name any folder. Writes nothing.
    """
    ours = _read(own, _IDENTITY)
    parts = folder.split("/") if folder else []
    for number in range(1, len(parts) + 1):
        top = "/".join(parts[:number])
        if _read(other, f"{top}/{HEAD}") is not None and (ours is None or _read(other, f"{top}/{_IDENTITY}") != ours):
            return True
        if _read(other, f"{top}/{_CLAIM}") not in {None, ours}:
            return True
    return False


def _identity(own: BlobStore) -> bytes:
    with suppress(PublishConflict):  # there is one
        own.replace(_IDENTITY, secrets.token_hex(16).encode(), expected=None)
    return own.get(_IDENTITY)


def _read(reader: BlobReader, key: str) -> bytes | None:
    try:
        return reader.get(key)
    except KeyMissing:
        return None
