"""From a path to a package and a version."""

import pytest

from gitopsreg.errors import Blocked, InvalidName, NotPublished
from gitopsreg.protocol import lookup
from tests.builders import HELLO, VPC
from tests.protocol.samples import OLD, a_provider, a_snapshot, old, vpc


@pytest.mark.pitfall(27)
def test_pitfall_27_names_are_matched_without_regard_to_case() -> None:
    assert lookup.module(a_snapshot(), "Platform", "VPC", "aws").address == VPC
    assert lookup.provider(a_snapshot(), "PLATFORM", "Hello").address == HELLO


def test_a_namespace_answers_by_its_old_names() -> None:
    assert lookup.module(a_snapshot(), "infra", "vpc", "aws").address == VPC
    assert lookup.provider(a_snapshot(), "Infra", "hello").address == HELLO


@pytest.mark.parametrize(
    "path", [("platform", "nothing", "aws"), ("nobody", "vpc", "aws"), ("a b", "vpc", "ÄÖ"), ("", "", "")]
)
def test_what_is_not_there_is_named_in_the_error(path: tuple[str, str, str]) -> None:
    with pytest.raises(NotPublished, match="no module"):
        lookup.module(a_snapshot(), *path)


def test_an_unknown_provider_is_named_in_the_error() -> None:
    with pytest.raises(NotPublished, match='no provider "platform/nothing" is published here'):
        lookup.provider(a_snapshot(), "platform", "nothing")


def test_lists_hold_listed_versions_only_newest_first() -> None:
    listed = [version.version.text for version in lookup.listed_module_versions(vpc())]
    assert listed == ["2.1.0-beta1", "2.0.0+build.5", "1.1.0", "1.0.0"]


@pytest.mark.pitfall(42)
def test_pitfall_42_a_yanked_version_stays_in_the_list() -> None:
    """Clients with a lock file read the list on every init; a version that is gone from it breaks them."""
    assert "1.1.0" in [version.version.text for version in lookup.listed_module_versions(vpc())]


def test_an_archived_package_has_no_list_but_its_downloads_answer() -> None:
    assert old().address == OLD
    with pytest.raises(NotPublished, match='module "platform/old/aws" is archived'):
        lookup.listed_module_versions(old())
    assert lookup.module_version(old(), "1.0.0").version.text == "1.0.0"


@pytest.mark.parametrize("text", ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "2.0.0+build.5", "2.1.0-beta1"])
def test_downloads_answer_for_all_but_blocked_versions(text: str) -> None:
    assert lookup.module_version(vpc(), text).version.text == text


def test_a_blocked_version_says_why() -> None:
    with pytest.raises(Blocked, match=r'version "1\.4\.0" is blocked: leaked credential'):
        lookup.module_version(vpc(), "1.4.0")


@pytest.mark.pitfall(23)
@pytest.mark.parametrize("text", ["1", "1.0", "v1.0.0", "V1", "01.00"])
def test_pitfall_23_versions_are_found_in_every_form_that_clients_normalise(text: str) -> None:
    assert lookup.module_version(vpc(), text).version.text == "1.0.0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.2-beta1", "1.2.0-beta1"), ("1+x.1", "1.0.0+x.1"), ("v1.2.3-a.b+c", "1.2.3-a.b+c"), ("1.02.3", "1.2.3")],
)
def test_normalising_keeps_pre_release_and_build(text: str, expected: str) -> None:
    assert lookup.normalised(text) == expected


@pytest.mark.parametrize("text", ["", "v", "latest", "1.2.3.4", "1..2", "-1", "9" * 30, "1.0.0 ", "1.0.0/x", "١.٠.٠"])
def test_what_no_client_reads_as_a_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        lookup.normalised(text)
    with pytest.raises(NotPublished):
        lookup.module_version(vpc(), text)


@pytest.mark.pitfall(37)
@pytest.mark.parametrize(("os", "arch"), [("Linux", "amd64"), ("linux", "AMD64"), ("windows", "amd64"), ("", "")])
def test_pitfall_37_a_platform_must_be_written_exactly(os: str, arch: str) -> None:
    package = a_provider()
    version = lookup.provider_version(package, "1.0.0")
    with pytest.raises(NotPublished, match="there are darwin_arm64, linux_amd64"):
        lookup.provider_build(package, version, os, arch)
