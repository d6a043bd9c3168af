import gc
from dataclasses import replace
from pathlib import Path

import pytest

from gitopsreg.errors import IntegrityError, StorageError, UpstreamError
from gitopsreg.index.model import Origin, ProviderVersion
from gitopsreg.model.declaration import Pin
from gitopsreg.model.digest import Sha256
from gitopsreg.transport.git import Repository
from gitopsreg.upstream.base import Discovery, Found, Release, Upstream
from gitopsreg.upstream.catalog_providers import CatalogProviders
from tests.releases import AReleaseFolder, a_pin, a_provider_declaration, open_files
from tests.repositories import COMMIT_TIME, a_repository, commit, raw_tree, tree_of, write

FOLDER = "content/providers/hello"
PINS = (a_pin("1.0.0", path=f"{FOLDER}/1.0.0"), a_pin("1.1.0", path=f"{FOLDER}/1.1.0"))


class ACatalog:
    """A catalog repository whose root is its folder `catalog`, with releases 1.0.0 and 1.1.0 of acme/hello."""

    def __init__(self, path: Path) -> None:
        self.path = a_repository(path)
        self.put(AReleaseFolder("1.0.0"), AReleaseFolder("1.1.0"))

    def put(self, *folders: AReleaseFolder) -> None:
        for folder in folders:
            write(self.path, {f"catalog/{FOLDER}/{folder.version}/{name}": data for name, data in folder.files.items()})
        commit(self.path)

    def upstream(self, *pins: Pin) -> Upstream:
        repository = Repository(self.path)
        head = repository.commit(repository.resolve("HEAD"))
        root = repository.subtree(head.tree, "catalog")
        assert root is not None
        return CatalogProviders(a_provider_declaration(pins=pins or PINS), repository, head, root)


@pytest.fixture
def catalog(tmp_path: Path) -> ACatalog:
    return ACatalog(tmp_path / "catalog")


def results(upstream: Upstream, discovery: Discovery) -> dict[str, ProviderVersion | UpstreamError]:
    found = {}
    for item, result in upstream.releases(discovery.found):
        if isinstance(result, Release):
            assert isinstance(result.record, ProviderVersion)
        found[item.version.text] = result.record if isinstance(result, Release) else result
    return found  # type: ignore[return-value]


def test_every_pinned_folder_is_a_version(catalog: ACatalog) -> None:
    discovery = catalog.upstream(*reversed(PINS)).discover()
    assert [(item.version.text, item.ref) for item in discovery.found] == [(p.version.text, p.path) for p in PINS]
    assert discovery.found[0].tree == tree_of(catalog.path, f"catalog/{FOLDER}/1.0.0")
    assert discovery.skipped == ()


@pytest.mark.parametrize("path", ["content/nowhere", "../secrets", "README.md"])
def test_a_pin_that_leads_nowhere_costs_its_version_and_says_so(catalog: ACatalog, path: str) -> None:
    upstream = catalog.upstream(PINS[0], a_pin("2.0.0", path=path))
    result = results(upstream, upstream.discover())
    assert isinstance(result["1.0.0"], ProviderVersion)
    assert isinstance(result["2.0.0"], IntegrityError)
    assert result["2.0.0"].reason == "IncompleteRelease"
    assert f'no folder "{path}"' in str(result["2.0.0"])


def test_a_pin_without_a_path_is_skipped_with_its_reason(catalog: ACatalog) -> None:
    discovery = catalog.upstream(PINS[0], a_pin("2.1.0")).discover()
    assert len(discovery.found) == 1
    assert discovery.skipped[0].ref == "2.1.0"
    assert "path" in discovery.skipped[0].reason


def test_a_release_names_its_origin_and_carries_its_bytes(catalog: ACatalog) -> None:
    upstream = catalog.upstream()
    found = upstream.discover().found[0]
    for _, release in upstream.releases([found]):
        assert isinstance(release, Release)
        record = release.record
        assert isinstance(record, ProviderVersion)
        assert record.published == COMMIT_TIME
        path = f"{FOLDER}/1.0.0"
        assert record.origin == Origin(url="catalog", ref=path, commit=found.commit, tree=found.tree, path=path)
        assert record.listing == "listed"
        for payload in release.payloads:
            assert Sha256.of(b"".join(payload.open())) == payload.blob.sha256


