"""Every document that some roots lead to: roots, then shards, then packages, each read once and held against its name.

Nothing is kept but digests, so that a registry of any size can be walked.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any

from gitopsreg.errors import StorageError
from gitopsreg.index import codec
from gitopsreg.index.contents import Place
from gitopsreg.index.fault import Damaged
from gitopsreg.index.keys import package_key, root_key, shard_key
from gitopsreg.index.model import Entry, Package, Root
from gitopsreg.index.side_by_side import JOBS, side_by_side
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader

Value = Root | tuple[Entry, ...] | Package
# Told how each document was found; None is well.
Heed = Callable[[Place, StorageError | None], None]


@dataclass(frozen=True, slots=True)
class Page:
    """A document with its bytes."""

    key: str
    data: bytes
    value: Value


def refuse(_place: Place, error: StorageError | None) -> None:
    """The first document that is not as it should be ends the walk."""
    if error is not None:
        raise error


def walk(reader: BlobReader, roots: Iterable[Sha256], *, heed: Heed = refuse, jobs: int = JOBS) -> Generator[Page]:
    """What can't be read is left out, when `heed` lets it pass; so is what only it leads to.

    Threads run until the walk ends: close it when it is left before (`contextlib.closing`).
    """
    packages: dict[Sha256, None] = {}
    for page in walk_to_shards(reader, roots, heed=heed, jobs=jobs):
        yield page
        if isinstance(page.value, tuple):
            packages.update(dict.fromkeys(entry.digest for entry in page.value))
    for page, _ in _pages(reader, package_key, packages, codec.decode_package, heed=heed, jobs=jobs):
        yield page


def walk_to_shards(
    reader: BlobReader, roots: Iterable[Sha256], *, heed: Heed = refuse, jobs: int = JOBS
) -> Generator[Page]:
    """The same without packages: what tells which there are."""
    shards: dict[Sha256, None] = {}
    for page, root in _pages(reader, root_key, roots, codec.decode_root, heed=heed, jobs=jobs):
        yield page
        shards.update(dict.fromkeys(digest for _, digest in root.shards))
    for page, _ in _pages(reader, shard_key, shards, codec.decode_shard, heed=heed, jobs=jobs):
        yield page


def read_document(reader: BlobReader, key: str) -> bytes:
    """Raises Damaged for bytes that are not those of the name, KeyMissing, StorageError."""
    data = reader.get(key)
    if Sha256.of(data).hex != key.rpartition("/")[2]:
        raise Damaged(f'"{key}" is torn or altered')
    return data


def _pages(
    reader: BlobReader,
    key_of: Callable[[Sha256], str],
    digests: Iterable[Sha256],
    decode: Callable[[bytes], Any],
    *,
    heed: Heed,
    jobs: int,
) -> Generator[tuple[Page, Any]]:
    """Threads only fetch: decoding would make them fight."""
    with side_by_side(lambda digest: _fetch(reader, key_of(digest)), digests, jobs=jobs) as fetched:
        for key, found in fetched:
            value: Any = None
            error = found if isinstance(found, StorageError) else None
            if isinstance(found, bytes):
                try:
                    value = decode(found)
                except StorageError as problem:
                    error = Damaged(f'"{key}" can\'t be used: {problem}')
            heed(Place("", key), error)
            if error is None and isinstance(found, bytes):
                yield Page(key, found, value), value


def _fetch(reader: BlobReader, key: str) -> tuple[str, bytes | StorageError]:
    try:
        return key, read_document(reader, key)
    except StorageError as error:
        return key, error
