"""The link key of the store: read with the snapshot, kept when the store fails, never read by a request."""

from datetime import timedelta

import pytest

from gitopsreg.errors import StorageError
from gitopsreg.index.keys import LINK_KEY
from gitopsreg.index.link_key import ensure_link_key
from gitopsreg.server.app import build_app
from gitopsreg.server.listen import Listen
from gitopsreg.server.serve import serving
from gitopsreg.server.signing import StoredSigner
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.storage.base import BlobReader
from gitopsreg.storage.memory import MemoryStore
from tests.server.house import ask, fill
from tests.server.test_snapshot import Flaky

TTL = timedelta(hours=1)
DOWNLOAD = "/v1/modules/platform/vpc/aws/1.0.0/download"


def test_while_there_is_no_key_it_says_so_once_and_then_takes_what_comes() -> None:
    store, reports = MemoryStore(), list[str]()
    signer = StoredSigner(ttl=TTL, report=reports.append)
    for _ in range(2):
        signer.refresh(store)
        with pytest.raises(StorageError, match='no "private/link-key" yet: a reconcile makes it'):
            signer.current()
    assert len(reports) == 1
    ensure_link_key(store)
    signer.refresh(store)
    assert signer.current() is signer.current()


def test_a_store_that_is_gone_leaves_the_last_key_and_a_new_key_is_taken() -> None:
    store = MemoryStore()
    ensure_link_key(store)
    reader, reports = Flaky(store), list[str]()
    signer = StoredSigner(ttl=TTL, report=reports.append)
    signer.refresh(reader)
    first = signer.current()
    reader.broken = True
    signer.refresh(reader)
    signer.refresh(reader)
    assert signer.current() is first
    assert reports == ["the key of download links can't be read: the store does not answer"]
    reader.broken = False
    signer.refresh(reader)
    assert signer.current() is first
    store.delete(LINK_KEY)
    ensure_link_key(store)
    signer.refresh(reader)
    assert signer.current() is not first


def test_a_key_that_is_none_of_ours_is_told() -> None:
    store = MemoryStore()
    store.put(LINK_KEY, b"short")
    signer = StoredSigner(ttl=TTL)
    signer.refresh(store)
    with pytest.raises(StorageError, match="holds 5 bytes"):
        signer.current()


def test_no_request_for_a_link_reads_the_store() -> None:
    store = MemoryStore()
    fill(store)
    reader = Flaky(store)
    signer = StoredSigner(ttl=TTL)
    snapshots = Snapshots(reader, beside=signer.refresh)
    snapshots.refresh()
    with serving(build_app(snapshots, {"": reader}, signer.current), Listen("127.0.0.1", 0)) as url:
        reader.read.clear()
        assert [ask(url, DOWNLOAD).status for _ in range(3)] == [503] * 3
        assert reader.read == []
        ensure_link_key(store)
        snapshots.refresh()
        reader.read.clear()
        assert [ask(url, DOWNLOAD).status for _ in range(3)] == [204] * 3
        assert reader.read == []


def test_what_a_look_finds_is_served_only_with_its_key() -> None:
    store = MemoryStore()
    fill(store)
    signer = StoredSigner(ttl=TTL)
    seen: list[bool] = []

    def beside(reader: BlobReader) -> None:
        seen.append(snapshots.current() is None)
        signer.refresh(reader)

    snapshots = Snapshots(store, beside=beside)
    snapshots.refresh()
    assert seen == [True]


def test_before_anything_is_published_no_key_is_missed() -> None:
    reports: list[str] = []
    signer = StoredSigner(ttl=TTL, report=reports.append)
    Snapshots(MemoryStore(), beside=signer.refresh).refresh()
    assert reports == []
