"""Bundles of the sample registry: made by us, and taken apart and put together again by somebody else."""

import io
from collections.abc import Iterable
from pathlib import Path

from gitopsreg.index.head import Head, read_head
from gitopsreg.model.digest import Sha256
from gitopsreg.offline import bundle as listed
from gitopsreg.offline import pack
from gitopsreg.offline.bundle import Bundle
from gitopsreg.offline.tar import TarReader, TarWriter
from gitopsreg.offline.trust import trusting
from gitopsreg.offline.unpack import Imported, Verify, unpack
from gitopsreg.storage.base import BlobReader, BlobStore
from tests.releases import a_signer

NOW = "2026-01-01T00:00:00Z"
SIGNER = a_signer("registry")

Entries = list[tuple[str, bytes]]


def head_of(store: BlobReader) -> Head:
    head = read_head(store)
    assert head is not None
    return head


def a_bundle(store: BlobReader, folder: Path, *, root: Sha256 | None = None, since: Sha256 | None = None) -> bytes:
    bundle = pack.pack({"": store}, root or head_of(store).root, since=since)
    target = folder / "bundle.tar"
    assert pack.write(bundle, {"": store}, target, SIGNER.sign) == target.stat().st_size
    return target.read_bytes()


def trusted(folder: Path, name: str = "registry") -> Verify:
    path = folder / f"{name}.asc"
    path.write_text(str(a_signer(name).public))
    return trusting([path])


class ALease:
    """Held by this test, for ever."""

    epoch = 1

    def check(self) -> None:
        pass


def imported(data: bytes, store: BlobStore, verify: Verify | None, *, force: bool = False) -> Imported:
    return unpack(io.BytesIO(data), {"": store}, verify, now=NOW, lease=ALease(), force=force)


def entries(data: bytes) -> Entries:
    reader, found = TarReader(io.BytesIO(data)), []
    while (entry := reader.next()) is not None:
        found.append((entry[0], b"".join(reader.pieces())))
    return found


def put_together(found: Iterable[tuple[str, bytes]]) -> bytes:
    file = io.BytesIO()
    writer = TarWriter(file)
    for name, data in found:
        writer.add(name, len(data), (data,))
    writer.end()
    return file.getvalue()


def signed(bundle: Bundle | bytes, contents: Iterable[tuple[str, bytes]]) -> bytes:
    """A bundle whose list is vouched for, whatever it says."""
    data = bundle if isinstance(bundle, bytes) else listed.encode(bundle)
    return put_together([(listed.LIST, data), (listed.SIGNATURE, SIGNER.sign(data)), *contents])
