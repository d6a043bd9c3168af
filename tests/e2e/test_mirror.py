"""The same provider through the network mirror protocol."""

from pathlib import Path

import pytest

from tests.cli.shell import gitopsreg
from tests.e2e.catalogs import HOSTNAME
from tests.e2e.client import HERE, Workspace, a_release, client_config, provider_block
from tests.e2e.conftest import Running
from tests.e2e.recorder import Recorder
from tests.e2e.sample import HELLO

pytestmark = pytest.mark.e2e

SOURCE = f"{HOSTNAME}/{HELLO}"
OTHER = next(platform for platform in a_release("1.0.0").platforms if platform != HERE)


def _mirrored(secure: Running, folder: Path, version: str = "1.0.0") -> Workspace:
    """Clients know the registry by its name only; their providers come through the mirror."""
    client = secure.client(folder, client_config(secure.url, "--host", HOSTNAME, "--mirror"))
    client.write(provider_block(SOURCE, version))
    return client


def _only_mirror(url: str, more: str = "") -> str:
    """The mirror for the providers of every host."""
    return f'provider_installation {{\n  network_mirror {{\n    url = "{url}/v1/mirror/"\n  }}\n{more}}}\n'


def test_a_provider_with_its_lock_file(secure: Running, tmp_path: Path) -> None:
    client = _mirrored(secure, tmp_path, "~> 1.0")
    client.init()
    locked = client.locks[SOURCE]
    assert locked.version == "1.1.0"
    assert locked.scheme("h1")
    assert client.providers == {f"{SOURCE}/1.1.0"}


@pytest.mark.pitfall(53)
def test_pitfall_53_a_second_clean_init_finds_the_same_hash(secure: Running, tmp_path: Path) -> None:
    """The zips with folder entries (1.3.0) were refused, all others have one hash only."""
    client = _mirrored(secure, tmp_path, ">= 1.0.0")
    client.init()
    client.clean_init()
    client.clean_init("-lockfile=readonly")
    assert client.locks[SOURCE].version == "1.1.0"


def test_a_lock_file_of_the_registry_is_good_for_the_mirror(secure: Running, tmp_path: Path) -> None:
    registry = secure.client(tmp_path, client_config(secure.url, "--host", HOSTNAME))
    registry.write(provider_block(SOURCE, "1.0.0"))
    registry.init()
    mirror = _mirrored(secure, tmp_path / "mirror")
    mirror.folder.joinpath(".terraform.lock.hcl").write_bytes(
        registry.folder.joinpath(".terraform.lock.hcl").read_bytes()
    )
    mirror.init("-lockfile=readonly")


def test_another_platform_is_locked_through_the_mirror(secure: Running, tmp_path: Path) -> None:
    client = secure.client(tmp_path, "")
    client.write(provider_block(SOURCE, "1.0.0"))
    platforms = (f"-platform={HERE}", f"-platform={OTHER}")
    result = client.run("providers", "lock", "-no-color", f"-net-mirror={secure.url}/v1/mirror/", *platforms)
    assert result.code == 0, result.output
    assert len(client.locks[SOURCE].scheme("h1")) == 2


@pytest.mark.pitfall(49)
def test_pitfall_49_what_the_mirror_has_not_comes_from_its_origin(
    secure: Running, plain: Running, tmp_path: Path
) -> None:
    """A 404 for the version would end the search."""
    source = f"other.example.com/{HELLO}"
    with Recorder(plain.url, authority=secure.authority) as mirror:
        origin = client_config(plain.url, "--host", "other.example.com")
        client = secure.client(tmp_path, origin + _only_mirror(mirror.url, "  direct {}\n"))
        client.write(provider_block(source, "1.0.0"))
        client.init()
    assert client.providers == {f"{source}/1.0.0"}
    assert [(item.line.partition("/v1/mirror/")[2], item.status) for item in mirror.seen] == [
        (f"{source}/index.json", 404),
        (f"{source}/1.0.0.json", 200),
    ]
    assert mirror.seen[1].body == b'{"archives":{}}'


@pytest.mark.pitfall(51)
def test_pitfall_51_a_mirror_must_be_https(plain: Running, tmp_path: Path) -> None:
    refused = gitopsreg("client-config", "--url", plain.url, "--mirror")
    assert refused.code == 2
    assert "https" in refused.stderr
    client = plain.client(tmp_path, _only_mirror(plain.url))
    client.write(provider_block(f"{plain.host}/{HELLO}", "1.0.0"))
    assert client.run("init", "-no-color").code == 1


@pytest.mark.pitfall(52)
def test_pitfall_52_a_mirrors_address_ends_with_a_slash(secure: Running, tmp_path: Path) -> None:
    right = client_config(secure.url, "--host", HOSTNAME, "--mirror")
    assert "/v1/mirror/" in right
    wrong = secure.client(tmp_path, right.replace("/v1/mirror/", "/v1/mirror"))
    wrong.write(provider_block(SOURCE, "1.0.0"))
    assert wrong.run("init", "-no-color").code == 1
    _mirrored(secure, tmp_path / "right").init()


def test_a_name_with_a_port_is_never_found_in_a_mirror(secure: Running, tmp_path: Path) -> None:
    """Terraform reads `127.0.0.1:8443/acme/hello` as an address of its own; `client-config` knows it."""
    refused = gitopsreg("client-config", "--url", secure.url, "--mirror")
    assert refused.code == 2
    assert "a name without one" in refused.stderr
    client = secure.client(tmp_path, _only_mirror(secure.url))
    client.write(provider_block(f"{secure.host}/{HELLO}", "1.0.0"))
    assert client.run("init", "-no-color").code == 1
