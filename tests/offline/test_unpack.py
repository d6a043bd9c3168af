"""An import believes the signed list, and bytes by their digest; and serves nothing before all is there."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from gitopsreg.errors import BundleRefused, ConfigError, PublishHeld, StorageError
from gitopsreg.index import holding
from gitopsreg.index.contents import places
from gitopsreg.index.head import read_head
from gitopsreg.index.link_key import read_link_key
from gitopsreg.index.pointer import Hold
from gitopsreg.index.repository import load
from gitopsreg.index.retained import retained
from gitopsreg.model.digest import Sha256
from gitopsreg.offline import bundle as listed
from gitopsreg.offline.bundle import Member
from gitopsreg.offline.unpack import unpack
from gitopsreg.storage.base import BlobStore
from gitopsreg.storage.memory import MemoryStore
from tests.fakes import Died, FailingStore
from tests.offline.bundles import (
    NOW,
    ALease,
    a_bundle,
    entries,
    head_of,
    imported,
    signed,
    trusted,
)
from tests.offline.sites import a_store
from tests.protocol.samples import a_provider, old
from tests.server.house import publish_packages, stored_provider


def everything(store: BlobStore) -> dict[str, bytes]:
    """But what is each store's own."""
    own = ("index/head", "private/", "status/")
    return {key: store.get(key) for key in store.keys("") if not key.startswith(own)}


def next_snapshot(store: MemoryStore) -> Sha256:
    """Publish one module less; the digest of the snapshot before."""
    before = head_of(store).root
    publish_packages(store, old(), a_provider(stored_provider(store)))
    return before


def test_what_comes_out_is_what_went_in(tmp_path: Path) -> None:
    source, target = a_store(), MemoryStore()
    done = imported(a_bundle(source, tmp_path), target, trusted(tmp_path))
    assert done.changed
    assert everything(target) == everything(source)
    assert (head_of(target).root, head_of(target).epoch) == (head_of(source).root, 1)
    assert read_link_key(target) is not None  # a server can start


def test_a_second_import_changes_nothing(tmp_path: Path) -> None:
    data, target, verify = a_bundle(a_store(), tmp_path), MemoryStore(), trusted(tmp_path)
    imported(data, target, verify)
    before = head_of(target)
    assert not imported(data, target, verify).changed
    assert head_of(target) == before


def test_forward_only(tmp_path: Path) -> None:
    source, target, verify = a_store(), MemoryStore(), trusted(tmp_path)
    first = a_bundle(source, tmp_path)
    before = next_snapshot(source)
    second = a_bundle(source, tmp_path)
    imported(first, target, verify)
    imported(second, target, verify)
    assert head_of(target).epoch == 2
    with pytest.raises(BundleRefused, match="older than what this store serves"):
        imported(first, target, verify)
    assert imported(first, target, verify, force=True).skipped > 0
    assert (head_of(target).root, head_of(target).epoch) == (before, 3)


def test_another_registrys_store_is_left_alone(tmp_path: Path) -> None:
    target = MemoryStore()
    publish_packages(target, old())
    before = everything(target), head_of(target)
    data, verify = a_bundle(a_store(), tmp_path), trusted(tmp_path)
    with pytest.raises(BundleRefused, match="another registry's"):
        imported(data, target, verify)
    assert (everything(target), head_of(target)) == before
    assert imported(data, target, verify, force=True).changed


def test_a_hold_is_obeyed_also_by_force(tmp_path: Path) -> None:
    target = MemoryStore()
    publish_packages(target, old())
    holding.hold(target, head_of(target), Hold(since=NOW, reason="audit"), fence=0)
    with pytest.raises(PublishHeld, match="audit"):
        imported(a_bundle(a_store(), tmp_path), target, trusted(tmp_path), force=True)


def test_only_what_is_new(tmp_path: Path) -> None:
    source, target, verify = a_store(), MemoryStore(), trusted(tmp_path)
    first, before = a_bundle(source, tmp_path), next_snapshot(source)
    delta = a_bundle(source, tmp_path, since=before)
    with pytest.raises(BundleRefused, match="import a bundle of that one first"):
        imported(delta, target, verify)
    assert everything(target) == {}
    imported(first, target, verify)
    imported(delta, target, verify)
    assert everything(target) == everything(source)


