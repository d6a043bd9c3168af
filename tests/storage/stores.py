"""Every store that keeps the contract, by name: how the conformance suite makes an empty one. Each back end that needs
a server has a file of its own beside this one, which starts it.
"""

from collections.abc import Callable
from pathlib import Path

from gitopsreg.storage.base import BlobStore
from gitopsreg.storage.filesystem import FilesystemStore
from gitopsreg.storage.memory import MemoryStore

STORES: dict[str, Callable[[Path], BlobStore]] = {
    "memory": lambda _: MemoryStore(),
    "filesystem": FilesystemStore,
}
