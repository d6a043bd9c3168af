"""The module registry protocol, against the published examples and the ways to break real clients."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitopsreg.errors import NotPublished
from gitopsreg.model.declaration import Deprecation
from gitopsreg.protocol import modules
from gitopsreg.protocol.document import encode
from tests.builders import GIT_URL, a_blob, a_module, a_module_version, an_origin
from tests.protocol.samples import EXPIRES, old, plain_link, vpc

BASE = "https://registry.example.com"


def _versions(package: Any = None) -> Any:
    return json.loads(encode(modules.versions(package or vpc())))


def _location(**changes: Any) -> str:
    return modules.location(a_module(), a_module_version("1.4.2", **changes), plain_link, BASE)


def test_the_list_is_the_published_example() -> None:
    assert _versions(a_module("1.1.0", "1.2.0")) == {
        "modules": [{"source": GIT_URL, "versions": [{"version": "1.2.0"}, {"version": "1.1.0"}]}]
    }


def test_a_yanked_version_carries_its_reason() -> None:
    entries = {entry["version"]: entry for entry in _versions()["modules"][0]["versions"]}
    assert entries["1.1.0"]["deprecation"] == {"reason": "version 1.1.0 is yanked: wrong route table"}
    assert "deprecation" not in entries["1.0.0"]


def test_a_deprecated_module_says_so_on_every_version() -> None:
    package = a_module("1.0.0", "1.1.0", deprecation=Deprecation(message="old", replacement="platform/net/aws"))
    reasons = [entry["deprecation"]["reason"] for entry in _versions(package)["modules"][0]["versions"]]
    assert reasons == ["deprecated: old; use platform/net/aws instead"] * 2


@pytest.mark.parametrize(
    "source", ["catalog", "ssh://git@example.com/a.git", "git@example.com:a.git", "", "https://t:x@e.com/a"]
)
def test_a_source_that_a_browser_should_not_open_is_left_out(source: str) -> None:
    version = a_module_version(origin=replace(an_origin(), url=source))
    package = replace(a_module(), source=source, versions=(version,))
    assert _versions(package) == {"modules": [{"versions": [{"version": "1.0.0"}]}]}


@pytest.mark.pitfall(20)
def test_pitfall_20_no_null_stands_in_the_list() -> None:
    assert None not in _versions()["modules"]
    assert None not in _versions()["modules"][0]["versions"]
    assert b"null" not in encode(modules.versions(vpc()))


@pytest.mark.pitfall(21)
def test_pitfall_21_versions_are_text() -> None:
    assert all(isinstance(entry["version"], str) for entry in _versions()["modules"][0]["versions"])


@pytest.mark.pitfall(22)
def test_pitfall_22_root_and_submodules_are_left_out_rather_than_mistyped() -> None:
    for entry in _versions()["modules"][0]["versions"]:
        assert entry.keys() <= {"version", "deprecation"}


def test_a_location_is_path_archive_checksum_and_signed_link() -> None:
    digest = a_blob(b"1.4.2").sha256.hex
    name = "vpc-aws-1.4.2.tar.gz"
    assert _location() == f"/artifacts/{digest}/{name}?archive=tar.gz&checksum=sha256:{digest}&{EXPIRES}"


def test_a_location_names_the_sub_directory_before_the_query() -> None:
    path, _, query = _location(subdirectory="modules/vpc").partition("?")
    assert path.endswith("/vpc-aws-1.4.2.tar.gz//modules/vpc")
    assert query.startswith("archive=tar.gz&checksum=sha256:")


@pytest.mark.parametrize("subdirectory", ["a dir", "ä", "a%20b", "a&b"])
def test_a_location_is_absolute_where_terraform_would_escape_the_sub_directory(subdirectory: str) -> None:
    location = _location(subdirectory=subdirectory)
    assert location.startswith(f"{BASE}/artifacts/")
    assert location.partition("?")[0].endswith(f"//{subdirectory}")


@given(st.text(st.characters()))
@example("a?b=c")
@example("a#b")
@example("a\r\nX-Terraform-Get: b")
def test_no_sub_directory_adds_to_the_query_or_cuts_it_off(subdirectory: str) -> None:
    try:
        location = _location(subdirectory=subdirectory)
    except NotPublished:
        assert "?" in subdirectory or "#" in subdirectory or not subdirectory.isprintable()
        return
    assert location.partition("?")[2] == _location().partition("?")[2]
    assert urlsplit(location).fragment == ""
    assert location.isprintable()


@pytest.mark.pitfall(11)
@pytest.mark.parametrize("archive_format", ["tar.gz", "zip"])
def test_pitfall_11_a_location_says_twice_that_it_is_an_archive(archive_format: str) -> None:
    parts = urlsplit(_location(archive_format=archive_format))
    assert parts.path.endswith(f".{archive_format}")
    assert parse_qs(parts.query)["archive"] == [archive_format]


@pytest.mark.pitfall(12)
@pytest.mark.parametrize("subdirectory", ["", "modules/vpc"])
def test_pitfall_12_a_location_has_no_glob(subdirectory: str) -> None:
    assert "*" not in _location(subdirectory=subdirectory)


@pytest.mark.pitfall(13)
def test_pitfall_13_the_checksum_is_that_of_the_archive() -> None:
    assert f"checksum={a_blob(b'1.4.2').sha256}" in _location()


@pytest.mark.pitfall(24)
def test_pitfall_24_a_plus_stays_a_plus_in_the_path() -> None:
    location = modules.location(a_module(), a_module_version("2.0.0+build.5"), plain_link, BASE)
    assert location.partition("?")[0].endswith("/vpc-aws-2.0.0+build.5.tar.gz")


def test_an_archived_version_has_a_location_still() -> None:
    package = old()
    assert modules.location(package, package.versions[0], plain_link, BASE).startswith("/artifacts/")
