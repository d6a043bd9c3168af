"""Providers over plain http: signatures, hashes, and the lock file that a team shares."""

import base64
import io
import json
import re
import shutil
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from tests.e2e.client import HERE, Workspace, a_release, provider_block
from tests.e2e.conftest import Running
from tests.e2e.process import alter_blob, serve
from tests.e2e.sample import HELLO, releases
from tests.server.house import ask
from tests.terraform import Result

pytestmark = pytest.mark.e2e


def _configured(registry: Running, folder: Path, version: str = "1.0.0") -> Workspace:
    client = registry.client(folder)
    client.write(provider_block(f"{registry.host}/{HELLO}", version))
    return client


def _zip_hashes(version: str) -> set[str]:
    """`zh:` of every line of SHA256SUMS: each zip, and the manifest."""
    files = next(release for release in releases() if release.version == version).files
    return {f"zh:{sha256(data).hexdigest()}" for name, data in files.items() if "SHA256SUMS" not in name}


def _h1(data: bytes) -> str:
    """Go's dirhash of a zip, made here once more: sha256 of the sorted lines `sha256  name`."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        lines = [f"{sha256(archive.read(name)).hexdigest()}  {name}\n" for name in sorted(archive.namelist())]
    return "h1:" + base64.b64encode(sha256("".join(lines).encode()).digest()).decode()


def test_the_lock_file_knows_every_platform(plain: Running, tmp_path: Path) -> None:
    client = _configured(plain, tmp_path)
    result = client.init()
    assert "signed by" in result.output or "self-signed" in result.output
    locked = client.locks[f"{plain.host}/{HELLO}"]
    assert locked.version == "1.0.0"
    assert locked.scheme("h1") == {_h1(a_release("1.0.0").files[a_release("1.0.0").zip_name(HERE)])}
    assert locked.scheme("zh") == _zip_hashes("1.0.0")
    assert client.providers == {f"{plain.host}/{HELLO}/1.0.0"}


def test_a_second_machine_installs_the_same(plain: Running, tmp_path: Path) -> None:
    client = _configured(plain, tmp_path)
    client.init()
    before = client.folder.joinpath(".terraform.lock.hcl").read_bytes()
    client.clean_init()
    client.clean_init("-lockfile=readonly")
    assert client.folder.joinpath(".terraform.lock.hcl").read_bytes() == before


@pytest.mark.pitfall(45)
def test_pitfall_45_every_platform_can_be_locked(plain: Running, tmp_path: Path) -> None:
    """The digests of the download documents are those of the zips, for each platform."""
    client = _configured(plain, tmp_path)
    platforms = a_release("1.0.0").platforms
    result = client.run("providers", "lock", "-no-color", *(f"-platform={platform}" for platform in platforms))
    assert result.code == 0, result.output
    locked = client.locks[f"{plain.host}/{HELLO}"]
    assert len(locked.scheme("h1")) == len(platforms)
    client.init("-lockfile=readonly")


@pytest.mark.pitfall(37)
def test_pitfall_37_a_platform_that_is_not_there_is_named(plain: Running, tmp_path: Path) -> None:
    client = _configured(plain, tmp_path)
    result = client.run("providers", "lock", "-no-color", "-platform=plan9_arm")
    assert result.code == 1
    assert "plan9_arm" in result.output
    assert ask(plain.url, f"/v1/providers/{HELLO}/1.0.0/download/{HERE.replace('_', '/').upper()}").status == 404


@pytest.mark.pitfall(33)
def test_pitfall_33_a_version_of_a_second_signer_is_trusted(plain: Running, tmp_path: Path) -> None:
    """Both keys are declared; 1.0.0 was signed with the one, 1.1.0 with the other."""
    client = _configured(plain, tmp_path, "1.1.0")
    client.init()
    assert client.locks[f"{plain.host}/{HELLO}"].version == "1.1.0"


@pytest.mark.pitfall(47)
def test_pitfall_47_a_version_without_this_platform_is_not_offered(plain: Running, tmp_path: Path) -> None:
    """1.2.0 lacks this platform and 1.3.0 has an unusable zip: the newest good one is chosen, without an error."""
    client = _configured(plain, tmp_path, ">= 1.0.0")
    client.init()
    assert client.locks[f"{plain.host}/{HELLO}"].version == "1.1.0"


def _altered(plain: Running, tmp_path: Path, link: str) -> Result:
    """What terraform says when the bytes behind one link of version 1.0.0 are those of 1.1.0."""
    right, wrong = (
        json.loads(ask(plain.url, f"/v1/providers/{HELLO}/{version}/download/{HERE.replace('_', '/')}").body)[link]
        for version in ("1.0.0", "1.1.0")
    )
    shutil.copytree(plain.folder / "store", tmp_path / "store")
    alter_blob(tmp_path, right, ask(wrong).body)
    with serve(tmp_path) as registry:
        client = _configured(Running(registry.url, tmp_path, plain.catalog), tmp_path)
        result = client.run("init", "-no-color")
    assert result.code == 1
    assert not client.providers
    return result


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("download_url", r"\(expected zh:"),
        ("shasums_url", "authentication signature from unknown issuer|signature|checksum"),
        ("shasums_signature_url", "signature"),
    ],
)
def test_altered_bytes_are_refused(plain: Running, tmp_path: Path, link: str, message: str) -> None:
    assert re.search(message, _altered(plain, tmp_path, link).output)
