"""`bundle export`: a snapshot and all its bytes into one file, signed."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from gitopsreg.errors import ConfigError, KeyMissing, StorageError
from gitopsreg.index import codec
from gitopsreg.index.contents import Place, places
from gitopsreg.index.keys import package_key, root_key, shard_key
from gitopsreg.index.model import Snapshot
from gitopsreg.index.repository import load
from gitopsreg.model.digest import Sha256
from gitopsreg.offline import bundle as listed
from gitopsreg.offline.bundle import Bundle, Member
from gitopsreg.offline.intact import intact
from gitopsreg.offline.tar import TarWriter
from gitopsreg.storage.base import BlobReader
from gitopsreg.storage.disk import explained

Sign = Callable[[bytes], bytes]
Progress = Callable[[str, int], None]

# A store that gets a bundle more often than every so many publishes is known as an older state of this one.
_ANCESTORS = 1000


def pack(readers: Mapping[str, BlobReader], root: Sha256, *, since: Sha256 | None = None) -> Bundle:
    """The list of a bundle; `readers` are the stores by name, "" the registry's own.

    Raises StorageError when the snapshot, or the one of `since`, is not whole.
    """
    reader = readers[""]
    snapshot = _known(reader, root)
    members = _members(reader, snapshot)
    if since is not None:
        older = _members(reader, _known(reader, since))
        members = {place: member for place, member in members.items() if place not in older}
    return Bundle(
        root=root,
        revision=snapshot.root.revision,
        time=snapshot.root.time,
        hostname=snapshot.root.hostname,
        ancestors=tuple(_ancestors(reader, snapshot)),
        since=since,
        members=tuple(member for _, member in sorted(members.items())),
    )


def write(
    bundle: Bundle,
    readers: Mapping[str, BlobReader],
    target: Path,
    sign: Sign | None,
    *,
    progress: Progress = lambda _name, _size: None,
) -> int:
    """The whole file, or none; its size. `sign` None leaves the bundle unsigned.

    Raises ConfigError for a back end that is not among `readers`, StorageError when bytes are missing or altered.
    """
    temporary = target.with_name(f".{target.name}.part")
    try:
        with explained(target, "written"):
            temporary.unlink(missing_ok=True)  # of a killed export, or somebody's link to another file
        with explained(target, "written"), temporary.open("xb") as file:
            _fill(TarWriter(file), bundle, readers, sign, progress)
            file.flush()
            os.fsync(file.fileno())
        with explained(target, "written"):
            temporary.replace(target)
            return target.stat().st_size
    finally:
        with suppress(OSError):
            temporary.unlink()


def _fill(
    tar: TarWriter, bundle: Bundle, readers: Mapping[str, BlobReader], sign: Sign | None, progress: Progress
) -> None:
    data = listed.encode(bundle)
    tar.add(listed.LIST, len(data), (data,))
    if sign is not None:
        signature = sign(data)
        tar.add(listed.SIGNATURE, len(signature), (signature,))
    for blob, (place, *_) in bundle.contents.items():
        tar.add(listed.content_name(blob), blob.size, intact(_pieces(readers, place), blob, place.key))
        progress(place.key, blob.size)
    tar.end()


def _pieces(readers: Mapping[str, BlobReader], place: Place) -> Iterable[bytes]:
    if place.backend not in readers:
        raise ConfigError(
            f'"{place.key}" lies in the back end "{place.backend}", which is not given: '
            f"name it with --backend {place.backend}=URL"
        )
    return readers[place.backend].chunks(place.key)


def _known(reader: BlobReader, root: Sha256) -> Snapshot:
    try:
        return load(reader, root)
    except KeyMissing as error:
        raise StorageError(
            f"the snapshot \"{root}\" is not whole in this store ({error}): 'gitopsreg history' lists those there are"
        ) from error


def _members(reader: BlobReader, snapshot: Snapshot) -> dict[Place, Member]:
    """Documents and blobs, by place."""
    keys = {root_key(snapshot.digest): snapshot.digest}
    keys |= {shard_key(digest): digest for _, digest in snapshot.root.shards}
    keys |= {package_key(entry.digest): entry.digest for entry in snapshot.entries.values()}
    sizes = _sizes(reader)
    members = [Member(key=key, sha256=digest, size=sizes[key]) for key, digest in keys.items()]
    members += [
        Member(backend=place.backend, key=place.key, sha256=blob.sha256, size=blob.size)
        for place, blob in places(snapshot).items()
    ]
    return {member.place: member for member in members}


def _sizes(reader: BlobReader) -> dict[str, int]:
    """Of all documents: a listing is cheaper than a question for each."""
    kinds = ("index/roots/", "index/shards/", "index/packages/")
    return {stored.key: stored.size for kind in kinds for stored in reader.listing(kind)}


def _ancestors(reader: BlobReader, snapshot: Snapshot) -> Iterator[Sha256]:
    """Newest first, as far back as they are kept, and the one before."""
    digest = snapshot.root.previous
    for _ in range(_ANCESTORS):
        if digest is None:
            return
        yield digest
        try:
            data = reader.get(root_key(digest))
        except KeyMissing:
            return
        digest = codec.decode_root(data).previous
