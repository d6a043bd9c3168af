"""The export behind the real nginx: the real terraform installs from plain files, with all that it checks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from gitopsreg.offline import nginx as nginx_rules
from tests.cli.shell import gitopsreg
from tests.e2e.catalogs import HOSTNAME
from tests.e2e.client import HERE, Workspace, client_config, provider_block
from tests.e2e.nginx import a_listener, address_of, documented, find_nginx, nginx
from tests.e2e.sample import HELLO, MONO, NET, ODD, ODD_VERSION, ZIPPED
from tests.server.house import ask

pytestmark = pytest.mark.e2e


@dataclass(frozen=True, slots=True)
class Static:
    """An export and its web server; `host` is HOST:PORT."""

    host: str
    folder: Path
    store: Path
    ca: Path

    @property
    def url(self) -> str:
        return f"https://{self.host}"

    def client(self, folder: Path, tfrc: str = "") -> Workspace:
        return Workspace(folder, tfrc, ca=self.ca)


def export(store: Path, folder: Path, url: str) -> dict[str, object]:
    done = gitopsreg("export", "--static", folder, "--public-url", url, "--store", store, "--output", "json")
    assert done.code == 0, done.stderr
    document: dict[str, object] = done.json
    return document


@pytest.fixture(scope="module")
def static(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Static]:
    find_nginx()
    folder = tmp_path_factory.mktemp("static")
    store, www = folder / "store", folder / "export"
    gitopsreg("reconcile", "--catalog", sample, "--store", store, "--cache", folder / "cache")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    ca, chain, key = folder / "ca.pem", folder / "chain.pem", folder / "key.pem"
    authority.cert_pem.write_to_path(ca)
    key.write_bytes(certificate.private_key_pem.bytes())
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    with a_listener() as listener:
        host = address_of(listener)
        export(store, www, f"https://{host}")
        with nginx(folder / "nginx", listener, documented(www, listener, chain, key)):
            yield Static(host, www, store, ca)


def test_a_module_is_found_by_discovery(static: Static, tmp_path: Path) -> None:
    client = static.client(tmp_path)
    installed = client.get(f"{static.host}/{NET}", "~> 1.0")
    assert client.module()["Version"] == "1.10.0"
    assert '"1.10.0"' in installed.joinpath("main.tf").read_text()


@pytest.mark.parametrize(
    ("source", "version", "file"),
    [
        (f"{NET}//modules/inner", "1.0.0", "main.tf"),
        (f"{MONO}//modules/deep", "1.0.0", "main.tf"),
        (ZIPPED, "1.0.0", "main.tf"),
        (ODD, ODD_VERSION, "ä file with spaces.txt"),
    ],
)
def test_modules_of_every_shape(static: Static, tmp_path: Path, source: str, version: str, file: str) -> None:
    assert static.client(tmp_path).get(f"{static.host}/{source}", version).joinpath(file).is_file()


def test_an_altered_archive_is_not_installed(static: Static, tmp_path: Path) -> None:
    """The checksum of each archive is in the header, and terraform looks at it."""
    folder = tmp_path / "export"
    archive = static.folder / f"www/v1/modules/{NET}/2.0.0/module.tar.gz"
    whole = archive.read_bytes()
    archive.write_bytes(static.folder.joinpath(f"www/v1/modules/{NET}/1.0.0/module.tar.gz").read_bytes())
    try:
        client = static.client(folder)
        client.write(f'module "m" {{\n  source  = "{static.host}/{NET}"\n  version = "2.0.0"\n}}\n')
        result = client.run("get", "-no-color")
    finally:
        archive.write_bytes(whole)
    assert result.code == 1
    assert "Checksums did not match" in result.output


def test_a_provider_with_its_signature_and_lock_file(static: Static, tmp_path: Path) -> None:
    client, source = static.client(tmp_path), f"{static.host}/{HELLO}"
    client.write(provider_block(source, "~> 1.0"))
    result = client.init()
    assert "self-signed" in result.output
    assert client.locks[source].version == "1.1.0"
    assert client.locks[source].scheme("zh")
    client.clean_init("-lockfile=readonly")


def test_a_provider_through_the_network_mirror(static: Static, tmp_path: Path) -> None:
    mirror = f'network_mirror {{\n    url = "{static.url}/v1/mirror/"\n    include = ["{HOSTNAME}/*/*"]\n  }}'
    client, source = static.client(tmp_path, f"provider_installation {{\n  {mirror}\n}}\n"), f"{HOSTNAME}/{HELLO}"
    client.write(provider_block(source, "~> 1.0"))
    assert "verified checksum" in client.init().output
    assert client.providers == {f"{source}/1.1.0"}
    client.clean_init("-lockfile=readonly")


def test_a_provider_through_the_file_system(static: Static, tmp_path: Path) -> None:
    """The same tree, without any server."""
    mirror = f'filesystem_mirror {{\n    path = "{static.folder}/www/v1/mirror"\n  }}'
    client, source = Workspace(tmp_path, f"provider_installation {{\n  {mirror}\n}}\n"), f"{HOSTNAME}/{HELLO}"
    client.write(provider_block(source, "~> 1.0"))
    client.init()
    assert client.providers == {f"{source}/1.1.0"}


def test_the_mirrors_tree_is_terraforms_own(static: Static, tmp_path: Path) -> None:
    """`terraform providers mirror`, from the export, writes what the export has in its mirror."""
    client = static.client(tmp_path)
    client.write(provider_block(f"{static.host}/{HELLO}", "1.1.0"))
    client.init()
    result = client.run("providers", "mirror", f"-platform={HERE}", str(tmp_path / "theirs"))
    assert result.code == 0, result.output
    theirs = tmp_path / "theirs" / static.host / HELLO
    ours = static.folder / "www/v1/mirror" / static.host / HELLO
    (zipped,) = theirs.glob("*.zip")
    assert ours.joinpath(zipped.name).read_bytes() == zipped.read_bytes()
    wanted = json.loads(theirs.joinpath("1.1.0.json").read_text())["archives"][HERE]
    found = json.loads(ours.joinpath("1.1.0.json").read_text())["archives"][HERE]
    assert found["url"] == wanted["url"]
    assert set(wanted["hashes"]) <= set(found["hashes"])
    assert "1.1.0" in json.loads(ours.joinpath("index.json").read_text())["versions"]


def test_a_module_by_the_address_of_its_archive(static: Static, tmp_path: Path) -> None:
    """What the page tells users of bare buckets to write."""
    client = static.client(tmp_path)
    client.write(f'module "m" {{\n  source = "{static.url}/v1/modules/{NET}/1.0.0/module.tar.gz"\n}}\n')
    result = client.run("get", "-no-color")
    assert result.code == 0, result.output
    assert client.installed().joinpath("main.tf").is_file()


def test_any_host_with_one_fixed_header_serves_modules(static: Static, tmp_path: Path) -> None:
    """And a bare one serves providers: the page says so."""
    rule = "location ~ /download$ { add_header X-Terraform-Get ./module.tar.gz; }"
    with a_listener() as listener:
        host = address_of(listener)
        server = f"server {{ listen {host}; root {static.folder}/www; {rule} }}"
        with nginx(tmp_path / "nginx", listener, f"http {{\n{server}\n}}"):
            client = Workspace(tmp_path / "client", client_config(f"http://{host}"))
            assert client.get(f"{host}/{NET}", "1.0.0").joinpath("main.tf").is_file()
            provider = Workspace(tmp_path / "provider", client_config(f"http://{host}"), ca=static.ca)
            provider.write(provider_block(f"{host}/{HELLO}", "1.0.0"))
            provider.init()


def test_until_nginx_is_reloaded_a_new_module_is_worth_another_try(static: Static, tmp_path: Path) -> None:
    maps = tmp_path / "maps.conf"
    maps.write_text(nginx_rules.maps([]))
    with a_listener() as listener:
        host = address_of(listener)
        include = f"include {static.folder}/nginx/locations.conf;"
        server = f"include {maps};\nserver {{ listen {host}; root {static.folder}/www; {include} }}"
        with nginx(tmp_path / "nginx", listener, f"http {{\n{server}\n}}"):
            new = ask(f"http://{host}", f"/v1/modules/{NET}/1.0.0/download")
            none = ask(f"http://{host}", f"/v1/modules/{NET}/9.9.9/download")
    assert (new.status, new.headers["retry-after"]) == (503, "5")
    assert none.status == 404


def test_a_header_is_what_the_export_says_whatever_is_in_it(static: Static, tmp_path: Path) -> None:
    odd = '/a//b$c ${d} "e" \\\\f; {g} ünï?archive=tar.gz'
    path = "/v1/modules/a/b/c/1.0.0+build.5/download"
    maps = tmp_path / "maps.conf"
    maps.write_text(nginx_rules.maps([(path, odd)]), encoding="utf-8")
    with a_listener() as listener:
        host = address_of(listener)
        include = f"include {static.folder}/nginx/locations.conf;"
        server = f"include {maps};\nserver {{ listen {host}; root {static.folder}/www; {include} }}"
        with nginx(tmp_path / "nginx", listener, f"http {{\n{server}\n}}"):
            answer = ask(f"http://{host}", path)
    assert answer.status == 204
    assert answer.headers["x-terraform-get"].encode("latin-1").decode() == odd


def test_types_of_content(static: Static, tmp_path: Path) -> None:
    """Clients look at that of discovery and of the mirror; nothing is ever encoded."""
    wanted = {
        ".well-known/terraform.json": "application/json",
        f"v1/mirror/{HOSTNAME}/{HELLO}/index.json": "application/json",
        f"v1/providers/{HELLO}/versions": "application/json",
        f"v1/providers/{HELLO}/1.0.0/download/{HERE.replace('_', '/')}": "application/json",
        f"v1/providers/{HELLO}/1.0.0/terraform-provider-hello_1.0.0_{HERE}.zip": "application/zip",
        f"v1/providers/{HELLO}/1.0.0/terraform-provider-hello_1.0.0_SHA256SUMS": "application/octet-stream",
        f"v1/modules/{NET}/1.0.0/module.tar.gz": "application/octet-stream",
    }
    with a_listener() as listener:
        host = address_of(listener)
        include = f"include {static.folder}/nginx/locations.conf;"
        maps = f"gzip on; gzip_types *; include {static.folder}/nginx/maps.conf;"
        server = f"{maps}\nserver {{ listen {host}; root {static.folder}/www; {include} }}"
        with nginx(tmp_path / "nginx", listener, f"http {{\n{server}\n}}"):
            answers = {path: ask(f"http://{host}", f"/{path}", headers={"Accept-Encoding": "gzip"}) for path in wanted}
    assert {path: answer.headers["content-type"] for path, answer in answers.items()} == wanted
    assert "content-encoding" not in answers[f"v1/modules/{NET}/1.0.0/module.tar.gz"].headers


def test_a_second_export_writes_nothing(static: Static) -> None:
    done = export(static.store, static.folder, static.url)
    assert (done["written"], done["removed"]) == (0, 0)


def test_paths_that_differ_in_letter_case_only_are_two(static: Static, tmp_path: Path) -> None:
    """nginx compares the plain keys of a map without regard to it, and would not start."""
    paths = {f"/v1/modules/a/b/c/1.0.0-{name}/download": f"/{name}.tar.gz" for name in ("RC1", "rc1")}
    maps = tmp_path / "maps.conf"
    maps.write_text(nginx_rules.maps(paths.items()))
    with a_listener() as listener:
        host = address_of(listener)
        include = f"include {static.folder}/nginx/locations.conf;"
        server = f"include {maps};\nserver {{ listen {host}; root {static.folder}/www; {include} }}"
        with nginx(tmp_path / "nginx", listener, f"http {{\n{server}\n}}"):
            found = {path: ask(f"http://{host}", path).headers["x-terraform-get"] for path in paths}
    assert found == paths
