"""Stored bytes: only for who holds a link, whole or in part, and honest about what is missing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from http.client import IncompleteRead

import pytest

from gitopsreg.errors import StorageError
from gitopsreg.index.keys import blob_key
from gitopsreg.model.digest import Sha256
from gitopsreg.protocol.links import LinkSigner, artifact_path
from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_module, a_module_version, stored
from tests.server.house import KEY, ask, publish_packages, running, store_bytes

NOW = 1_790_000_000.0
DATA = bytes(range(256)) * 4000


class Shelf(MemoryStore):
    """A store that can lose its bytes, or die while it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.dies_after: int | None = None
        self.silent = False

    def size(self, key: str) -> int:
        if self.silent:
            raise StorageError("the disk does not answer")
        return super().size(key)

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        pieces = super().chunks(key, start, length)
        return pieces if self.dies_after is None else self._dying(pieces, self.dies_after)

    def _dying(self, pieces: Iterator[bytes], after: int) -> Iterator[bytes]:
        for number, piece in enumerate(pieces):
            if number == after:
                raise StorageError("the disk is gone")
            yield piece


class Artifacts:
    """A running registry with one archive, and the link to it."""

    def __init__(self, url: str, store: Shelf, link: str, reports: list[str]) -> None:
        self.url = url
        self.store = store
        self.link = link
        self.reports = reports
        self.digest = link.split("/")[2]


@pytest.fixture
def artifacts() -> Iterator[Artifacts]:
    store = Shelf()
    blob = store_bytes(store, DATA)
    publish_packages(store, replace(a_module(), versions=(a_module_version(archive=blob),)))
    reports: list[str] = []
    signer = LinkSigner(KEY)
    link = signer.sign(artifact_path(blob.sha256, "vpc-aws-1.0.0.tar.gz"), NOW)
    with running(store, clock=lambda: NOW, signer=signer, report=reports.append) as url:
        yield Artifacts(url, store, link, reports)


def test_the_whole_is_what_is_stored(artifacts: Artifacts) -> None:
    answer = ask(artifacts.url, artifacts.link)
    assert (answer.status, answer.body == DATA) == (200, True)
    assert answer.headers["etag"] == f'"{artifacts.digest}"'
    assert answer.headers["content-disposition"] == 'attachment; filename="vpc-aws-1.0.0.tar.gz"'
    assert answer.headers["cache-control"].endswith("immutable")


def test_every_answer_names_the_snapshot(artifacts: Artifacts) -> None:
    snapshot = ask(artifacts.url, "/.well-known/terraform.json").headers["x-gitopsreg-snapshot"]
    asked: list[tuple[str, str, dict[str, str], int]] = [
        (artifacts.link, "GET", {}, 200),
        (artifacts.link, "HEAD", {}, 200),
        (artifacts.link, "GET", {"Range": "bytes=0-1"}, 206),
        (artifacts.link, "GET", {"If-None-Match": f'"{artifacts.digest}"'}, 304),
        (artifacts.link + "0", "GET", {}, 403),
        ("/artifacts/nothing", "GET", {}, 404),
        (artifacts.link, "GET", {"Range": "bytes=99999999-"}, 416),
    ]
    for path, method, headers, status in asked:
        answer = ask(artifacts.url, path, method, headers)
        assert (answer.status, answer.headers.get("x-gitopsreg-snapshot")) == (status, snapshot)


