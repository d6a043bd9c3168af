"""Stored bytes on their way out: handed on in pieces, and only as a whole when they are what their digest says."""

from collections.abc import Iterable, Iterator
from hashlib import sha256

from gitopsreg.errors import GitopsregError, StorageError
from gitopsreg.index.model import Blob


def intact(
    pieces: Iterable[bytes], blob: Blob, name: str, *, error: type[GitopsregError] = StorageError
) -> Iterator[bytes]:
    """The pieces as they come; raises `error` in the middle or at the end when they are not the blob's.

    `name` is what the message calls it. What was made of the pieces must be thrown away then.
    """
    digest, size = sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        if size > blob.size:
            break
        yield piece
    if size != blob.size or digest.hexdigest() != blob.sha256.hex:
        raise error(f'"{name}" is torn or altered: it should be {blob.size} bytes with {blob.sha256}')
