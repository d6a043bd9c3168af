import re
from pathlib import Path

import pytest

from gitopsreg.cli import tfrc
from gitopsreg.errors import ConfigError
from gitopsreg.protocol import discovery
from gitopsreg.settings import Endpoint, Settings
from tests.cli.shell import gitopsreg


def test_plain_http_gets_a_host_block_and_is_told_of_tls() -> None:
    text = gitopsreg("client-config").stdout
    assert text.endswith(
        'host "127.0.0.1:8080" {\n'
        "  services = {\n"
        '    "modules.v1"   = "http://127.0.0.1:8080/v1/modules/"\n'
        '    "providers.v1" = "http://127.0.0.1:8080/v1/providers/"\n'
        "  }\n"
        "}\n"
    )
    assert "SSL_CERT_FILE" in text
    assert "--tls-cert" in text


def test_https_needs_no_block() -> None:
    text = gitopsreg("client-config", "--public-url", "https://registry.example.com").stdout
    assert "host " not in "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    assert "SSL_CERT_FILE" in text


def test_a_name_that_is_not_the_address_gets_a_block_over_https_too() -> None:
    text = gitopsreg("client-config", "--url", "https://10.0.0.7:8443", "--host", "registry.example.com").stdout
    assert 'host "registry.example.com" {' in text
    assert '"modules.v1"   = "https://10.0.0.7:8443/v1/modules/"' in text
    assert "plain http" not in text


def test_the_mirror_is_for_this_host_only() -> None:
    text = gitopsreg("client-config", "--url", "https://registry.example.com", "--mirror").stdout
    assert 'url     = "https://registry.example.com/v1/mirror/"' in text
    assert text.count('["registry.example.com/*/*"]') == 2


def test_a_mirror_over_http_is_refused() -> None:
    done = gitopsreg("client-config", "--mirror")
    assert done.code == 2
    assert "terraform wants https" in done.stderr


def test_json() -> None:
    document = gitopsreg("client-config", "--output", "json", "--listen", ":9000").json
    assert document["host"] == "127.0.0.1:9000"
    assert document["url"] == "http://127.0.0.1:9000"
    assert document["services"]["modules.v1"] == "http://127.0.0.1:9000/v1/modules/"
    assert document["tfrc"] == gitopsreg("client-config", "--listen", ":9000").stdout


@pytest.mark.pitfall(8)
@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "registry"])
def test_pitfall_8_a_name_without_a_dot_is_refused_with_advice(host: str) -> None:
    done = gitopsreg("client-config", "--host", host)
    assert done.code == 2
    better = host.replace("localhost", "127.0.0.1").replace("registry", "registry.example.com")
    assert f'terraform wants a dot in it, write "{better}"' in done.stderr


@pytest.mark.parametrize(
    "host", ["github.com", "bitbucket.org:443", "[::1]:8080", "https://x.example.com", "a.b:99999", "", "a b.c"]
)
def test_names_that_clients_refuse(host: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f'"{host}"')):
        tfrc.checked_host(host)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Registry.Example.com", "registry.example.com"),
        ("registry.example.com:443", "registry.example.com"),
        ("registry.example.com:8443", "registry.example.com:8443"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
    ],
)
def test_names_as_clients_have_them(host: str, name: str) -> None:
    assert tfrc.checked_host(host) == name


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        (Endpoint("127.0.0.1", 8080), "http://127.0.0.1:8080"),
        (Endpoint("", 8080), "http://127.0.0.1:8080"),
        (Endpoint("0.0.0.0", 80), "http://127.0.0.1:80"),
        (Endpoint("localhost", 8080), "http://127.0.0.1:8080"),
        (Endpoint("10.0.0.7", 8080), "http://10.0.0.7:8080"),
    ],
)
def test_where_clients_of_this_machine_find_it(listen: Endpoint, url: str) -> None:
    assert tfrc.registry_url(Settings(listen=listen)) == url


def test_a_certificate_means_https() -> None:
    assert tfrc.registry_url(Settings(tls_cert=Path("x.pem"))) == "https://127.0.0.1:8080"


def test_a_running_server_knows_its_port() -> None:
    assert tfrc.url_of_running(Settings(listen=Endpoint("", 0)), "http://127.0.0.1:43210") == "http://127.0.0.1:43210"
    public = Settings(public_url="https://registry.example.com")
    assert tfrc.url_of_running(public, "http://127.0.0.1:43210") == "https://registry.example.com"


def test_the_services_are_those_of_discovery() -> None:
    assert tfrc.services("https://a.b") == {name: f"https://a.b{path}" for name, path in discovery.services().items()}