@pytest.mark.pitfall(15)
def test_pitfall_15_an_archive_has_a_type_and_no_encoding(artifacts: Artifacts) -> None:
    answer = ask(artifacts.url, artifacts.link, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-type"] == "application/gzip"
    assert "content-encoding" not in answer.headers
    assert answer.body == DATA


@pytest.mark.pitfall(16)
def test_pitfall_16_head_says_the_true_length(artifacts: Artifacts) -> None:
    answer = ask(artifacts.url, artifacts.link, "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.pitfall(16)
def test_pitfall_16_an_empty_file_offers_no_ranges(artifacts: Artifacts) -> None:
    blob = store_bytes(artifacts.store, b"")
    link = LinkSigner(KEY).sign(artifact_path(blob.sha256, "empty.sig"), NOW)
    answer = ask(artifacts.url, link, "HEAD")
    assert (answer.status, answer.headers["content-length"]) == (200, "0")
    assert "accept-ranges" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=1000000-", 1_000_000, 1_023_999), ("bytes=-1", 1_023_999, 1_023_999)],
)
def test_one_range_is_a_part(artifacts: Artifacts, asked: str, first: int, last: int) -> None:
    answer = ask(artifacts.url, artifacts.link, headers={"Range": asked})
    assert answer.status == 206
    assert answer.body == DATA[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(DATA)}"
    assert answer.headers["content-length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "items=0-1", "bytes=9-1"])
def test_several_ranges_or_nonsense_are_the_whole(artifacts: Artifacts, asked: str) -> None:
    answer = ask(artifacts.url, artifacts.link, headers={"Range": asked})
    assert (answer.status, len(answer.body)) == (200, len(DATA))


def test_a_range_behind_the_end_is_416(artifacts: Artifacts) -> None:
    answer = ask(artifacts.url, artifacts.link, headers={"Range": "bytes=9999999-"})
    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{len(DATA)}"
    assert json.loads(answer.body)["errors"]


@pytest.mark.parametrize(
    ("condition", "status"), [('"{}"', 206), ('"other"', 200), ('W/"{}"', 200), ("Sat, 21 Nov 2026 00:00:00 GMT", 200)]
)
def test_if_range_guards_a_resumed_download(artifacts: Artifacts, condition: str, status: int) -> None:
    headers = {"Range": "bytes=10-", "If-Range": condition.format(artifacts.digest)}
    assert ask(artifacts.url, artifacts.link, headers=headers).status == status


def test_a_range_of_a_head_is_ignored(artifacts: Artifacts) -> None:
    answer = ask(artifacts.url, artifacts.link, "HEAD", headers={"Range": "bytes=0-9"})
    assert (answer.status, answer.headers["content-length"]) == (200, str(len(DATA)))


def test_who_has_it_already_gets_304(artifacts: Artifacts) -> None:
    answer = ask(artifacts.url, artifacts.link, headers={"If-None-Match": f'"{artifacts.digest}"'})
    assert (answer.status, answer.body) == (304, b"")


@pytest.mark.pitfall(14)
def test_pitfall_14_order_and_extra_parameters_do_not_matter(artifacts: Artifacts) -> None:
    path, _, query = artifacts.link.partition("?")
    expires, signature = query.split("&")
    assert ask(artifacts.url, f"{path}?{signature}&{expires}").status == 200
    assert ask(artifacts.url, f"{path}?archive=tar.gz&checksum=sha256:00&{query}").status == 200


def test_an_altered_link_is_refused_in_words(artifacts: Artifacts) -> None:
    other = "0" * 64
    for link in (
        artifacts.link.replace(artifacts.digest, other),
        artifacts.link.replace("vpc", "evil"),
        artifacts.link[:-1],
        artifacts.link + "&expires=9999999999",
        artifacts.link.partition("?")[0],
    ):
        answer = ask(artifacts.url, link)
        assert answer.status == 403
        [error] = json.loads(answer.body)["errors"]
        assert "link" in error


def test_an_expired_link_is_refused_in_words(artifacts: Artifacts) -> None:
    link = LinkSigner(KEY).sign(artifact_path(stored(a_module_version().archive).sha256, "a.zip"), NOW - 9000)
    answer = ask(artifacts.url, link)
    assert answer.status == 403
    assert "has expired; run the command again" in json.loads(answer.body)["errors"][0]


def test_lost_bytes_are_502_and_reported(artifacts: Artifacts) -> None:
    artifacts.store.delete(blob_key(Sha256(artifacts.digest)))
    answer = ask(artifacts.url, artifacts.link)
    assert answer.status == 502
    assert "lost" in json.loads(answer.body)["errors"][0]
    assert any(artifacts.digest in report for report in artifacts.reports)


def test_a_silent_store_is_503_and_reported(artifacts: Artifacts) -> None:
    artifacts.store.silent = True
    answer = ask(artifacts.url, artifacts.link)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert artifacts.reports == ["the store does not answer: the disk does not answer"]


def test_a_store_that_dies_on_the_way_breaks_the_download_off(artifacts: Artifacts) -> None:
    artifacts.store.dies_after = 1
    with pytest.raises(IncompleteRead):
        ask(artifacts.url, artifacts.link)
    assert artifacts.reports == ["a download broke off: the disk is gone"]


@pytest.mark.parametrize(
    ("filename", "type_", "shown"),
    [
        ("a.zip", "application/zip", "a.zip"),
        ("p_1.0.0_SHA256SUMS", "application/octet-stream", "p_1.0.0_SHA256SUMS"),
        ('a"b;ü.zip', "application/zip", "a_b__.zip"),
        ("a b%2F.tar.gz", "application/gzip", "a_b_2F.tar.gz"),
    ],
)
def test_types_and_names_are_safe(artifacts: Artifacts, filename: str, type_: str, shown: str) -> None:
    blob = store_bytes(artifacts.store, b"other")
    answer = ask(artifacts.url, LinkSigner(KEY).sign(artifact_path(blob.sha256, filename), NOW))
    assert (answer.status, answer.body) == (200, b"other")
    assert answer.headers["content-type"] == type_
    assert answer.headers["content-disposition"] == f'attachment; filename="{shown}"'


def test_bytes_of_a_blocked_version_are_gone_also_for_link_holders() -> None:
    store = MemoryStore()
    blocked, shared = store_bytes(store, b"secret"), store_bytes(store, b"shared")
    versions = (
        a_module_version("1.0.0", archive=blocked, listing="blocked", blocked="leak"),
        a_module_version("1.1.0", archive=shared, listing="blocked", blocked="leak"),
        a_module_version("1.2.0", archive=shared),
    )
    publish_packages(store, replace(a_module(), versions=versions))
    signer = LinkSigner(KEY)
    with running(store, signer=signer, clock=lambda: NOW) as url:
        statuses = [
            ask(url, signer.sign(artifact_path(blob.sha256, "a.zip"), NOW)).status for blob in (blocked, shared)
        ]
    assert statuses == [410, 200]
