"""`bundle import`: a bundle into a store, in one pass. Believes the signed list, and bytes only by their digest.

Bytes first, pointer last, as with every publish: an import that was killed changed nothing that is served, and the next
one takes what is stored already and right as done.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from gitopsreg.errors import BundleRefused, ConfigError, KeyMissing, StorageError
from gitopsreg.index.contents import Place, places
from gitopsreg.index.head import read_head
from gitopsreg.index.held import Held
from gitopsreg.index.keys import COPIED
from gitopsreg.index.link_key import ensure_link_key
from gitopsreg.index.model import Blob
from gitopsreg.index.repository import load
from gitopsreg.offline import bundle as listed
from gitopsreg.offline.bundle import Bundle
from gitopsreg.offline.intact import intact
from gitopsreg.offline.lineage import advance, check_hold, check_lineage
from gitopsreg.offline.tar import TarReader
from gitopsreg.storage.base import BlobStore

# (data, signature) -> None, or BundleRefused
Verify = Callable[[bytes, bytes], None]
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """`changed` is False when the store serves this snapshot already; `stored` counts contents, `size` their bytes."""

    bundle: Bundle
    changed: bool
    stored: int = 0
    size: int = 0
    skipped: int = 0


def unpack(
    file: BinaryIO,
    stores: Mapping[str, BlobStore],
    verify: Verify | None,
    *,
    now: str,
    lease: Held,
    force: bool = False,
    progress: Progress = lambda _name, _size: None,
) -> Imported:
    """Import what `verify` vouches for; None believes anybody. `stores` are the stores by name, "" the registry's own;
    `now` is RFC 3339 in UTC. `lease` keeps collections away: they may remove what is found here and not named yet.

    Raises BundleRefused for a file that is torn, altered or not vouched for, and unless `force` for a store that has
    another registry's index or a newer one; PublishHeld; ConfigError for a back end that is not among `stores`;
    StorageError.
    """
    tar = TarReader(file)
    bundle, entry = _verified_list(tar, verify)
    store = stores[""]
    _check_backends(bundle, stores)
    head = read_head(store)
    served = head is not None and head.root == bundle.root and not force
    if served and _is_whole(stores, bundle):
        return Imported(bundle=bundle, changed=False)
    if not served:
        check_hold(head, now)
        if not force:
            check_lineage(store, head, bundle)
    _check_since(store, bundle)
    work = _Work(stores, progress)
    work.take_all(tar, entry, bundle)
    _check_whole(stores, bundle)
    ensure_link_key(store)
    store.put(COPIED, b"")
    lease.check()
    if not served:
        advance(store, head, bundle, fence=lease.epoch)
    return Imported(bundle=bundle, changed=True, stored=work.stored, size=work.size, skipped=work.skipped)


def _verified_list(tar: TarReader, verify: Verify | None) -> tuple[Bundle, tuple[str, int] | None]:
    """The list, and the entry behind it and its signature. Nothing of the list is read before it is verified."""
    data = _small(tar, tar.next(), listed.LIST, listed.MAX_LIST)
    entry = tar.next()
    signed = entry is not None and entry[0] == listed.SIGNATURE
    if signed:
        signature = _small(tar, entry, listed.SIGNATURE, listed.MAX_SIGNATURE)
        if verify is not None:
            verify(data, signature)
        entry = tar.next()
    elif verify is not None:
        raise BundleRefused("the bundle is not signed: export it with --sign-key, or import it with --unsigned")
    return listed.decode(data), entry


def _small(tar: TarReader, entry: tuple[str, int] | None, name: str, most: int) -> bytes:
    if entry is None or entry[0] != name:
        raise BundleRefused(f'this is no bundle: it has no "{name}" where one belongs')
    if entry[1] > most:
        raise BundleRefused(f'the bundle\'s "{name}" is too large: {most:,} bytes at most')
    return b"".join(tar.pieces())


def _check_backends(bundle: Bundle, stores: Mapping[str, BlobStore]) -> None:
    missing = sorted({member.backend for member in bundle.members} - stores.keys())
    if missing:
        raise ConfigError(
            "\n".join(
                f'the bundle holds versions of the back end "{name}", which is not given: name one with '
                f"--backend {name}=URL"
                for name in missing
            )
        )


def _check_since(store: BlobStore, bundle: Bundle) -> None:
    if bundle.since is None:
        return
    try:
        load(store, bundle.since)
    except KeyMissing as error:
        raise BundleRefused(
            f'the bundle leaves out what the snapshot "{bundle.since}" names, and this store lacks it: import a bundle '
            "of that one first, or a whole one"
        ) from error


def _check_whole(stores: Mapping[str, BlobStore], bundle: Bundle) -> None:
    """Everything that the snapshot names is stored: what the bundle brought, and what it left out."""
    brought = {member.place for member in bundle.members}
    for place, blob in places(load(stores[""], bundle.root)).items():
        if place.backend not in stores or (place not in brought and not _has_size(stores, place, blob)):
            raise BundleRefused(f'the snapshot needs "{place.key}", which neither the bundle nor the store has')


def _is_whole(stores: Mapping[str, BlobStore], bundle: Bundle) -> bool:
    """Whether what is served lacks nothing, by sizes: else the import mends it."""
    try:
        found = places(load(stores[""], bundle.root))
    except StorageError:
        return False
    return all(place.backend in stores and _has_size(stores, place, blob) for place, blob in found.items())


def _has_size(stores: Mapping[str, BlobStore], place: Place, blob: Blob) -> bool:
    try:
        return stores[place.backend].size(place.key) == blob.size
    except KeyMissing:
        return False


class _Work:
    """One import under way."""

    def __init__(self, stores: Mapping[str, BlobStore], progress: Progress) -> None:
        self._stores = stores
        self._progress = progress
        self.stored = self.size = self.skipped = 0

    def take_all(self, tar: TarReader, entry: tuple[str, int] | None, bundle: Bundle) -> None:
        """Exactly what the list says, in its order."""
        for blob, found in bundle.contents.items():
            if entry is None:
                raise BundleRefused(f'the bundle lacks "{listed.content_name(blob)}", which its list names')
            if entry != (listed.content_name(blob), blob.size):
                raise BundleRefused(
                    f"the bundle holds {entry[0]!r:.80} where its list says {blob.sha256}: it was altered"
                )
            self._take(tar.pieces(), blob, found)
            self._progress(found[0].key, blob.size)
            entry = tar.next()
        if entry is not None:
            raise BundleRefused(f"the bundle holds {entry[0]!r:.80}, which its list does not name: it was altered")

    def _take(self, pieces: Iterator[bytes], blob: Blob, found: list[Place]) -> None:
        content: Iterable[bytes] = intact(pieces, blob, listed.content_name(blob), error=BundleRefused)
        wanted = [place for place in found if not self._is_stored(place, blob)]
        if not wanted:
            for _ in content:  # what is skipped must be right too
                pass
            self.skipped += 1
            return
        for number, place in enumerate(wanted):
            if number:
                content = self._stores[wanted[0].backend].chunks(wanted[0].key)
            self._stores[place.backend].put(place.key, content)
            if not self._is_stored(place, blob):
                raise StorageError(f'"{place.key}" reads back as other bytes than were written: check the store')
        self.stored += 1
        self.size += blob.size

    def _is_stored(self, place: Place, blob: Blob) -> bool:
        """Whether an earlier import got so far; a file of the right size may be torn all the same."""
        store = self._stores[place.backend]
        try:
            if store.size(place.key) != blob.size:
                return False
            digest = sha256()
            for piece in store.chunks(place.key):
                digest.update(piece)
        except KeyMissing:
            return False
        return digest.hexdigest() == blob.sha256.hex
