"""How bytes reach clients: from whichever shelf they lie on, by a link of the store or through the server."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gitopsreg.errors import StorageError
from gitopsreg.index.head import read_head
from gitopsreg.index.keys import blob_key
from gitopsreg.index.model import Blob, Delivery, Shelf, Snapshot
from gitopsreg.index.repository import load
from gitopsreg.protocol.links import LinkSigner, artifact_path
from gitopsreg.server.hands import Hands
from gitopsreg.server.redirects import Redirects
from gitopsreg.server.served import PLAIN, Way, survey
from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_blob, a_module, a_module_version, stored
from tests.protocol.samples import a_provider, a_snapshot
from tests.server.house import KEY, Answer, ask, publish_packages, running
from tests.server.linking import Linking, linking

NOW = 1_790_000_000.0
DATA = bytes(range(256)) * 4000
NAME = "vpc-aws-1.0.0.tar.gz"
REDIRECT, PROXY = Delivery(serve="redirect"), Delivery(serve="proxy")
SIGNER = LinkSigner(KEY)


class Delivering:
    """A running registry with one module, whose bytes a store can sign links to."""

    def __init__(self, url: str, store: Linking, blob: Blob, reports: list[str]) -> None:
        self.url = url
        self.store = store
        self.blob = blob
        self.reports = reports
        self.link = SIGNER.sign(artifact_path(blob.sha256, NAME), NOW)

    def ask(self, method: str = "GET", **headers: str) -> Answer:
        self.store.read.clear()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.url, self.link, method, named)


@pytest.fixture
def start() -> Iterator[Callable[..., Delivering]]:
    """Starts a registry; `shelf` and `package` are where the bytes lie and how the package has them delivered."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def started(
            *,
            shelf: Shelf | None = None,
            package: Delivery | None = None,
            readers: Callable[[Linking], dict[str, Any]] = lambda store: {"": store},
            **settings: Any,
        ) -> Delivering:
            inner, blob, reports = MemoryStore(), a_blob(DATA), list[str]()
            inner.put(blob_key(blob.sha256, shelf), DATA)
            version = a_module_version(archive=blob, shelf=shelf)
            publish_packages(inner, replace(a_module(delivery=package), versions=(version,)))
            store = stack.enter_context(linking(inner))
            url = stack.enter_context(
                running(
                    inner,
                    readers=readers(store),
                    signer=SIGNER,
                    clock=lambda: NOW,
                    report=reports.append,
                    **{"delivery": REDIRECT, "patience": 20.0, **settings},
                )
            )
            return Delivering(url, store, blob, reports)

        yield started


Start = Callable[..., Delivering]


def test_a_redirect_leads_to_the_store_and_is_never_kept(start: Start) -> None:
    registry = start()
    answer = registry.ask()
    assert (answer.status, answer.body) == (302, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert answer.headers["x-gitopsreg-snapshot"].startswith("sha256:")
    assert registry.store.read == []
    followed = ask(answer.headers["location"])
    assert (followed.status, followed.body == DATA) == (200, True)
    assert followed.headers["content-type"] == "application/gzip"
    assert followed.headers["content-disposition"] == f'attachment; filename="{NAME}"'


def test_a_redirect_needs_our_own_link(start: Start) -> None:
    registry = start()
    for link in (registry.link[:-1], registry.link.partition("?")[0]):
        assert ask(registry.url, link).status == 403
    assert registry.store.asked == []


@pytest.mark.pitfall(14)
def test_pitfall_14_what_clients_do_to_our_link_does_not_reach_the_stores(start: Start) -> None:
    registry = start()
    path, _, query = registry.link.partition("?")
    expires, signature = query.split("&")
    plain = registry.ask().headers["location"]
    for other in (f"{signature}&{expires}", f"archive=tar.gz&checksum=sha256:00&{query}"):
        assert ask(registry.url, f"{path}?{other}").headers["location"] == plain


def test_a_range_is_left_to_the_store(start: Start) -> None:
    assert start().ask(Range="bytes=0-9").status == 302


@pytest.mark.parametrize("delivery", [REDIRECT, PROXY])
def test_head_is_answered_without_the_store(start: Start, delivery: Delivery) -> None:
    registry = start(delivery=delivery)
    answer = registry.ask("HEAD")
    assert (answer.status, answer.headers["content-length"]) == (200, str(len(DATA)))
    assert answer.headers["etag"] == f'"{registry.blob.sha256.hex}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-type"] == "application/gzip"
    assert (registry.store.read, registry.store.asked) == ([], [])


@pytest.mark.parametrize("delivery", [REDIRECT, PROXY])
def test_who_has_it_already_gets_304_without_the_store(start: Start, delivery: Delivery) -> None:
    registry = start(delivery=delivery)
    answer = registry.ask(If_None_Match=f'"{registry.blob.sha256.hex}"')
    assert (answer.status, answer.body) == (304, b"")
    assert (registry.store.read, registry.store.asked) == ([], [])


def test_a_package_says_how_its_bytes_are_delivered(start: Start) -> None:
    assert start(package=PROXY).ask().body == DATA
    registry = start(package=Delivery(serve="redirect", ttl=90), delivery=PROXY)
    assert registry.ask().status == 302
    [(key, terms)] = registry.store.asked
    assert key == blob_key(registry.blob.sha256)
    assert (terms.lifetime, terms.filename, terms.content_type) == (timedelta(seconds=90), NAME, "application/gzip")


def test_the_server_s_links_live_ten_minutes(start: Start) -> None:
    registry = start()
    registry.ask()
    assert registry.store.asked[0][1].lifetime == timedelta(minutes=10)


@pytest.mark.parametrize("shelf", [Shelf(backend="cold", folder="old/ones"), Shelf(backend="cold"), Shelf(folder="a")])
@pytest.mark.parametrize("delivery", [REDIRECT, PROXY])
def test_bytes_are_found_on_their_shelf(start: Start, shelf: Shelf, delivery: Delivery) -> None:
    registry = start(shelf=shelf, delivery=delivery, readers=lambda store: {"": MemoryStore()} | {shelf.backend: store})
    answer = registry.ask()
    body = ask(answer.headers["location"]).body if delivery is REDIRECT else answer.body
    assert body == DATA
    assert registry.ask("HEAD").status == 200


def test_a_back_end_that_is_not_configured_is_named_to_the_operator_only(start: Start) -> None:
    registry = start(shelf=Shelf(backend="cold"))
    for method in ("GET", "HEAD"):
        assert registry.ask(method).status == 502
    assert 'the back end "cold" is not configured here' in registry.reports[0]
    assert "cold" not in registry.ask().body.decode()


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        ({"silent": True}, "this kind of store has none"),
        ({"fault": StorageError("the key is refused")}, "the key is refused"),
        ({"fault": RuntimeError("nobody thought of this")}, "RuntimeError: nobody thought of this"),
    ],
)
def test_a_store_that_signs_nothing_is_read_and_told_of_once(start: Start, trouble: dict[str, Any], why: str) -> None:
    registry = start()
    for name, value in trouble.items():
        setattr(registry.store, name, value)
    for _ in range(3):
        answer = registry.ask()
        assert (answer.status, answer.body == DATA) == (200, True)
    assert len(registry.store.asked) == 1
    assert registry.reports == [f"the store signs no download links, so its bytes go through this server: {why}"]


