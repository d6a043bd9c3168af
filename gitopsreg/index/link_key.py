"""The secret that signs download links, in the store's private area: made once, then only read."""

import secrets

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
    if key is not None:
        return key
    try:
        made = secrets.token_bytes(_SIZE)
        store.replace(LINK_KEY, made, expected=None)
    except PublishConflict:
        return ensure_link_key(store)
    return made
