"""The network mirror protocol, against the published examples and the ways to break real clients."""

import json
from typing import Any

import pytest

from gitopsreg.errors import InvalidName, NotPublished
from gitopsreg.protocol import mirror
from gitopsreg.protocol.document import encode
from tests.builders import stored
from tests.protocol.samples import EXPIRES, a_provider, a_provider_version, a_snapshot, plain_link

OWN = ("registry.example.com", "localhost:8443")
NOTHING: dict[str, object] = {"archives": {}}


def _index(host: str = "registry.example.com", namespace: str = "platform", type_: str = "hello") -> Any:
    return mirror.index(a_snapshot(), OWN, host, namespace, type_)


def _document(
    host: str = "registry.example.com", namespace: str = "platform", type_: str = "hello", version: str = "1.0.0"
) -> Any:
    document = mirror.version_document(a_snapshot(), OWN, (host, namespace, type_, version), plain_link)
    return json.loads(encode(document))


def test_the_index_is_the_published_example() -> None:
    assert _index() == {"versions": {"1.0.0": {}}}


def test_the_version_document_is_the_published_example() -> None:
    build = a_provider_version().builds[-1]
    assert _document()["archives"]["linux_amd64"] == {
        "url": f"/artifacts/{stored(build.zip).sha256.hex}/{build.filename}?{EXPIRES}",
        "hashes": [build.h1, stored(build.zip).sha256.zh],
    }


@pytest.mark.parametrize(
    "host", ["registry.example.com", "Registry.Example.Com", "registry.example.com:443", "localhost:8443"]
)
def test_our_own_hosts_are_one_place(host: str) -> None:
    assert _index(host) == _index()
    assert _document(host) == _document()


@pytest.mark.parametrize("host", ["registry.terraform.io", "registry.example.com:8443", "localhost"])
def test_other_hosts_providers_are_not_here(host: str) -> None:
    with pytest.raises(NotPublished, match="this mirror has no providers"):
        _index(host)
    assert _document(host) == NOTHING


@pytest.mark.pitfall(49)
@pytest.mark.parametrize(
    "changes",
    [
        {"version": "9.9.9"},
        {"type_": "nothing"},
        {"namespace": "nobody"},
        {"host": "other.example.com", "type_": "a_b"},
    ],
)
def test_pitfall_49_an_unknown_version_has_no_archives_instead_of_no_document(changes: dict[str, str]) -> None:
    assert _document(**changes) == NOTHING


@pytest.mark.parametrize(
    "changes", [{"version": "latest"}, {"type_": "a b"}, {"namespace": ""}, {"host": "a/b"}, {"host": "-"}]
)
def test_what_can_not_be_a_version_is_not_found(changes: dict[str, str]) -> None:
    with pytest.raises(NotPublished):
        _document(**changes)


def test_blocked_versions_have_no_archives_and_hidden_ones_do() -> None:
    versions = (
        a_provider_version("1.0.0", listing="hidden", yanked="x"),
        a_provider_version("1.1.0", listing="blocked", blocked="x"),
        a_provider_version("1.2.0", listing="archived"),
    )
    snapshot = a_snapshot(a_provider(*versions))
    path = (OWN[0], "platform", "hello")
    sizes = [
        len(mirror.version_document(snapshot, OWN, (*path, text), plain_link)["archives"])
        for text in ("1.0.0", "1.1.0", "1.2.0")
    ]
    assert sizes == [2, 0, 2]
    assert mirror.index(snapshot, OWN, *path) == {"versions": {}}


def test_an_archived_provider_has_no_index() -> None:
    snapshot = a_snapshot(a_provider(archived="2026-02-01T00:00:00Z"))
    with pytest.raises(NotPublished, match="is archived"):
        mirror.index(snapshot, OWN, OWN[0], "platform", "hello")


@pytest.mark.pitfall(54)
def test_pitfall_54_no_archive_is_null() -> None:
    assert all(archive is not None for archive in _document()["archives"].values())


@pytest.mark.pitfall(55)
def test_pitfall_55_every_hash_names_its_scheme() -> None:
    for archive in _document()["archives"].values():
        assert {each.partition(":")[0] for each in archive["hashes"]} == {"h1", "zh"}


def test_a_host_is_compared_as_clients_write_it() -> None:
    assert mirror.canonical_host("Bücher.example:443") == "xn--bcher-kva.example"
    with pytest.raises(InvalidName, match="is not a host name"):
        mirror.canonical_host("ü" * 80)