def test_a_store_that_takes_too_long_to_sign_is_read(start: Start) -> None:
    registry = start(patience=0.2)
    registry.store.signs.clear()
    assert [registry.ask().status for _ in range(3)] == [200, 200, 200]
    assert len(registry.store.asked) == 1
    assert len(registry.reports) == 1
    assert "did not answer within 0.2 s" in registry.reports[0]


async def _linked(redirects: Redirects) -> str | None:
    return await redirects.link(PLAIN.place(a_blob().sha256), _terms())


def _terms() -> Any:
    from gitopsreg.storage.base import LinkTerms

    return LinkTerms(lifetime=timedelta(minutes=1), filename="a.zip", content_type="application/zip")


def test_a_store_that_failed_to_sign_is_asked_again_later_and_reported_anew() -> None:
    import anyio

    store, reports, now = Linking(MemoryStore(), "http://store.example.com"), list[str](), [0.0]
    redirects = Redirects({"": store}, Hands(2, 5.0), report=reports.append, clock=lambda: now[0])

    async def scenario() -> list[bool]:
        seen = []
        for at, silent in ((0.0, True), (29.0, False), (31.0, True), (62.0, False), (63.0, True)):
            now[0], store.silent = at, silent
            seen.append(await _linked(redirects) is not None)
        return seen

    assert anyio.run(scenario) == [False, False, False, True, False]
    assert len(reports) == 2


def test_only_what_differs_takes_room() -> None:
    plain, folder = a_module_version("1.0.0"), a_module_version("1.1.0", shelf=Shelf(folder="a"))
    served = survey(a_snapshot(replace(a_module(), versions=(plain, folder)), a_provider()))
    assert served.ways == {stored(folder.archive).sha256.hex: Way(Shelf(folder="a"), None)}
    assert served.sizes[stored(plain.archive).sha256.hex] == stored(plain.archive).size
    assert len(served.sizes) == 6


def test_what_a_blocked_version_says_of_shared_bytes_does_not_count() -> None:
    shared = a_blob(b"shared")
    versions = (
        a_module_version("1.0.0", archive=shared),
        a_module_version("1.1.0", archive=shared, listing="blocked", shelf=Shelf(backend="gone")),
    )
    assert survey(a_snapshot(replace(a_module(), versions=versions))).ways == {}


def test_sizes_of_packages_that_did_not_change_are_taken_over() -> None:
    store = MemoryStore()
    publish_packages(store, a_module("1.0.0"), a_provider())
    before = survey(_newest(store))
    sizes = dict(before.sizes)
    grown = a_module("1.0.0", "1.1.0")
    publish_packages(store, grown, a_provider())
    after = survey(_newest(store), before)
    assert after.sizes.keys() - sizes.keys() == {stored(grown.versions[1].archive).sha256.hex}
    assert after.sizes == survey(a_snapshot(grown, a_provider())).sizes


def _newest(store: MemoryStore) -> Snapshot:
    head = read_head(store)
    assert head is not None
    return load(store, head.root)


def test_a_discarded_version_is_gone_in_words_for_its_link_too() -> None:
    store = MemoryStore()
    gone = a_module_version("1.0.0", listing="archived", discarded="2026-02-03T00:00:00Z")
    publish_packages(store, replace(a_module("1.1.0"), versions=(gone, a_module_version("1.1.0"))))
    with running(store, signer=SIGNER, clock=lambda: NOW) as url:
        download = ask(url, "/v1/modules/platform/vpc/aws/1.0.0/download")
        held = ask(url, SIGNER.sign(artifact_path(stored(gone.archive).sha256, NAME), NOW))
        listed = json.loads(ask(url, "/v1/modules/platform/vpc/aws/versions").body)["modules"][0]["versions"]
    assert (download.status, held.status) == (410, 410)
    assert "was discarded on 2026-02-03: its bytes are gone for good" in json.loads(download.body)["errors"][0]
    assert listed == [{"version": "1.1.0"}]
