"""The export says what the server says: every document, and the bytes behind every link."""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import pytest

from gitopsreg.protocol.lookup import listed_provider_versions
from tests.offline.sites import PUBLIC, a_site, a_store, exported, files
from tests.server.house import HOSTNAME, ask, running

LINKS = {"url", "download_url", "shasums_url", "shasums_signature_url"}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, bytes]]]:
    """(the server's URL, the export's files below www)."""
    store, folder = a_store(), tmp_path_factory.mktemp("export")
    exported(store, folder)
    with running(store, public_url=PUBLIC) as url:
        yield url, files(folder / "www")


def file_of(link: str) -> str:
    return unquote(urlsplit(link).path.rpartition("/")[2])


def without_links(value: Any) -> Any:
    """Links by what they must say: the file's name."""
    if isinstance(value, dict):
        return {
            k: unquote(urlsplit(v).path.rpartition("/")[2]) if k in LINKS else without_links(v)
            for k, v in value.items()
        }
    return [without_links(item) for item in value] if isinstance(value, list) else value


def documents(www: dict[str, bytes]) -> dict[str, Any]:
    """All but the bytes and what stands in for a module's header."""
    wanted = re.compile(r"versions|.*\.json|.*/download/\w+/\w+")
    return {
        path: json.loads(data) for path, data in www.items() if wanted.fullmatch(path) or path.endswith("/versions")
    }


def test_each_document_is_the_servers(both: tuple[str, dict[str, bytes]]) -> None:
    url, www = both
    found = documents(www)
    assert len(found) > 15
    for path, document in found.items():
        answer = ask(url, f"/{path}")
        assert answer.status == 200, path
        assert without_links(document) == without_links(json.loads(answer.body)), path


def test_each_module_download_is_the_servers(both: tuple[str, dict[str, bytes]]) -> None:
    url, www = both
    downloads = [path for path in www if path.startswith("v1/modules/") and path.endswith("/download")]
    assert len(downloads) > 5
    for path in downloads:
        answer = ask(url, f"/{path}")
        assert answer.status == 204, path
        ours, theirs = (
            urlsplit(text) for text in (json.loads(www[path])["location"], answer.headers["x-terraform-get"])
        )
        assert parse_qs(ours.query) == {k: v for k, v in parse_qs(theirs.query).items() if k in {"archive", "checksum"}}
        archive = www[ours.path.removeprefix("/").partition("//")[0]]
        assert f"sha256:{sha256(archive).hexdigest()}" == parse_qs(ours.query)["checksum"][0]


def test_what_the_server_has_is_exported(both: tuple[str, dict[str, bytes]]) -> None:
    """The other way round: each path that a client could ask for, of every name and version."""
    url, www = both
    hosts = (HOSTNAME, "public.example.com:8443")
    versions = ("1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "2.0.0+build.5", "2.1.0-beta1", "9.9.9")
    paths = {f"v1/modules/{ns}/{name}/aws/versions" for ns in ("platform", "infra") for name in ("vpc", "old")}
    paths |= {f"{path.removesuffix('versions')}{version}/download" for path in paths for version in versions}
    for namespace in ("platform", "infra"):
        paths.add(f"v1/providers/{namespace}/hello/versions")
        paths |= {f"v1/providers/{namespace}/hello/1.0.0/download/{p}" for p in ("linux/amd64", "darwin/arm64", "a/b")}
        paths |= {f"v1/mirror/{host}/{namespace}/hello/{name}.json" for host in hosts for name in ("index", "1.0.0")}
    statuses = {path: ask(url, f"/{path}").status for path in paths}
    assert {404, 410, 200, 204} == set(statuses.values())
    assert {path for path, status in statuses.items() if status < 300} == {path for path in paths if path in www}


def test_each_link_leads_to_its_bytes(both: tuple[str, dict[str, bytes]]) -> None:
    _, www = both
    for path, document in documents(www).items():
        if "download/" in path:
            for key in LINKS & set(document):
                assert document[key].startswith(f"{PUBLIC}/v1/providers/platform/hello/1.0.0/")
                assert document[key].removeprefix(f"{PUBLIC}/") in www
            zipped = www[document["download_url"].removeprefix(f"{PUBLIC}/")]
            assert sha256(zipped).hexdigest() == document["shasum"]
        for archive in document.get("archives", {}).values():
            zipped = www[urljoin(path, archive["url"])]
            assert f"zh:{sha256(zipped).hexdigest()}" in archive["hashes"]


def test_blocked_bytes_are_not_there(both: tuple[str, dict[str, bytes]]) -> None:
    _, www = both
    assert not [path for path in www if "/1.4.0/" in path]


def test_a_location_for_each_download(both: tuple[str, dict[str, bytes]]) -> None:
    _, www = both
    site = a_site(a_store())
    assert {path.removeprefix("/"): location for path, location in site.locations()} == {
        path: json.loads(data)["location"] for path, data in www.items() if path.endswith("/download")
    }


def test_an_unlisted_provider_is_out_of_a_filesystem_mirrors_sight() -> None:
    from dataclasses import replace

    from gitopsreg.index.model import ProviderPackage
    from tests.protocol.samples import a_provider
    from tests.server.house import publish_packages, stored_provider

    store = a_store()
    hidden = stored_provider(store, listing="hidden", yanked="broken")
    package: ProviderPackage = a_provider(replace(hidden))
    publish_packages(store, package)
    site = a_site(store)
    assert listed_provider_versions(package) == ()
    assert not [copy for copy in site.copies() if "/mirror/" in copy.path]
    (page,) = [page for page in site.pages() if page.path == f"/v1/mirror/{HOSTNAME}/platform/hello/1.0.0.json"]
    urls = [archive["url"] for archive in json.loads(page.body)["archives"].values()]
    assert urls
    assert set(urls) <= {copy.path for copy in site.copies()}
