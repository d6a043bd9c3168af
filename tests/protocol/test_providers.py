"""The provider registry protocol, against the published examples and the ways to break real clients."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gitopsreg.index.model import ProviderVersion, PublicKey
from gitopsreg.model.declaration import Deprecation
from gitopsreg.protocol import providers
from gitopsreg.protocol.document import encode
from tests.builders import stored
from tests.protocol.samples import ARMOR, EXPIRES, a_build, a_provider, a_provider_version, plain_link

BASE = "https://registry.example.com"


def _download(version: ProviderVersion | None = None) -> Any:
    version = version or a_provider_version()
    return json.loads(encode(providers.download(version, version.builds[-1], plain_link, BASE)))


def _versions(*versions: ProviderVersion, **changes: Any) -> Any:
    return json.loads(encode(providers.versions(a_provider(*versions, **changes))))


def test_the_list_is_the_published_example() -> None:
    platforms = [{"os": "darwin", "arch": "arm64"}, {"os": "linux", "arch": "amd64"}]
    assert _versions() == {"versions": [{"version": "1.0.0", "protocols": ["5.0", "6.0"], "platforms": platforms}]}


def test_the_download_is_the_published_example() -> None:
    version = a_provider_version()
    build = version.builds[-1]
    sums = f"{BASE}/artifacts/{stored(version.checksums).sha256.hex}/terraform-provider-hello_1.0.0_SHA256SUMS"
    signature = f"{BASE}/artifacts/{stored(version.signature).sha256.hex}/terraform-provider-hello_1.0.0_SHA256SUMS.sig"
    document = _download()
    packages = document.pop("packages")
    assert document == {
        "protocols": ["5.0", "6.0"],
        "os": "linux",
        "arch": "amd64",
        "filename": "terraform-provider-hello_1.0.0_linux_amd64.zip",
        "download_url": f"{BASE}/artifacts/{stored(build.zip).sha256.hex}/{build.filename}?{EXPIRES}",
        "shasums_url": f"{sums}?{EXPIRES}",
        "shasums_signature_url": f"{signature}?{EXPIRES}",
        "shasum": stored(build.zip).sha256.hex,
        "signing_keys": {
            "gpg_public_keys": [{"key_id": "51852D87348FFC4C", "ascii_armor": ARMOR, "trust_signature": ""}]
        },
    }
    assert packages["linux_amd64"] == {
        "hashes": [stored(build.zip).sha256.zh, build.h1],
        "package_size": stored(build.zip).size,
    }
    assert packages.keys() == {"darwin_arm64", "linux_amd64"}


def test_warnings_tell_of_deprecation_and_of_listed_yanks() -> None:
    versions = (
        a_provider_version("1.0.0", yanked="forgets its state"),
        a_provider_version("1.1.0", yanked="hidden", listing="hidden"),
        a_provider_version("1.2.0"),
    )
    document = _versions(*versions, deprecation=Deprecation(message="old"))
    assert document["warnings"] == ["deprecated: old", "version 1.0.0 is yanked: forgets its state"]
    assert [entry["version"] for entry in document["versions"]] == ["1.2.0", "1.0.0"]


@pytest.mark.pitfall(48)
def test_pitfall_48_warnings_are_a_list_of_text_and_absent_without_one() -> None:
    assert "warnings" not in _versions()
    warnings = _versions(deprecation=Deprecation(message=""))["warnings"]
    assert isinstance(warnings, list)
    assert all(isinstance(each, str) and each.strip() for each in warnings)


@pytest.mark.pitfall(33)
def test_pitfall_33_every_key_is_an_entry_of_its_own() -> None:
    keys = (PublicKey(key_id="A" * 16, armor=ARMOR), PublicKey(key_id="B" * 16, armor=ARMOR))
    entries = _download(a_provider_version(keys=keys))["signing_keys"]["gpg_public_keys"]
    assert [entry["key_id"] for entry in entries] == ["A" * 16, "B" * 16]
    assert all(entry["ascii_armor"].count("BEGIN PGP") == 1 for entry in entries)


@pytest.mark.pitfall(36)
def test_pitfall_36_protocols_are_text_and_the_same_in_list_and_download() -> None:
    listed = _versions()["versions"][0]["protocols"]
    assert listed == _download()["protocols"]
    assert all(isinstance(each, str) for each in listed)


@pytest.mark.pitfall(39)
def test_pitfall_39_no_null_stands_anywhere() -> None:
    version = a_provider_version()
    assert b"null" not in encode(providers.download(version, version.builds[0], plain_link, BASE))
    assert b"null" not in encode(providers.versions(a_provider()))


@pytest.mark.pitfall(43)
def test_pitfall_43_the_three_urls_are_absolute() -> None:
    document = _download()
    for key in ("download_url", "shasums_url", "shasums_signature_url"):
        assert document[key].startswith("https://registry.example.com/")


@pytest.mark.pitfall(45)
def test_pitfall_45_shasum_and_packages_agree_in_lower_case() -> None:
    document = _download()
    assert document["shasum"] == document["shasum"].lower()
    assert f"zh:{document['shasum']}" in document["packages"]["linux_amd64"]["hashes"]


@pytest.mark.pitfall(46)
def test_pitfall_46_packages_are_left_out_when_two_zips_are_equal() -> None:
    twins = (a_build("darwin_arm64", b"same"), a_build("linux_amd64", b"same"), a_build("windows_amd64"))
    assert "packages" not in _download(a_provider_version(builds=twins))


def test_packages_are_left_out_when_a_size_is_not_positive() -> None:
    empty = replace(a_build(), zip=replace(stored(a_build().zip), size=0))
    assert "packages" not in _download(a_provider_version(builds=(empty,)))
