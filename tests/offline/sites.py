"""A store with the sample registry, and what an export made of it."""

from pathlib import Path

from gitopsreg.index.head import read_head
from gitopsreg.index.repository import load
from gitopsreg.offline.site import Site
from gitopsreg.offline.static import Exported, export
from gitopsreg.storage.base import BlobReader
from gitopsreg.storage.memory import MemoryStore
from tests.server.house import fill, store_bytes

PUBLIC = "https://public.example.com:8443"


def a_store() -> MemoryStore:
    store = MemoryStore()
    fill(store)
    store_bytes(store, b"1.0.0")  # the archive of the module `old`
    return store


def a_site(store: BlobReader) -> Site:
    head = read_head(store)
    assert head is not None
    return Site(load(store, head.root), PUBLIC)


def exported(store: BlobReader, folder: Path) -> Exported:
    return export(a_site(store), {"": store}, folder)


def files(folder: Path) -> dict[str, bytes]:
    """Everything below a folder, by relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
