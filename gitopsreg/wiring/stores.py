"""Stores, by their address. A store's library is imported when an address asks for it, since they are slow to load."""

from collections.abc import Mapping
from pathlib import Path

from gitopsreg.errors import StorageError
from gitopsreg.reconcile.claim import claim
from gitopsreg.settings import Settings
from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.base import BlobReader, BlobStore
from gitopsreg.storage.bounded import BoundedReader, BoundedStore
from gitopsreg.storage.filesystem import FilesystemReader, FilesystemStore
from gitopsreg.storage.probe import check_conditional_writes

# Seconds of silence after which a store counts as gone. Clouds' clients give up sooner; a disk never does.
_PATIENCE = 60.0


def open_store(settings: Settings) -> BlobStore:
    """The store for writing. Raises InvalidName, and ConfigError where its library or credentials are missing."""
    return store_at(settings.store)


def open_reader(settings: Settings) -> BlobReader:
    """The store for reading: a type without a way to write. Raises as `open_store`."""
    return reader_at(settings.store)


def prove(settings: Settings, backends: Mapping[str, BlobStore]) -> None:
    """Raises ConfigError for a store that takes conditional writes and does not honour them, and StorageError.

    Other back ends are claimed: who publishes there first is the one that may collect there.
    """
    if StoreAddress.parse(settings.store).scheme != "file":  # of our own making
        check_conditional_writes(backends[""])
    for name, backend in backends.items():
        if name:
            claim(backends[""], backend)


def open_backends(settings: Settings) -> dict[str, BlobStore]:
    """Every store for writing, by name: "" is the registry's own. Raises as `open_store`."""
    return {"": open_store(settings), **{backend.name: store_at(backend.url) for backend in settings.backends}}


def open_backend_readers(settings: Settings) -> dict[str, BlobReader]:
    """Every store for reading, by name: "" is the registry's own. Raises as `open_store`."""
    return {"": open_reader(settings), **{backend.name: reader_at(backend.url) for backend in settings.backends}}


def open_server_readers(settings: Settings) -> dict[str, BlobReader]:
    """The same for servers, which have limits of their own. Raises as `open_store`."""
    backends = {backend.name: _reader(StoreAddress.parse(backend.url)) for backend in settings.backends}
    return {"": _reader(StoreAddress.parse(settings.store)), **backends}


def store_at(url: str) -> BlobStore:
    """Its every call ends. Raises as `open_store`."""
    return BoundedStore(_store(StoreAddress.parse(url)), _PATIENCE)


def reader_at(url: str) -> BlobReader:
    """Its every call ends. Raises as `open_store`."""
    return BoundedReader(_reader(StoreAddress.parse(url)), _PATIENCE)


def same_place(url: str, other: str) -> bool:
    """Whether both name one store. Raises InvalidName for what is no address."""
    one, two = StoreAddress.parse(url), StoreAddress.parse(other)
    if one.scheme == two.scheme == "file":
        return one.directory.resolve() == two.directory.resolve()
    return (one.scheme, one.place, one.prefix) == (two.scheme, two.place, two.prefix)


def _store(address: StoreAddress) -> BlobStore:
    match address.scheme:
        case "file":
            return FilesystemStore(address.directory)
        case "s3":
            from gitopsreg.storage.s3 import S3Store

            return S3Store(address)
        case "azure":
            from gitopsreg.storage.azure import AzureStore

            return AzureStore(address)
        case "gs":
            from gitopsreg.storage.gcs import GcsStore

            return GcsStore(address)


def _reader(address: StoreAddress) -> BlobReader:
    match address.scheme:
        case "file":
            return FilesystemReader(address.directory)
        case "s3":
            from gitopsreg.storage.s3 import S3Reader

            return S3Reader(address)
        case "azure":
            from gitopsreg.storage.azure import AzureReader

            return AzureReader(address)
        case "gs":
            from gitopsreg.storage.gcs import GcsReader

            return GcsReader(address)


def open_index(path: Path | None) -> BlobReader:
    """An exported index as a store that only planning reads; without a file an empty one. Raises StorageError."""
    from gitopsreg.index import export
    from gitopsreg.storage.memory import MemoryStore

    store = MemoryStore()
    if path is None:
        return store
    try:
        if path.stat().st_size > export.MAX_BYTES:
            raise StorageError(f'the index "{path}" is too large: {export.MAX_BYTES:,} bytes at most')
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f'the index "{path}" can\'t be read: {error.strerror}') from error
    for key, document in export.unpacked(data).items():
        store.put(key, document)
    return store
