"""Laws of the documents' bytes: what goes in comes out, the same value gives the same bytes, and no byte is a crash."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import StorageError
from gitopsreg.index import codec
from gitopsreg.index.codec import StatusIndex
from gitopsreg.index.lease import LeaseRecord
from gitopsreg.index.model import Entry, ModulePackage, Namespace, Package, Root
from gitopsreg.index.pointer import Pointer
from gitopsreg.index.status import PackageStatus, RegistrySummary
from gitopsreg.index.statuses import RegistryStatus
from gitopsreg.model.digest import Sha256
from tests import strategies
from tests.builders import VPC, a_module

DECODERS: dict[str, Callable[[bytes], Any]] = {
    "head": codec.decode_head,
    "lease": codec.decode_lease,
    "root": codec.decode_root,
    "shard": codec.decode_shard,
    "package": codec.decode_package,
    "status": codec.decode_status,
    "status shard": codec.decode_status_shard,
}
every_decoder = pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS)


def canonical(data: bytes, *, number: int = codec.FORMAT) -> bool:
    plain = json.loads(data)
    assert plain["format"] == number
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == data


@given(strategies.pointers)
def test_head_comes_back(pointer: Pointer) -> None:
    data = codec.encode_head(pointer)
    assert codec.decode_head(data) == pointer
    assert canonical(data, number=2 if pointer.ledger or pointer.hold else 1)


def test_a_head_without_hold_fence_and_ledger_is_as_ever() -> None:
    """What older releases wrote can be read, and what is not needed is not written."""
    data = f'{{"epoch":3,"format":1,"revision":"main@sha1:1","root":"{"a" * 64}"}}'.encode()
    pointer = codec.decode_head(data)
    assert (pointer.fence, pointer.ledger, pointer.hold) == (0, None, None)
    assert pointer.newest == pointer.root
    assert codec.encode_head(pointer) == data


@given(strategies.lease_records)
def test_lease_comes_back(record: LeaseRecord) -> None:
    data = codec.encode_lease(record)
    assert codec.decode_lease(data) == record
    assert canonical(data)


@given(strategies.roots)
def test_root_comes_back(root: Root) -> None:
    data = codec.encode_root(root)
    assert codec.decode_root(data) == root
    assert canonical(data)


@given(strategies.shard_entries)
def test_shard_comes_back(entries: tuple[Entry, ...]) -> None:
    data = codec.encode_shard(entries)
    assert codec.decode_shard(data) == entries
    assert canonical(data)


@given(strategies.packages)
def test_package_comes_back(package: Package) -> None:
    data = codec.encode_package(package)
    assert codec.decode_package(data) == package
    assert codec.encode_package(codec.decode_package(data)) == data
    assert canonical(data)


@given(strategies.registry_statuses, strategies.prefixes)
def test_status_comes_back(status: RegistryStatus, shards: tuple[str, ...]) -> None:
    index = StatusIndex(status=status.summary, shards=shards)
    data = codec.encode_status(index)
    assert codec.decode_status(data) == index
    assert canonical(data)


@given(st.lists(strategies.package_statuses, max_size=3).map(tuple))
def test_status_shard_comes_back(packages: tuple[PackageStatus, ...]) -> None:
    data = codec.encode_status_shard(packages)
    assert codec.decode_status_shard(data) == packages
    assert canonical(data)


def test_the_bytes_of_a_package_are_fixed() -> None:
    """A change here gives every published document another name: raise FORMAT and read the old one, or don't."""
    package = a_module("1.0.0", description="Virtual network — small")
    assert codec.encode_package(package).decode() == (
        '{"address":"module:platform/vpc/aws","description":"Virtual network — small","format":1,'
        '"source":"https://git.example.com/acme/vpc.git","versions":[{"archive":{'
        '"sha256":"92521fc3cbd964bdc9f584a991b89fddaa5754ed1cc96d6d42445338669c1305","size":5},'
        '"archive_format":"tar.gz","listing":"listed","origin":{'
        '"commit":"92521fc3cbd964bdc9f584a991b89fddaa5754ed","ref":"v1.0.0",'
        '"tree":"7777777777777777777777777777777777777777","url":"https://git.example.com/acme/vpc.git"},'
        '"published":"2026-01-01T00:00:00Z","version":"1.0.0"}]}'
    )


def test_the_bytes_of_a_root_are_fixed() -> None:
    root = Root(
        revision="main@sha1:" + "a" * 40,
        time="2026-01-01T00:00:00Z",
        packages=1,
        shards=(("", Sha256("b" * 64)),),
        namespaces=(Namespace(name="platform"),),
    )
    assert codec.encode_root(root).decode() == (
        f'{{"format":1,"namespaces":[{{"name":"platform"}}],"packages":1,"revision":"main@sha1:{"a" * 40}",'
        f'"shards":[["","{"b" * 64}"]],"time":"2026-01-01T00:00:00Z"}}'
    )


