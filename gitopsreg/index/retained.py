"""Which snapshots are kept: the one that is served, and the newest few that were ever published.

A store remembers where its history was cut, so that a root that is merely lost is not taken for the end.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from gitopsreg.errors import InvalidName, KeyMissing, StorageError
from gitopsreg.index.head import Head
from gitopsreg.index.keys import root_key
from gitopsreg.index.reading import read_root
from gitopsreg.index.repository import history
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader, BlobStore

# The oldest root of those kept, when older ones were let go or not copied along.
_OLDEST = "status/care/oldest"


@dataclass(frozen=True, slots=True)
class Retained:
    """`served` is the head's root, `chain` the newest ones, newest first; after a rollback the former may be none of
    the latter.
    """

    served: Sha256
    chain: tuple[Sha256, ...]

    @property
    def roots(self) -> tuple[Sha256, ...]:
        return tuple(dict.fromkeys((self.served, *self.chain)))


def in_force(head: Head) -> tuple[Sha256, ...]:
    """What is served and what the next publish builds on, without history."""
    return tuple(dict.fromkeys((head.root, head.newest)))


def retained(reader: BlobReader, head: Head, keep: int) -> Retained:
    """The `keep` newest roots, one at least; history ends where it was cut, though a few older ones may still be there.

    Raises StorageError for a root that is torn, or missing where history should go on.
    """
    cut = _oldest(reader)
    chain = [head.newest]
    digest = read_root(reader, head.newest).previous
    while digest is not None and len(chain) < keep and chain[-1] != cut:
        try:
            before = read_root(reader, digest).previous
        except KeyMissing as error:
            raise StorageError(
                f'"{root_key(digest)}" is missing, and history breaks there: restore it from a copy, or let what is '
                f"older go with --keep {len(chain)}"
            ) from error
        chain.append(digest)
        digest = before
    return Retained(head.root, tuple(chain))


def kept(reader: BlobReader, head: Head, most: int) -> Iterator[Sha256]:
    """The newest roots, newest first: none that a collection lets go, though it may be there for a moment longer.

    Raises StorageError.
    """
    cut = _oldest(reader)
    for digest, _ in history(reader, head, most):
        yield digest
        if digest == cut:
            return


def remember_cut(store: BlobStore, kept: Retained) -> None:
    """What is older than these is about to go, or stays behind. Raises StorageError."""
    store.put(_OLDEST, kept.chain[-1].hex.encode())


def _oldest(reader: BlobReader) -> Sha256 | None:
    with suppress(StorageError, InvalidName, UnicodeDecodeError):
        return Sha256(reader.get(_OLDEST).decode())
    return None
