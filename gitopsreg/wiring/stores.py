"""Stores, by their address. A store's library is imported when an address asks for it, since they are slow to load."""

from pathlib import Path

from gitopsreg.errors import StorageError
from gitopsreg.settings import Settings
from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.base import BlobReader, BlobStore
from gitopsreg.storage.filesystem import FilesystemReader, FilesystemStore


def open_store(settings: Settings) -> BlobStore:
    """The store for writing. Raises InvalidName, and ConfigError where its library or credentials are missing."""
    return store_at(settings.store)


def open_reader(settings: Settings) -> BlobReader:
    """The store as the server gets it: a type without a way to write. Raises as `open_store`."""
    return reader_at(settings.store)


def open_backends(settings: Settings) -> dict[str, BlobStore]:
    """Every store for writing, by name: "" is the registry's own. Raises as `open_store`."""
    return {"": open_store(settings), **{backend.name: store_at(backend.url) for backend in settings.backends}}


def open_backend_readers(settings: Settings) -> dict[str, BlobReader]:
    """Every store for reading, by name: "" is the registry's own. Raises as `open_store`."""
    return {"": open_reader(settings), **{backend.name: reader_at(backend.url) for backend in settings.backends}}


def store_at(url: str) -> BlobStore:
    """Raises as `open_store`."""
    address = StoreAddress.parse(url)
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


def reader_at(url: str) -> BlobReader:
    """Raises as `open_store`."""
    address = StoreAddress.parse(url)
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
