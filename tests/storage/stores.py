"""Every store that keeps the contract, by name: how the conformance suite makes an empty one. Each back end that needs
a server has a file of its own beside this one, which starts it.
"""

from collections.abc import Callable
from pathlib import Path

from gitopsreg.storage.base import BlobStore
from gitopsreg.storage.bounded import BoundedStore
from gitopsreg.storage.filesystem import FilesystemStore
from gitopsreg.storage.memory import MemoryStore
from tests.storage import azure_server, gcs_server, s3_server

STORES: dict[str, Callable[[Path], BlobStore]] = {
    "memory": lambda _: MemoryStore(),
    "filesystem": FilesystemStore,
    "s3": lambda _: s3_server.new_store(),
    "gcs": lambda _: gcs_server.new_store(),
    "bounded memory": lambda _: BoundedStore(MemoryStore(), 60),
    "bounded filesystem": lambda folder: BoundedStore(FilesystemStore(folder), 60),
    "azure": lambda _: azure_server.new_store(),
}
