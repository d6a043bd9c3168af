"""The secret that signs download links, in the store's private area: made once, then only read."""

import secrets
from contextlib import suppress

from gitopsreg.errors import KeyMissing, PublishConflict, StorageError
from gitopsreg.index.keys import LINK_KEY
from gitopsreg.storage.base import BlobReader, BlobStore

_SIZE = 32


def read_link_key(reader: BlobReader) -> bytes | None:
    """The key, or None while no reconciler has made one. Raises StorageError when it is not one of ours."""
    try:
        key = reader.get(LINK_KEY)
    except KeyMissing:
        return None
    if len(key) < _SIZE:
        raise StorageError(f'"{LINK_KEY}" in the store holds {len(key)} bytes: remove it, and it will be made again')
    return key


def ensure_link_key(store: BlobStore) -> bytes:
    """The key; makes it when there is none. Of several makers at once one wins and all get the same key."""
    key = read_link_key(store)
    if key is None:
        with suppress(PublishConflict):  # then somebody else's is there
            store.replace(LINK_KEY, secrets.token_bytes(_SIZE), expected=None)
        key = read_link_key(store)
    if key is None:
        raise StorageError(f'"{LINK_KEY}" can\'t be made in the store: it neither takes one nor has one')
    return key