# Anything else than what was written


def refused(decode: Callable[[bytes], Any], data: bytes) -> str:
    with pytest.raises(StorageError) as caught:
        decode(data)
    message = str(caught.value)
    assert message == message.strip()
    return message


@every_decoder
@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"null", b"[]", b"{}", b"1", b"NaN", b"\xff", b"[" * 100_000, b'{"format":1}', b'{"format":true}'],
    ids=lambda data: data[:16],
)
def test_what_is_no_document_is_refused(decode: Callable[[bytes], Any], data: bytes) -> None:
    refused(decode, data)


@every_decoder
def test_a_newer_format_asks_for_an_upgrade(decode: Callable[[bytes], Any]) -> None:
    assert "upgrade gitopsreg" in refused(decode, b'{"format":3,"anything":[]}')


_plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@every_decoder
@given(data=st.binary(max_size=100) | _plain.map(lambda plain: json.dumps(plain).encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_value_or_a_storage_error(decode: Callable[[bytes], Any], data: bytes) -> None:
    try:
        decode(data)
    except StorageError:
        return


def documents() -> st.SearchStrategy[bytes]:
    return (
        strategies.packages.map(codec.encode_package)
        | strategies.roots.map(codec.encode_root)
        | strategies.shard_entries.map(codec.encode_shard)
        | strategies.package_statuses.map(lambda status: codec.encode_status_shard((status,)))
        | strategies.registry_statuses.map(lambda status: codec.encode_status(StatusIndex(status=status, shards=())))
    )


def spots(plain: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) inside."""
    found = []
    pairs = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for key, inner in pairs:
        found += [(plain, key), *spots(inner)]
    return found


@given(data=documents(), chosen=st.randoms(use_true_random=False), other=_plain, remove=st.booleans())
def test_a_document_with_one_spot_changed_is_a_value_or_a_storage_error(
    data: bytes, chosen: Any, other: object, *, remove: bool
) -> None:
    plain = json.loads(data)
    container, key = chosen.choice(spots(plain))
    if remove:
        del container[key]
    else:
        container[key] = other
    for decode in DECODERS.values():
        try:
            decode(json.dumps(plain).encode("utf-8", "surrogatepass"))
        except StorageError:
            continue


def module(**changes: Any) -> bytes:
    plain = json.loads(codec.encode_package(a_module("1.0.0")))
    return json.dumps(plain | changes).encode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"address": None}, "address: None is no text"),
        ({"address": "vpc"}, '"vpc" is no provider address'),
        ({"address": "module:../vpc/aws"}, 'address: ".." is not a legal namespace'),
        ({"description": 5}, "description: 5 is no str"),
        ({"versions": {}}, "versions: {} is no list"),
        ({"versions": [{}]}, "versions: version: it is missing"),
        ({"deprecation": {"message": True}}, "deprecation: message: True is no str"),
    ],
)
def test_a_refusal_says_where_and_why(changes: dict[str, Any], message: str) -> None:
    assert message in refused(codec.decode_package, module(**changes))


def test_a_listing_that_is_none_is_refused() -> None:
    data = codec.encode_package(a_module("1.0.0")).replace(b'"listing":"listed"', b'"listing":"shown"')
    assert "listing: 'shown' is none of listed, hidden" in refused(codec.decode_package, data)


@pytest.mark.parametrize("shards", [["x"], ["abc"], ["A"], ["a", "ab"], ["b", "a"], ["a", "a"], ["../.."]])
def test_prefixes_that_are_no_shards_are_refused(shards: list[str]) -> None:
    plain = {"format": 1, "revision": "", "time": "", "packages": 0}
    root = json.dumps(plain | {"shards": [[prefix, "0" * 64] for prefix in shards]}).encode()
    assert "no shards" in refused(codec.decode_root, root)
    assert "no shards" in refused(
        codec.decode_status, json.dumps({"format": 1, "status": {}, "shards": shards}).encode()
    )


def test_additions_of_a_newer_release_are_skipped() -> None:
    assert codec.decode_package(module(stars=5)) == a_module("1.0.0")


@pytest.mark.parametrize("value", [ModulePackage(address=VPC, description="\ud800")])
def test_what_json_can_not_carry_is_refused_when_written(value: Package) -> None:
    with pytest.raises(StorageError, match="can't be written as JSON"):
        codec.encode_package(value)


def test_a_status_from_before_a_field_was_added_is_still_read() -> None:
    data = codec.encode_status(
        StatusIndex(status=RegistrySummary(snapshot="0", idle=(("Alert", "alerts/a.yaml"),)), shards=())
    )
    plain = json.loads(data)
    assert plain["status"].pop("idle") == [["Alert", "alerts/a.yaml"]]
    assert codec.decode_status(json.dumps(plain).encode()).status == RegistrySummary(snapshot="0")
    assert b"idle" not in codec.encode_status(StatusIndex(status=RegistrySummary(), shards=()))
