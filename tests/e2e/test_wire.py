"""What the real client sends and is told, word for word, seen by a proxy between them."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.catalogs import a_catalog, a_catalog_module, a_catalog_provider
from tests.e2e.client import HERE, Workspace, a_release, client_config, host_of, module_block, provider_block
from tests.e2e.conftest import Running
from tests.e2e.process import eventually, serve, up
from tests.e2e.recorder import Recorder
from tests.e2e.sample import HELLO, MONO, NET, ODD, ODD_VERSION
from tests.repositories import commit
from tests.server.house import ask

pytestmark = pytest.mark.e2e

TOKEN = "a token that is none of the registry's business"


@pytest.fixture
def between(plain: Running) -> Iterator[Recorder]:
    """A proxy over plain http."""
    with Recorder(plain.url) as recorder:
        yield recorder


@pytest.fixture
def company(secure: Running, tmp_path: Path) -> Iterator[Recorder]:
    """A proxy that ends TLS, in front of a registry that trusts its word."""
    store = ("--store", secure.folder / "store")
    with (
        serve(tmp_path / "behind", *store, "--trusted-proxy", "127.0.0.1") as registry,
        Recorder(registry.url, authority=secure.authority) as recorder,
    ):
        yield recorder


def _client(recorder: Recorder, folder: Path, more: str = "") -> Workspace:
    return Workspace(folder, client_config(recorder.url) + more)


def _get(recorder: Recorder, folder: Path, address: str, version: str) -> None:
    _client(recorder, folder).get(f"{host_of(recorder.url)}/{address}", version)


@pytest.mark.pitfall(11)
@pytest.mark.pitfall(16)
def test_pitfall_11_16_a_module_takes_one_question_for_its_archive(between: Recorder, tmp_path: Path) -> None:
    """No look for a web page (`terraform-get=1`) in between; the HEAD before tells the length of the GET."""
    _get(between, tmp_path, NET, "1.0.0")
    archive = between.seen[-1]
    assert [item.line for item in between.seen] == [
        f"GET /v1/modules/{NET}/versions",
        f"GET /v1/modules/{NET}/1.0.0/download",
        f"HEAD {archive.path}",
        f"GET {archive.path}",
    ]
    assert archive.path.endswith(".tar.gz")
    assert {item.answer["content-length"] for item in between.seen[2:]} == {str(len(archive.body))}


@pytest.mark.pitfall(14)
def test_pitfall_14_the_signature_survives_what_clients_do_to_the_query(between: Recorder, tmp_path: Path) -> None:
    _get(between, tmp_path, NET, "1.0.0")
    location = between.of("/download")[0].answer["x-terraform-get"]
    assert "archive=tar.gz" in location
    assert "checksum=sha256:" in location
    for item in between.of(".tar.gz"):
        assert item.status == 200
        assert [pair.partition("=")[0] for pair in item.query.split("&")] == ["expires", "signature"]


@pytest.mark.pitfall(15)
def test_pitfall_15_an_archive_is_sent_as_it_is(between: Recorder, tmp_path: Path) -> None:
    _get(between, tmp_path, MONO, "1.0.0")
    archive = between.of(".tar.gz")[-1]
    assert "content-encoding" not in archive.answer
    greedy = ask(between.url, f"{archive.path}?{archive.query}", headers={"Accept-Encoding": "gzip, br"})
    assert "content-encoding" not in greedy.headers
    assert greedy.body == archive.body


@pytest.mark.pitfall(6)
@pytest.mark.pitfall(7)
@pytest.mark.pitfall(17)
@pytest.mark.pitfall(38)
def test_pitfall_06_07_17_38_no_redirects_and_no_token_where_bytes_are(between: Recorder, tmp_path: Path) -> None:
    """Clients send their token to the services only, so bytes must need none; nothing redirects it elsewhere."""
    host = host_of(between.url)
    client = _client(between, tmp_path, f'\ncredentials "{host}" {{\n  token = "{TOKEN}"\n}}\n')
    client.write(provider_block(f"{host}/{HELLO}", "1.0.0") + module_block(f"{host}/{NET}", "1.0.0"))
    client.init()
    assert not [item.line for item in between.seen if 300 <= item.status < 400]
    asked = {item.path: item.headers.get("authorization") for item in between.seen}
    assert {token for path, token in asked.items() if path.startswith("/v1/")} == {f"Bearer {TOKEN}"}
    artifacts = {path: token for path, token in asked.items() if path.startswith("/artifacts/")}
    assert {path.rpartition("_")[2].rpartition(".")[2] for path in artifacts} >= {"SHA256SUMS", "sig", "zip", "gz"}
    assert set(artifacts.values()) == {None}


@pytest.mark.pitfall(24)
def test_pitfall_24_a_plus_is_sent_and_read_as_a_plus(between: Recorder, tmp_path: Path) -> None:
    _get(between, tmp_path, ODD, ODD_VERSION)
    assert between.of("/download")[0].path in {
        f"/v1/modules/{ODD}/{ODD_VERSION}/download",
        f"/v1/modules/{ODD}/{ODD_VERSION.replace('+', '%2B')}/download",
    }
    assert between.of("/download")[0].status == 204


@pytest.mark.pitfall(27)
def test_pitfall_27_the_client_sends_names_as_they_were_typed(between: Recorder, tmp_path: Path) -> None:
    _get(between, tmp_path, "ACME/Net/generic", "1.0.0")
    assert between.seen[0].path == "/v1/modules/ACME/Net/generic/versions"
    assert between.seen[0].status == 200


@pytest.mark.pitfall(25)
def test_pitfall_25_the_reason_of_a_block_reaches_the_person(tmp_path: Path) -> None:
    """A list that some cache still holds names a version that was blocked since: the download says why not."""
    module, provider = a_catalog_module(NET, "1.0.0"), a_catalog_provider(HELLO, [a_release("1.0.0")])
    catalog = a_catalog(tmp_path / "catalog", module, provider)
    with up(catalog, tmp_path) as registry, Recorder(registry.url) as cache:
        host = host_of(cache.url)
        before, after = _client(cache, tmp_path / "before"), _client(cache, tmp_path / "after")
        before.write(module_block(f"{host}/{NET}", "1.0.0") + provider_block(f"{host}/{HELLO}", "1.0.0"))
        before.init()
        blocked = {"blocked": [{"version": "1.0.0", "reason": "leaked credential"}]}
        commit(
            catalog,
            a_catalog_module(NET, "1.0.0", rules=blocked)
            | a_catalog_provider(HELLO, [a_release("1.0.0")], rules=blocked),
        )
        eventually(lambda: ask(registry.url, f"/v1/modules/{NET}/1.0.0/download").status == 410)
        cache.held |= {item.path for item in cache.seen if item.path.endswith("/versions")}
        after.write(module_block(f"{host}/{NET}", "1.0.0"))
        of_module = after.run("init", "-no-color")
        after.write(provider_block(f"{host}/{HELLO}", "1.0.0"))
        of_provider = after.run("init", "-no-color")
    assert (of_module.code, of_provider.code) == (1, 1)
    assert "leaked credential" in of_module.output
    assert "410" in of_provider.output


@pytest.mark.pitfall(56)
def test_pitfall_56_a_token_is_for_host_and_port(company: Recorder, secure: Running, tmp_path: Path) -> None:
    """`client-config` names both; a token for the bare host is not sent."""
    host = host_of(company.url)
    assert f'source = "{host}/' in client_config(company.url)
    for number, (named, sent) in enumerate(((host, f"Bearer {TOKEN}"), (host.partition(":")[0], None))):
        company.seen.clear()
        client = secure.client(tmp_path / str(number), f'credentials "{named}" {{\n  token = "{TOKEN}"\n}}\n')
        client.get(f"{host}/{NET}", "1.0.0")
        assert {item.headers.get("authorization") for item in company.seen if "/v1/" in item.path} == {sent}


def test_behind_a_proxy_that_ends_tls(company: Recorder, secure: Running, tmp_path: Path) -> None:
    """Addresses are those of the proxy, as the client knows it."""
    client = secure.client(tmp_path, "")
    host = host_of(company.url)
    client.write(provider_block(f"{host}/{HELLO}", "1.0.0") + module_block(f"{host}/{MONO}", "1.0.0"))
    client.init()
    document = json.loads(gzip.decompress(company.of(f"/{HERE.replace('_', '/')}")[0].body))
    for name in ("download_url", "shasums_url", "shasums_signature_url"):
        assert document[name].startswith(f"{company.url}/artifacts/"), name


@pytest.mark.pitfall(1)
@pytest.mark.pitfall(3)
@pytest.mark.pitfall(4)
def test_pitfall_01_03_04_discovery_leads_to_the_services(company: Recorder, secure: Running, tmp_path: Path) -> None:
    client = secure.client(tmp_path, "")
    host = host_of(company.url)
    client.write(provider_block(f"{host}/{HELLO}", "1.0.0") + module_block(f"{host}/{NET}", "1.0.0"))
    client.init()
    assert company.seen[0].line == "GET /.well-known/terraform.json"
    assert company.seen[0].answer["content-type"] == "application/json"
    paths = {item.path for item in company.seen}
    assert {f"/v1/modules/{NET}/versions", f"/v1/providers/{HELLO}/versions"} <= paths


@pytest.mark.pitfall(57)
@pytest.mark.pitfall(58)
@pytest.mark.pitfall(59)
@pytest.mark.pitfall(60)
@pytest.mark.pitfall(61)
def test_pitfall_57_58_59_60_61_login_is_not_offered(secure: Running, tmp_path: Path) -> None:
    """What is not offered can't be offered wrongly; the client says so in words."""
    result = secure.client(tmp_path, "").run("login", "-no-color", secure.host)
    assert result.code == 1
    assert "Host does not support Terraform" in result.output
