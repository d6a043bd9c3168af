"""One snapshot as one file: what a plan needs to know of a registry, for machines that can't reach its store.

It holds the documents of the index, no blob, no status and no key. Reading it believes nothing but digests.
"""

from collections.abc import Iterator, Mapping

from gitopsreg.errors import StorageError
from gitopsreg.index import codec
from gitopsreg.index.keys import HEAD, package_key, root_key, shard_key
from gitopsreg.index.pointer import Pointer
from gitopsreg.index.repository import load, read_head
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader

# A registry of 27,000 packages takes about 200 MB.
MAX_BYTES = 2 * 1024**3


def export(reader: BlobReader) -> bytes:
    """The published snapshot as one canonical JSON document: the same snapshot, the same bytes.

    Raises StorageError, also when nothing was published yet.
    """
    head = read_head(reader)
    if head is None:
        raise StorageError("nothing has been published into this store yet: there is no index to export")
    newest = load(reader, head.newest)  # whole and right, or not at all
    # What the next publish builds on, also while an older one is served: a plan is measured by it.
    pointer = Pointer(root=head.newest, revision=newest.root.revision, epoch=head.epoch)
    return codec.encode_export(pointer, dict(_documents(reader, head.newest)))


def unpacked(data: bytes) -> Mapping[str, bytes]:
    """The documents by the keys they have in a store, `index/head` among them.

    Raises StorageError when the file is no export, or a document in it is not what its name says.
    """
    pointer, documents = codec.decode_export(data)
    for key, document in documents.items():
        kind, _, digest = key.rpartition("/")
        if kind not in {"index/roots", "index/shards", "index/packages"} or Sha256.of(document).hex != digest:
            raise StorageError(f'"{key}" in the exported index is altered: export it anew')
    return {**documents, HEAD: codec.encode_head(pointer)}


def _documents(reader: BlobReader, root: Sha256) -> Iterator[tuple[str, bytes]]:
    top = reader.get(root_key(root))
    yield root_key(root), top
    for _, digest in codec.decode_root(top).shards:
        shard = reader.get(shard_key(digest))
        yield shard_key(digest), shard
        for entry in codec.decode_shard(shard):
            yield package_key(entry.digest), reader.get(package_key(entry.digest))
