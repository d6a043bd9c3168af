import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import InvalidName
from gitopsreg.model.address import (
    ModuleAddress,
    PackageAddress,
    Platform,
    ProviderAddress,
    namespace_name,
    parse_address,
)
from gitopsreg.storage.base import check_key
from tests.model.strategies import addresses


@given(addresses)
def test_an_address_reads_back(address: PackageAddress) -> None:
    assert parse_address(str(address)) == address
    assert type(address).parse(address.path) == address
    assert str(address) == f"{address.kind}:{address.path}"


@given(addresses)
def test_every_part_of_an_address_is_safe_in_a_key(address: PackageAddress) -> None:
    for part in address.path.split("/"):
        assert check_key(f"x/{part}") == f"x/{part}"
    assert check_key(f"x/{address.path}")


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_any_text_makes_a_safe_address_or_none(namespace: str, name: str, system: str) -> None:
    for make in (lambda: ModuleAddress(namespace, name, system), lambda: ProviderAddress(namespace, name)):
        try:
            address: PackageAddress = make()
        except InvalidName:
            continue
        assert check_key(address.path) == address.path == address.path.lower()


def test_addresses_sort_by_their_parts() -> None:
    texts = ["b/a/aws", "a/b/aws", "a/a/gcp", "a/a/aws"]
    assert [address.path for address in sorted(map(ModuleAddress.parse, texts))] == sorted(texts)


@pytest.mark.parametrize(
    ("address", "right"),
    [
        ("module:acme/vpc", 'write "namespace/name/system"'),
        ("module:reg.test/acme/vpc/aws", 'write "namespace/name/system"'),
        ("provider:acme", 'write "namespace/type"'),
        ("provider:acme/a/b", 'write "namespace/type"'),
        ("acme/vpc/aws", 'write "module:namespace/name/system" or "provider:namespace/type"'),
        ("Module:acme/vpc/aws", 'write "module:namespace/name/system"'),
        ("module:Acme/vpc/aws", '"Acme" is not a legal namespace: write it in lower case, "acme"'),
        ("module:acme/-vpc/aws", '"-vpc" is not a legal module name: use 1 to 63 of a-z'),
        ("module:acme/vpc/aws-eu", '"aws-eu" is not a legal target system'),
        ("module:acme/vpc/", '"" is not a legal target system'),
        ("module:acme/../aws", '".." is not a legal module name'),
        ("module:acme/v.p.c/aws", '"v.p.c" is not a legal module name'),
        ("module:acme/vpc/aws\n", '"aws\\n" is not a legal target system'),
        ("module:acme/vpć/aws", '"vpć" is not a legal module name'),
        ("module:" + "a" * 64 + "/vpc/aws", "use 1 to 63"),
        ("provider:my_org/foo", '"my_org" is not a legal provider namespace'),
        ("provider:acme/a--b", '"a--b" is not a legal provider type: use 1 to 63 of a-z, 0-9, with single dashes'),
        ("provider:acme/xn--fiq228c", "with single dashes inside"),
        ("provider:acme/terraform-provider-foo", 'refuse the prefix "terraform-", write "foo"'),
        ("provider:acme/terraform-foo", 'refuse the prefix "terraform-", write "foo"'),
    ],
)
def test_what_is_no_address_is_refused_with_what_would_be_right(address: str, right: str) -> None:
    with pytest.raises(InvalidName) as refused:
        parse_address(address)
    assert right in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_refusal_is_short_and_harmless_whatever_was_named() -> None:
    with pytest.raises(InvalidName) as refused:
        parse_address("module:\x1b[31m" + "x" * 100_000)
    assert len(str(refused.value)) < 300
    assert str(refused.value).isprintable()


def test_a_namespace_is_checked_alone() -> None:
    assert namespace_name("data_platform-2") == "data_platform-2"
    with pytest.raises(InvalidName, match='"Data" is not a legal namespace: write it in lower case, "data"'):
        namespace_name("Data")


@pytest.mark.parametrize("text", ["linux_amd64", "darwin_arm64", "windows_386", "linux_armv6"])
def test_a_platform_reads_back(text: str) -> None:
    assert str(Platform.parse(text)) == text
    assert check_key(f"x/{text}")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("linux", '"linux" is not a platform: write one like "linux_amd64"'),
        ("linux/amd64", 'write one like "linux_amd64"'),
        ("linux_amd64_v2", '"amd64_v2" is not a legal architecture'),
        ("_amd64", '"" is not a legal operating system'),
        ("linux_", '"" is not a legal architecture'),
    ],
)
def test_what_is_no_platform_is_refused(text: str, right: str) -> None:
    with pytest.raises(InvalidName) as refused:
        Platform.parse(text)
    assert right in str(refused.value)


@pytest.mark.pitfall(37)
def test_pitfall_37_an_operating_system_in_capitals_is_refused() -> None:
    with pytest.raises(InvalidName, match='"Linux" is not a legal operating system: write it in lower case, "linux"'):
        Platform.parse("Linux_amd64")