def test_payloads_end_when_the_next_version_is_asked_for(catalog: ACatalog) -> None:
    upstream = catalog.upstream()
    releases = upstream.releases(upstream.discover().found)
    _, first = next(releases)
    assert isinstance(first, Release)
    next(releases)
    with pytest.raises(StorageError):
        list(first.payloads[-1].open())


def test_nothing_is_left_open_when_the_caller_stops_half_way(catalog: ACatalog) -> None:
    upstream = catalog.upstream()
    results(upstream, upstream.discover())  # whatever the libraries open once is open now
    before = open_files()
    releases = upstream.releases(upstream.discover().found)
    next(releases)
    assert len(open_files()) > len(before)
    del releases
    gc.collect()
    assert open_files() <= before


def test_one_bad_version_costs_one_version(catalog: ACatalog) -> None:
    broken = AReleaseFolder("1.0.0")
    broken.files[broken.zip_name()] += b"changed"
    catalog.put(broken)
    upstream = catalog.upstream()
    result = results(upstream, upstream.discover())
    assert isinstance(result["1.0.0"], IntegrityError)
    assert result["1.0.0"].reason == "ChecksumMismatch"
    assert isinstance(result["1.1.0"], ProviderVersion)


def test_links_and_sub_folders_are_no_part_of_a_release(catalog: ACatalog) -> None:
    name = AReleaseFolder("1.0.0").sums_name
    write(catalog.path, {f"catalog/{FOLDER}/1.0.0/{name}": f"-> ../1.1.0/{name}"})
    commit(catalog.path, {f"catalog/{FOLDER}/1.1.0/old/{AReleaseFolder('1.1.0').zip_name('plan9_amd64')}": b"old"})
    upstream = catalog.upstream()
    result = results(upstream, upstream.discover())
    assert isinstance(result["1.0.0"], IntegrityError)
    assert result["1.0.0"].reason == "IncompleteRelease"
    assert isinstance(result["1.1.0"], ProviderVersion)


def test_folders_without_end_below_a_release_are_never_entered(catalog: ACatalog) -> None:
    endless = raw_tree(catalog.path, [("100644", b"file", b"x")])
    for _ in range(20):
        endless = raw_tree(catalog.path, [("40000", b"%d" % number, endless) for number in range(10)])
    files = [("100644", name.encode(), data) for name, data in AReleaseFolder("1.0.0").files.items()]
    upstream = catalog.upstream()
    (first, second) = upstream.discover().found
    bomb = replace(first, tree=raw_tree(catalog.path, [*files, ("40000", b"old", endless)]))
    assert isinstance(results(upstream, replace(upstream.discover(), found=(bomb,)))["1.0.0"], ProviderVersion)
    many = replace(second, tree=raw_tree(catalog.path, [("100644", b"%d" % number, b"") for number in range(1_001)]))
    error = results(upstream, replace(upstream.discover(), found=(many,)))["1.1.0"]
    assert isinstance(error, IntegrityError)
    assert error.reason == "TooLarge"


def test_the_state_follows_the_folders_and_nothing_else(catalog: ACatalog) -> None:
    before = catalog.upstream().discover().state
    commit(catalog.path, {"README.md": "changed"}, time="2026-10-02T12:00:00Z")
    assert catalog.upstream().discover().state == before
    commit(catalog.path, {f"catalog/{FOLDER}/1.0.0/notes.txt": "new"})
    assert catalog.upstream().discover().state != before
    assert catalog.upstream(PINS[0]).discover().state != catalog.upstream().discover().state


@pytest.mark.pitfall(41)
def test_pitfall_41_other_bytes_for_a_version_show_as_another_tree(catalog: ACatalog) -> None:
    before = catalog.upstream().discover().found
    republished = AReleaseFolder("1.0.0")
    republished.manifest({"version": 1, "metadata": {"protocol_versions": ["6.0"]}})
    republished.seal()
    catalog.put(republished)
    after = catalog.upstream().discover().found
    assert before[0].tree != after[0].tree
    assert before[1].tree == after[1].tree


def test_a_tree_that_is_gone_costs_one_version(catalog: ACatalog) -> None:
    upstream = catalog.upstream()
    first, second = upstream.discover().found
    lost = Found(version=first.version, ref=first.ref, commit=first.commit, tree="0" * 40)
    result = results(upstream, replace(upstream.discover(), found=(lost, second)))
    assert isinstance(result["1.0.0"], UpstreamError)
    assert isinstance(result["1.1.0"], ProviderVersion)
