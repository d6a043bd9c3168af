"""An import believes no store: what it wrote is read back, and what is served already is mended."""

import io
from collections.abc import Iterable
from pathlib import Path

import pytest

from gitopsreg.errors import LostLease, StorageError
from gitopsreg.index.contents import places
from gitopsreg.index.head import move_head, read_head
from gitopsreg.index.repository import load
from gitopsreg.offline.unpack import unpack
from gitopsreg.storage.memory import MemoryStore
from tests.offline.bundles import NOW, ALease, a_bundle, head_of, imported, trusted
from tests.offline.sites import a_store


class TearingStore(MemoryStore):
    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        whole = data if isinstance(data, bytes) else b"".join(data)
        super().put(key, whole[:-1] if key.startswith("blobs/") else whole)


def test_what_is_torn_on_its_way_is_not_served(tmp_path: Path) -> None:
    target = TearingStore()
    with pytest.raises(StorageError, match="reads back as other bytes"):
        imported(a_bundle(a_store(), tmp_path), target, trusted(tmp_path))
    assert read_head(target) is None


def test_a_second_import_mends_what_was_lost(tmp_path: Path) -> None:
    target, data = MemoryStore(), a_bundle(a_store(), tmp_path)
    imported(data, target, trusted(tmp_path))
    target.delete(next(target.keys("blobs/")))
    assert imported(data, target, trusted(tmp_path)).stored == 1
    assert all(target.size(place.key) for place in places(load(target, head_of(target).root)))


def test_a_later_holder_of_the_lease_shuts_an_import_out(tmp_path: Path) -> None:
    source, target = a_store(), MemoryStore()
    imported(a_bundle(source, tmp_path), target, trusted(tmp_path))
    head = head_of(target)
    move_head(target, head.moved(fence=7), head=head)
    with pytest.raises(LostLease):
        unpack(
            io.BytesIO(a_bundle(source, tmp_path)), {"": target}, trusted(tmp_path), now=NOW, lease=ALease(), force=True
        )
