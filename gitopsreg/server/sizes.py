"""How large stored bytes are, without asking the store: documents say it, and need not be decoded for it."""

import re
from collections.abc import Iterable, Iterator

from gitopsreg.index.contents import blobs_of
from gitopsreg.index.documents import Document
from gitopsreg.index.model import Snapshot
from gitopsreg.index.packages import Packages

# A stored blob in a canonical document: names of fields are sorted, and no text holds a bare quote.
_BLOB = re.compile(rb'"sha256":"([0-9a-f]{64})","size":([0-9]+)')


def add_sizes(sizes: dict[str, int], snapshot: Snapshot, known: Snapshot | None = None) -> None:
    """Bytes by hex digest, of all that versions name, as far as documents are read; what `known` has is there already.

    What is there is never wrong, so snapshots share it: versions leave tombstones, it hardly outgrows the newest.
    """
    packages = snapshot.packages
    if not isinstance(packages, Packages):
        for package in packages.values():
            for version in package.versions:
                sizes.update((blob.sha256.hex, blob.size) for blob in blobs_of(version))
        return
    sizes.update(_sizes(packages.documents if known is None else _changed(packages, known)))


def _changed(packages: Packages, known: Snapshot) -> Iterator[Document]:
    if not isinstance(known.packages, Packages):
        yield from packages.documents
        return
    yield from (here for here, _ in packages.documents.differences(known.packages.documents) if here is not None)


def _sizes(documents: Iterable[Document]) -> Iterator[tuple[str, int]]:
    for document in documents:
        data = document.data if document.entry.stored != "nothing" else None
        for match in _BLOB.finditer(data or b""):
            yield match[1].decode(), int(match[2])


def named(document: Document, asked: frozenset[bytes]) -> frozenset[str]:
    """Those of the digests, as bytes of hex, that a document which was read names."""
    return frozenset(match[1].decode() for match in _BLOB.finditer(document.data or b"") if match[1] in asked)
