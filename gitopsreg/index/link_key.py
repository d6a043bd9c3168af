"""The secret that signs download links, in the store's private area: made once, then only read."""

import secrets
from contextlib import suppress

from gitopsreg.errors import KeyMissing, PublishConflict, StorageError
from gitopsreg.index.keys import LINK_KEY
from gitopsreg.storage.base import BlobReader, BlobStore, Token

_SIZE = 32


def read_link_key(reader: BlobReader) -> bytes | None:
    """The key, or None while no reconciler has made one. Raises StorageError when it is not one of ours."""
    key = _look(reader)[0]
    if key is not None and len(key) < _SIZE:
        raise StorageError(f'"{LINK_KEY}" in the store holds {len(key)} bytes of {_SIZE}: a reconcile makes it again')
    return key


def ensure_link_key(store: BlobStore) -> bytes:
    """The key; makes it when there is none. Of several makers at once one wins and all get the same key.

    A torn one is made anew, since nobody could sign with it. Raises StorageError.
    """
    key, token = _look(store)
    if key is None or (len(key) < _SIZE and store.size(LINK_KEY) == len(key)):  # else only this reading was torn
        with suppress(PublishConflict):  # then somebody else's is there
            store.replace(LINK_KEY, secrets.token_bytes(_SIZE), expected=token)
    key = read_link_key(store)
    if key is None:
        raise StorageError(f'"{LINK_KEY}" can\'t be made in the store: it neither takes one nor has one')
    return key


def _look(reader: BlobReader) -> tuple[bytes | None, Token | None]:
    try:
        return reader.get_with_token(LINK_KEY)
    except KeyMissing:
        return None, None
