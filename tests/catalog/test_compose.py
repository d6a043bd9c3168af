from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog import compose
from gitopsreg.catalog.load import load
from gitopsreg.catalog.loader import parse
from gitopsreg.model.address import ModuleAddress, Platform, ProviderAddress
from gitopsreg.model.version import Version
from tests.catalog.catalogs import AT_KEY, AT_MODULE, AT_NAMESPACE, AT_PROVIDER, KEY, NAMESPACE, a_catalog

VPC = ModuleAddress("platform", "vpc", "aws")
SHORT = compose.NewModule(address=VPC, url="https://github.com/acme/terraform-aws-vpc.git")
LONG = compose.NewModule(
    address=VPC,
    url="git@github.com:acme/modules.git",
    path="modules/vpc",
    tag_prefix="vpc/v",
    constraint=">= 1.0.0, < 2.0.0",
    description="VPC: with subnets",
)


def read(text: str) -> Any:
    parsed = parse(text.encode())
    assert parsed.document is not None, parsed.problems
    return parsed.document.value


@given(st.text())
def test_a_value_is_read_as_it_was_given(text: str) -> None:
    value = compose.value(text)
    assert read(f"a: {value}\nb: {{c: {value}, d: [{value}]}}\n") == {"a": text, "b": {"c": text, "d": [text]}}


@pytest.mark.parametrize("text", ["1.10", "yes", "null", "0x10", "2026-01-01", "- x", "a: b", "a #b", "{a}", "", "~"])
def test_what_is_no_string_to_some_reader_is_quoted(text: str) -> None:
    assert compose.value(text).startswith('"')


@pytest.mark.parametrize("text", ["vpc", "modules/vpc", "Our own APIs", "https://github.com/a/b.git", "git@h.org:a/b"])
def test_what_needs_no_quotes_has_none(text: str) -> None:
    assert compose.value(text) == text


def test_modules_are_sound() -> None:
    for new in (SHORT, LONG):
        text = compose.module(new)
        assert load(a_catalog({AT_NAMESPACE: NAMESPACE, AT_MODULE: text})).findings == ()
    assert read(text)["spec"]["source"] == {
        "type": "git",
        "url": LONG.url,
        "path": "modules/vpc",
        "tagPrefix": "vpc/v",
    }


def test_the_text_of_a_module() -> None:
    assert compose.module(SHORT) == (
        "# yaml-language-server: $schema=https://gitopsreg.io/schemas/v1alpha1/editor/module.json\n"
        "apiVersion: gitopsreg.io/v1alpha1\n"
        "kind: Module\n"
        "metadata: {name: vpc, namespace: platform}\n"
        "spec:\n"
        "  system: aws\n"
        "  source:\n"
        "    type: git\n"
        "    url: https://github.com/acme/terraform-aws-vpc.git\n"
        "  # Every tag that is a version is published. To publish some of them only:\n"
        "  # versions:\n"
        '  #   constraint: ">= 1.0.0, < 2.0.0"\n'
    )


def test_providers_are_sound() -> None:
    text = compose.provider(
        compose.NewProvider(
            address=ProviderAddress("platform", "internal"),
            pins=((Version.parse("1.10.0"), "content/internal/1.0.0"),),
            platforms=(Platform("linux", "amd64"),),
            keys=("release",),
        )
    )
    files = {AT_NAMESPACE: NAMESPACE, AT_KEY: KEY, AT_PROVIDER: text}
    assert load(a_catalog(files)).findings == ()
    assert read(text)["spec"]["versions"] == {"pins": [{"version": "1.10.0", "path": "content/internal/1.0.0"}]}


def test_keys_are_sound_and_whole() -> None:
    armor = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
    text = compose.key(
        compose.NewKey(
            namespace="platform",
            name="release",
            fingerprint="0" * 40,
            armor=armor,
            status="retired",
            note="It expired.",
            providers=("internal",),
            versions=">= 2.0.0",
        )
    )
    assert load(a_catalog({AT_NAMESPACE: NAMESPACE, AT_KEY: text})).findings == ()
    spec = read(text)["spec"]
    assert spec["publicKey"] == armor
    assert (spec["fingerprint"], spec["status"]) == ("0" * 40, "retired")
    assert spec["scope"] == {"providers": ["internal"], "versions": ">= 2.0.0"}


def test_namespaces_are_sound() -> None:
    text = compose.namespace("platform", owners=[("github-team", "acme/platform")], display_name="Platform, all of it")
    loaded = load(a_catalog({AT_NAMESPACE: text}))
    assert loaded.findings == ()
    (namespace,) = loaded.catalog.namespaces
    assert (namespace.owners, namespace.display_name) == ((("github-team", "acme/platform"),), "Platform, all of it")
