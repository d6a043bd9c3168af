"""Over TLS with an authority of one's own: nothing needs to be configured but the trust in it."""

from pathlib import Path

import pytest

from tests.e2e.client import Workspace, client_config, module_block, provider_block
from tests.e2e.conftest import Running
from tests.e2e.sample import HELLO, MONO, NET

pytestmark = pytest.mark.e2e


def test_a_module_is_found_by_discovery(secure: Running, tmp_path: Path) -> None:
    client = secure.client(tmp_path, "")
    client.get(f"{secure.host}/{NET}", "~> 1.0")
    assert client.module()["Version"] == "1.10.0"
    assert secure.client(tmp_path / "mono", "").get(f"{secure.host}/{MONO}", "1.0.0").name == "subnets"


def test_what_client_config_prints_is_all_that_is_needed(secure: Running, tmp_path: Path) -> None:
    assert "host " not in "\n".join(line for line in client_config(secure.url).splitlines() if not line.startswith("#"))
    secure.client(tmp_path).get(f"{secure.host}/{NET}//modules/inner", "1.0.0")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_provider_with_its_lock_file(secure: Running, tmp_path: Path, name: str) -> None:
    client = secure.client(tmp_path, "")
    source = f"{name}:{secure.port}/{HELLO}"
    client.write(provider_block(source, "~> 1.0"))
    client.init()
    assert client.locks[source].version == "1.1.0"
    client.clean_init("-lockfile=readonly")


@pytest.mark.pitfall(8)
def test_pitfall_08_localhost_is_no_registry_of_modules(secure: Running, tmp_path: Path) -> None:
    """What `client-config` says when it refuses such a name is true."""
    client = secure.client(tmp_path, "")
    client.write(module_block(f"localhost:{secure.port}/{NET}", "1.0.0"))
    assert client.run("get", "-no-color").code == 1
    client.get(f"127.0.0.1:{secure.port}/{NET}", "1.0.0")


def test_without_trust_in_the_authority_nothing_is_installed(secure: Running, tmp_path: Path) -> None:
    client = Workspace(tmp_path)
    client.write(module_block(f"{secure.host}/{NET}", "1.0.0"))
    result = client.run("get", "-no-color")
    assert result.code == 1
    assert "certificate" in result.output
