"""A document of the index as read from the shelf: proven by its name, and every error names its key."""

from collections.abc import Callable
from typing import TypeVar

from gitopsreg.errors import StorageError
from gitopsreg.index import codec
from gitopsreg.index.keys import root_key
from gitopsreg.index.model import Root
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader

_Result = TypeVar("_Result")


def read_root(reader: BlobReader, digest: Sha256) -> Root:
    """Raises KeyMissing, StorageError."""
    key = root_key(digest)
    return checked(key, reader.get(key), digest, codec.decode_root)


def checked(key: str, data: bytes, digest: Sha256, decode: Callable[[bytes], _Result]) -> _Result:
    """Raises StorageError for other bytes than the digest's, or for none of ours."""
    if Sha256.of(data) != digest:
        raise StorageError(f'"{key}" is torn or altered: restore the document whose sha256 is its name')
    return decoded(key, data, decode)


def decoded(key: str, data: bytes, decode: Callable[[bytes], _Result]) -> _Result:
    """Raises StorageError."""
    try:
        return decode(data)
    except StorageError as error:
        raise StorageError(f'"{key}" can\'t be used: {error}') from error
