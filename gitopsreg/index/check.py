"""Are stored bytes what their name says? Bounded memory, whatever their size."""

from collections.abc import Callable, Mapping
from hashlib import sha256

from gitopsreg.errors import StorageError
from gitopsreg.index.contents import Place
from gitopsreg.index.fault import Damaged, NoBackend
from gitopsreg.index.model import Blob
from gitopsreg.storage.base import BlobReader

# Told of every piece that was read, in bytes; may take its time.
Pace = Callable[[int], None]


def unhurried(_size: int) -> None:
    """Nobody asked for a slow walk."""


def check_blob(
    stores: Mapping[str, BlobReader], place: Place, blob: Blob, *, quick: bool = False, pace: Pace = unhurried
) -> None:
    """`quick` looks at the size only. Raises Damaged, KeyMissing, NoBackend, StorageError."""
    size = store_of(stores, place).stat(place.key).size
    if size != blob.size:
        raise Damaged(f'"{place.key}" has {size} bytes, {blob.size} were published')
    if not quick:
        check_name(stores, place, pace=pace)


def check_name(stores: Mapping[str, BlobReader], place: Place, *, pace: Pace = unhurried) -> None:
    """Whether the bytes have the digest that ends the key, be they a blob or a document. Raises as `check_blob`."""
    digest = sha256()
    for chunk in store_of(stores, place).chunks(place.key):
        digest.update(chunk)
        pace(len(chunk))
    if digest.hexdigest() != place.key.rpartition("/")[2]:
        raise Damaged(f'"{place.key}" holds other bytes than were published')


def looked_at(
    stores: Mapping[str, BlobReader], place: Place, blob: Blob, *, quick: bool = False, pace: Pace = unhurried
) -> StorageError | None:
    """The same as a value: what is wrong, or None."""
    try:
        check_blob(stores, place, blob, quick=quick, pace=pace)
    except StorageError as error:
        return error
    return None


def store_of(stores: Mapping[str, BlobReader], place: Place) -> BlobReader:
    if place.backend not in stores:
        raise NoBackend(f'no back end is called "{place.backend}": add --backend {place.backend}=URL')
    return stores[place.backend]