def test_what_a_delta_counts_on_must_be_there(tmp_path: Path) -> None:
    source, target, verify = a_store(), MemoryStore(), trusted(tmp_path)
    first, before = a_bundle(source, tmp_path), next_snapshot(source)
    delta = a_bundle(source, tmp_path, since=before)
    imported(first, target, verify)
    target.delete(next(iter(places(load(source, head_of(source).root)))).key)
    with pytest.raises(BundleRefused, match="neither the bundle nor the store has"):
        imported(delta, target, verify)
    assert head_of(target).root == before


def test_history_that_stayed_behind_is_not_lost(tmp_path: Path) -> None:
    """Who collects later walks the old snapshots; a bundle brings one."""
    source, target = a_store(), MemoryStore()
    next_snapshot(source)
    imported(a_bundle(source, tmp_path), target, trusted(tmp_path))
    assert retained(target, head_of(target), keep=5).chain == (head_of(target).root,)


@pytest.mark.parametrize("after", [False, True])
def test_killed_anywhere_and_repeated(tmp_path: Path, after: bool) -> None:
    source, verify = a_store(), trusted(tmp_path)
    data = a_bundle(source, tmp_path)
    whole = FailingStore(MemoryStore())
    imported(data, whole, verify)
    for at in range(1, len(whole.operations) + 1):
        target = MemoryStore()
        with pytest.raises(Died):
            imported(data, FailingStore(target, at, after=after, error=Died), verify)
        head = read_head(target)
        if head is not None:
            assert everything(target) == everything(source)
        imported(data, target, verify)
        assert everything(target) == everything(source)
        assert head_of(target).root == head_of(source).root


def test_what_is_stored_and_right_is_not_stored_again(tmp_path: Path) -> None:
    source, verify = a_store(), trusted(tmp_path)
    data, inner = a_bundle(source, tmp_path), MemoryStore()
    for key, value in everything(source).items():
        inner.put(key, value)
    torn = next(key for key in everything(source) if key.startswith("blobs/"))
    inner.put(torn, b"\0" * len(inner.get(torn)))
    target = FailingStore(inner)
    imported(data, target, verify)
    assert [key for key in target.writes if key.startswith(("blobs/", "index/p"))] == [torn]
    assert everything(inner) == everything(source)


def test_bytes_go_to_the_back_end_of_their_name(tmp_path: Path) -> None:
    found = entries(a_bundle(a_store(), tmp_path))
    bundle = listed.decode(found[0][1])
    extra = Member(backend="archive", key=f"cold/blobs/{Sha256.of(b'x').hex}", sha256=Sha256.of(b"x"), size=1)
    data = signed(
        replace(bundle, members=(*bundle.members, extra)), [*found[2:], (listed.content_name(extra.blob), b"x")]
    )
    verify, primary, archive = trusted(tmp_path), MemoryStore(), MemoryStore()
    with pytest.raises(ConfigError, match="--backend archive=URL"):
        imported(data, primary, verify)
    assert list(primary.keys("")) == []
    unpack(io.BytesIO(data), {"": primary, "archive": archive}, verify, now=NOW, lease=ALease())
    assert archive.get(extra.key) == b"x"


def test_equal_bytes_at_two_places_are_carried_once(tmp_path: Path) -> None:
    found = entries(a_bundle(a_store(), tmp_path))
    bundle = listed.decode(found[0][1])
    blob = next(member for member in bundle.members if member.key.startswith("blobs/"))
    data = signed(replace(bundle, members=(*bundle.members, replace(blob, key=f"cold/{blob.key}"))), found[2:])
    target = MemoryStore()
    imported(data, target, trusted(tmp_path))
    assert target.get(f"cold/{blob.key}") == target.get(blob.key)


def test_a_store_that_fails_is_no_fault_of_the_bundle(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="the store is gone"):
        imported(a_bundle(a_store(), tmp_path), FailingStore(MemoryStore(), 9), trusted(tmp_path))
