"""An exported index: the same bytes each time, and believed only as far as its digests go."""

import json
from typing import Any

import pytest

from gitopsreg.errors import StorageError
from gitopsreg.index import export, repository
from gitopsreg.index.keys import HEAD
from gitopsreg.index.model import Namespace
from gitopsreg.index.repository import Content
from gitopsreg.model.address import ModuleAddress
from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_module


def a_store(*versions: str, packages: int = 2) -> MemoryStore:
    store = MemoryStore()
    modules = [ModuleAddress("platform", f"m{number}", "aws") for number in range(packages)]
    content = Content(
        revision="main@sha1:" + "a" * 40,
        time="2026-10-01T12:00:00Z",
        hostname="registry.example.com",
        namespaces=(Namespace(name="platform"),),
        packages={address: a_module(*(versions or ("1.0.0",)), address=address) for address in modules},
    )
    repository.publish(store, content, base=None, head=None)
    return store


def unpacked(data: bytes) -> MemoryStore:
    store = MemoryStore()
    for key, document in export.unpacked(data).items():
        store.put(key, document)
    return store


@pytest.mark.parametrize("packages", [0, 2, 1_200])
def test_what_comes_out_is_what_went_in(packages: int) -> None:
    store = a_store("1.0.0", "1.1.0", packages=packages)
    data = export.export(store)
    head, copied = repository.read_head(store), repository.read_head(unpacked(data))
    assert head is not None
    assert copied is not None
    assert (copied.root, copied.revision, copied.epoch) == (head.root, head.revision, head.epoch)
    assert repository.load(unpacked(data), copied.root) == repository.load(store, head.root)
    assert export.export(unpacked(data)) == data == export.export(store)


def test_it_holds_documents_of_the_index_and_nothing_else() -> None:
    store = a_store()
    store.put("private/link-key", b"secret")
    store.put("status/registry", b"{}")
    store.put("blobs/" + "a" * 64, b"content")
    keys = export.unpacked(export.export(store)).keys()
    assert {key.split("/")[0] for key in keys} == {"index"}


def test_nothing_published_is_nothing_to_export() -> None:
    with pytest.raises(StorageError, match="nothing has been published"):
        export.export(MemoryStore())


def altered(change: str, value: Any) -> bytes:
    plain = json.loads(export.export(a_store()))
    key = next(name for name in plain["documents"] if name.startswith(change))
    plain["documents"][key] = {**plain["documents"][key], **value}
    return json.dumps(plain).encode()


@pytest.mark.parametrize("kind", ["index/packages", "index/shards", "index/roots"])
def test_a_document_that_was_altered_is_refused(kind: str) -> None:
    with pytest.raises(StorageError, match=r'"index/.*" in the exported index is altered'):
        export.unpacked(altered(kind, {"description": "other"}))


def test_a_document_that_is_missing_is_missed_when_it_is_read() -> None:
    plain = json.loads(export.export(a_store()))
    del plain["documents"][next(name for name in plain["documents"] if name.startswith("index/packages"))]
    store = unpacked(json.dumps(plain).encode())
    head = repository.read_head(store)
    assert head is not None
    with pytest.raises(StorageError):
        repository.load(store, head.root)


def test_spaces_and_order_mean_nothing() -> None:
    data = export.export(a_store())
    assert export.unpacked(json.dumps(json.loads(data), indent=1).encode()) == export.unpacked(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format": 1}',
        b'{"format": 99, "documents": {}}',
        b'{"format": 1, "documents": {}}',
        b'{"format": 1, "documents": {}, "head": 7}',
        b'{"format": 1, "documents": {"../x": {}}, "head": {"root": "%s", "revision": "r", "epoch": 1}}' % (b"a" * 64),
        b'{"format": 1, "documents": {"private/link-key": 1}, "head": {"root": "%s", "revision": "r", "epoch": 1}}'
        % (b"a" * 64),
    ],
)
def test_what_is_no_export_is_refused(data: bytes) -> None:
    with pytest.raises(StorageError):
        export.unpacked(data)


def test_the_pointer_is_part_of_it() -> None:
    assert HEAD in export.unpacked(export.export(a_store()))
