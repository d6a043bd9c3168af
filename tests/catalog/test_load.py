import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.files import MOST_FILES, CatalogFile, FileMode
from gitopsreg.catalog.load import Loaded, Memo, load
from gitopsreg.catalog.schema import schema
from gitopsreg.errors import CheckoutFailed
from gitopsreg.model.address import ModuleAddress, PackageAddress, Platform, ProviderAddress
from gitopsreg.model.catalog import Guards, NamespaceDeclaration
from gitopsreg.model.declaration import (
    CatalogSource,
    Deprecation,
    GitSource,
    ModuleDeclaration,
    OpentofuGitSource,
    ProviderDeclaration,
    UnsupportedSource,
)
from gitopsreg.model.pattern import Pattern
from gitopsreg.model.version import Version
from tests.catalog.catalogs import (
    AT_CONNECTION,
    AT_KEY,
    AT_MODULE,
    AT_NAMESPACE,
    AT_PROVIDER,
    CONNECTION,
    HEAD,
    KEY,
    MODULE,
    NAMESPACE,
    PROVIDER,
    WHOLE,
    a_catalog,
    a_file,
    a_module,
)
from tests.catalog.documents import changed, places

VPC = ModuleAddress("platform", "vpc", "aws")
INTERNAL = ProviderAddress("platform", "internal")


def registry(spec: str) -> str:
    return HEAD + "kind: Registry\nmetadata: {name: default}\nspec: " + spec + "\n"


def module(loaded: Loaded) -> ModuleDeclaration:
    found = next(package for package in loaded.catalog.packages if package.address == VPC)
    assert isinstance(found, ModuleDeclaration)
    return found


def provider(loaded: Loaded) -> ProviderDeclaration:
    found = next(package for package in loaded.catalog.packages if package.address == INTERNAL)
    assert isinstance(found, ProviderDeclaration)
    return found


def reasons(loaded: Loaded) -> dict[PackageAddress, str]:
    return {package.address: package.reason for package in loaded.catalog.invalid}


def rules(loaded: Loaded) -> list[str]:
    return [finding.rule for finding in loaded.findings]


def test_a_whole_catalog_has_no_findings() -> None:
    loaded = load(a_catalog(WHOLE))
    assert loaded.findings == ()
    assert loaded.registry_broken == ""
    assert loaded.files == 4
    assert [package.address for package in loaded.catalog.packages] == [VPC, INTERNAL]
    assert loaded.catalog.invalid == ()
    assert loaded.catalog.namespaces == (NamespaceDeclaration(name="platform", display_name="Platform"),)
    assert (loaded.catalog.revision, loaded.catalog.time) == ("main@sha1:" + "a" * 40, "2026-10-01T12:00:00Z")


def test_an_empty_catalog_is_a_catalog_and_told() -> None:
    loaded = load(a_catalog({}))
    assert (rules(loaded), loaded.catalog.packages, loaded.registry_broken) == (["GR114"], (), "")


def test_a_module_with_everything() -> None:
    text = a_module(
        """description: A network
archiveFormat: zip
suspend: true
interval: 1h30m
timeout: 90s
versions:
  constraint: ">= 1.0, < 4.0"
  include: ["^[1-3]"]
  exclude: ["-rc"]
  prereleases: true
  keepLatest: 7
  pins: [{version: "1.4.2", commit: 9c1d0f3b5b1b4a0e2f6c7d8e9f00112233445566, sha256: %s}]
  yanked: [{version: "1.4.1", reason: wrong, visibility: hidden}, {version: "1.4.0", reason: wrong}]
  blocked: [{version: "2.0.0", reason: leaked}, {range: "~> 3.1.0", reason: malware, severity: high}]
deprecation: {message: Use the network, replacement: platform/vpc/aws, since: "2026-09-01"}"""
        % ("F" * 64)
    )
    text = text.replace("{name: vpc}", "{name: vpc, namespace: platform, labels: {team: network, a: b}}")
    text = text.replace("vpc.git}", "vpc.git, path: modules/vpc, tagPrefix: vpc/v, connection: github}")
    found = module(load(a_catalog({AT_NAMESPACE: NAMESPACE, AT_CONNECTION: CONNECTION, AT_MODULE: text})))
    rules = found.versions
    assert found.source == GitSource(url="https://github.com/acme/vpc.git", path="modules/vpc", tag_prefix="vpc/v")
    assert (found.path, found.description, found.archive_format, found.suspend) == (AT_MODULE, "A network", "zip", True)
    assert (found.interval, found.timeout) == (timedelta(minutes=90), timedelta(seconds=90))
    assert found.labels == (("a", "b"), ("team", "network"))
    assert found.deprecation == Deprecation(
        message="Use the network", replacement="platform/vpc/aws", since="2026-09-01"
    )
    assert rules.constraint is not None
    assert (rules.constraint.text, rules.constraint.reading) == (">= 1.0, < 4.0", "module")
    assert (rules.include, rules.exclude) == ((Pattern.parse("^[1-3]"),), (Pattern.parse("-rc"),))
    assert (rules.prereleases, rules.keep_latest) == (True, 7)
    assert [(pin.version.text, pin.commit, pin.sha256 and pin.sha256.hex) for pin in rules.pins] == [
        ("1.4.2", "9c1d0f3b5b1b4a0e2f6c7d8e9f00112233445566", "f" * 64)
    ]
    assert [(yank.version.text, yank.visibility) for yank in rules.yanked] == [("1.4.1", "hidden"), ("1.4.0", "listed")]
    assert [(block.versions.text, block.severity) for block in rules.blocked] == [
        ("2.0.0", "critical"),
        ("~> 3.1.0", "high"),
    ]
    assert rules.blocked[0].versions.admits(Version.parse("2.0.0"))
    assert not rules.blocked[0].versions.admits(Version.parse("2.0.1"))


def test_a_provider_with_everything() -> None:
    text = PROVIDER + '  protocols: ["6.0"]\n  platforms: [linux_amd64]\n  completeness: required-platforms\n'
    key = KEY.replace(
        "  publicKey", '  status: retired\n  scope: {providers: [internal], versions: "< 2.0"}\n  publicKey'
    )
    found = provider(load(a_catalog({**WHOLE, AT_PROVIDER: text, AT_KEY: key})))
    assert found.source == CatalogSource()
    assert (found.protocols, found.platforms) == (("6.0",), (Platform("linux", "amd64"),))
    assert found.completeness == "required-platforms"
    assert [pin.path for pin in found.versions.pins] == ["content/internal/1.0.0"]
    (trusted,) = found.keys
    assert (trusted.namespace, trusted.name, trusted.status) == ("platform", "release", "retired")
    assert trusted.fingerprint == "0123456789ABCDEF0123456789ABCDEF01234567"
    assert trusted.public_key.startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    assert trusted.covers(INTERNAL, Version.parse("1.0.0"))
    assert not trusted.covers(INTERNAL, Version.parse("2.0.0"))


def test_a_module_of_the_catalog_may_lie_inside_its_folder() -> None:
    text = MODULE.replace("{type: git, url: https://github.com/acme/vpc.git}", "{type: catalog, path: modules/vpc}")
    text += '  versions: {pins: [{version: "1.0.0", path: content/internal/1.0.0}]}\n'
    assert module(load(a_catalog({**WHOLE, AT_MODULE: text}))).source == CatalogSource(path="modules/vpc")


@pytest.mark.parametrize(
    "source",
    [
        "{type: release-assets, connection: github, repository: acme/x}",
        "{type: http, url: https://releases.example.com/x/}",
        "{type: registry, address: registry.opentofu.org/platform/internal}",
    ],
)
def test_other_sources_are_accepted_and_marked(source: str) -> None:
    text = (
        HEAD
        + f"kind: Provider\nmetadata: {{name: internal}}\nspec:\n  source: {source}\n  verify: {{keys: [release]}}\n"
    )
    files = {**WHOLE, AT_CONNECTION: CONNECTION, AT_PROVIDER: text}
    loaded = load(a_catalog(files))
    assert rules(loaded) == ["GR414"]
    assert provider(loaded).source == UnsupportedSource(type=source[7:].partition(",")[0])
    assert load(a_catalog({**files, AT_PROVIDER: text + "  suspend: true\n"})).findings == ()


def test_a_registry_in_git_is_a_source() -> None:
    source = "{type: opentofu-git, url: https://github.com/opentofu/registry.git, address: Platform/internal}"
    text = HEAD + f"kind: Provider\nmetadata: {{name: internal}}\nspec:\n  source: {source}\n"
    loaded = load(a_catalog({**WHOLE, AT_PROVIDER: text}))
    assert loaded.findings == ()
    found = OpentofuGitSource(url="https://github.com/opentofu/registry.git", address="Platform/internal")
    assert (provider(loaded).source, provider(loaded).delivery) == (found, "store")


def test_delivery_is_inherited_where_it_is_possible() -> None:
    catalog_module = MODULE.replace("{type: git, url: https://github.com/acme/vpc.git}", "{type: catalog}")
    catalog_module += '  versions: {pins: [{version: "1.0.0", path: content/internal/1.0.0}]}\n'
    defaults = HEAD + "kind: Registry\nmetadata: {name: default}\nspec: {defaults: {delivery: reference}}\n"
    assert module(load(a_catalog({**WHOLE, "registry.yaml": defaults}))).delivery == "reference"
    assert module(load(a_catalog({**WHOLE, "registry.yaml": defaults, AT_MODULE: catalog_module}))).delivery == "store"
    own = MODULE + "  delivery: store\n"
    assert module(load(a_catalog({**WHOLE, "registry.yaml": defaults, AT_MODULE: own}))).delivery == "store"


def test_what_is_sound_and_not_acted_on_is_named() -> None:
    files = {
        **WHOLE,
        AT_CONNECTION: CONNECTION,
        "connections/broken.yaml": CONNECTION,
        "policies/read.yaml": HEAD + "kind: AccessPolicy\nmetadata: {name: read}\nspec: {}\n",
        "alerts/ops.yaml": HEAD + "kind: Alert\nmetadata: {name: ops}\nspec: {sink: {type: slack, secretRef: ops}}\n",
    }
    loaded = load(replace(a_catalog(files), root="catalog/"))
    assert loaded.idle == (
        ("Alert", "alerts/ops.yaml"),
        ("Connection", AT_CONNECTION),
        ("AccessPolicy", "policies/read.yaml"),
    )
    assert load(a_catalog(WHOLE)).idle == ()


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("storageClass: cold", "DependencyNotReady"),
        ("accessPolicy: internal", "DependencyNotReady"),
        ("", "ConnectionMissing"),
    ],
)
def test_a_package_that_names_what_is_not_there_keeps_what_it_has(spec: str, reason: str) -> None:
    text = a_module(spec) if spec else MODULE.replace("vpc.git}", "vpc.git, connection: forge}")
    assert reasons(load(a_catalog({**WHOLE, AT_MODULE: text}))) == {VPC: reason}


def test_a_name_set_back_to_nothing_names_nothing() -> None:
    text = a_module("storageClass: null\naccessPolicy: null")
    assert load(a_catalog({**WHOLE, AT_MODULE: text})).findings == ()


def test_a_connection_without_a_url_is_at_the_public_host() -> None:
    allowed = NAMESPACE.replace(
        "Platform}", "Platform, allowedSources: [{connection: github, repositories: [acme/*]}]}"
    )
    right = MODULE.replace("vpc.git}", "vpc.git, connection: github}")
    files = {AT_NAMESPACE: allowed, AT_CONNECTION: CONNECTION, AT_MODULE: right}
    assert load(a_catalog(files)).findings == ()
    elsewhere = right.replace("github.com", "git.example.com")
    assert rules(load(a_catalog({**files, AT_MODULE: elsewhere}))) == ["GR505"]


def test_the_registry_speaks_for_itself() -> None:
    spec = "{hostname: 'registry.example.com:8443', suspend: true, guards: {maxRemovedPackages: 1, allowEmpty: true}}"
    found = load(a_catalog({"registry.yaml": registry(spec)})).catalog.registry
    assert (found.hostname, found.suspend) == ("registry.example.com:8443", True)
    assert found.guards == Guards(max_removed_packages=1, max_removed_percent=10, allow_empty=True)


def test_defaults_come_from_registry_namespace_and_declaration() -> None:
    files = {
        **WHOLE,
        "registry.yaml": registry(
            "{defaults: {interval: 1h, timeout: 1m, versions: {keepLatest: 9, prereleases: true}}}"
        ),
        AT_NAMESPACE: NAMESPACE.replace("Platform}", "Platform, defaults: {interval: 2h, versions: {keepLatest: 8}}}"),
        AT_MODULE: a_module("timeout: null\nversions: {keepLatest: 7}"),
    }
    found = module(load(a_catalog(files)))
    assert (found.interval, found.timeout) == (timedelta(hours=2), timedelta(minutes=5))
    assert (found.versions.keep_latest, found.versions.prereleases) == (7, True)
    other = provider(load(a_catalog(files)))
    assert (other.versions.keep_latest, other.timeout) == (8, timedelta(minutes=1))


def test_the_digest_follows_the_effective_spec_and_nothing_else() -> None:
    def digest(files: dict[str, str]) -> str:
        return module(load(a_catalog({**WHOLE, **files}))).spec_digest.hex

    plain = digest({})
    assert digest({AT_MODULE: a_module("interval: 15m")}) == plain
    assert digest({AT_MODULE: "# words\n" + MODULE}) == plain
    assert digest({AT_MODULE: a_module("interval: 16m")}) != plain
    assert digest({"registry.yaml": registry("{defaults: {interval: 16m}}")}) == digest(
        {AT_MODULE: a_module("interval: 16m")}
    )
    assert digest({"registry.yaml": registry("{defaults: {retention: {archiveFor: 1d}}}")}) == plain


def test_a_key_that_changes_changes_its_providers() -> None:
    before, after = (
        provider(load(a_catalog({**WHOLE, AT_KEY: key}))).spec_digest
        for key in (KEY, KEY.replace("  publicKey", "  status: revoked\n  publicKey"))
    )
    assert before != after


def test_one_bad_entry_costs_one_entry() -> None:
    loaded = load(a_catalog({**WHOLE, AT_MODULE: a_module("colour: blue")}))
    assert reasons(loaded) == {VPC: "InvalidSpec"}
    assert loaded.catalog.invalid[0].path == AT_MODULE
    assert loaded.catalog.invalid[0].message == 'unknown field "colour" in spec'
    assert [package.address for package in loaded.catalog.packages] == [INTERNAL]


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"a: [", b"{}", b"[]", b"kind: Module", b"a: b\n--- \n", b"x" * 300_000]
)
def test_a_package_that_can_t_be_read_is_declared_by_its_path(data: bytes) -> None:
    loaded = load(a_catalog({**WHOLE, AT_MODULE: data}))
    assert reasons(loaded) == {VPC: "InvalidSpec"}
    assert {finding.address for finding in loaded.findings} == {"module:platform/vpc/aws"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({AT_MODULE: MODULE.replace("aws", "azure")}, {VPC: "PathMismatch"}),
        ({AT_MODULE: None, "namespaces/platform/modules/vpc/aws.yml": MODULE}, {VPC: "InvalidSpec"}),
        ({AT_MODULE: None, "namespaces/platform/modules/VPC/aws.yaml": MODULE}, {VPC: "InvalidSpec"}),
        ({AT_KEY: None}, {INTERNAL: "KeyMissing"}),
        ({AT_KEY: KEY.replace("0123", "zz")}, {INTERNAL: "DependencyNotReady"}),
        ({AT_NAMESPACE: None}, {VPC: "DependencyNotReady", INTERNAL: "DependencyNotReady"}),
        ({AT_NAMESPACE: NAMESPACE + "x: 1\n"}, {VPC: "DependencyNotReady", INTERNAL: "DependencyNotReady"}),
        (
            {AT_NAMESPACE: NAMESPACE.replace("Platform}", "Platform, allowedSources: [{catalog: true}]}")},
            {VPC: "OwnershipDenied"},
        ),
        ({AT_PROVIDER: PROVIDER.replace("internal/1.0.0", "nowhere")}, {INTERNAL: "InvalidSpec"}),
    ],
)
def test_why_a_package_is_invalid(files: dict[str, str | None], expected: dict[PackageAddress, str]) -> None:
    merged = {path: text for path, text in {**WHOLE, **files}.items() if text is not None}
    loaded = load(a_catalog(merged))
    assert reasons(loaded) == expected
    assert not {package.address for package in loaded.catalog.packages} & set(expected)


def test_reserved_names_are_refused() -> None:
    files = {
        "namespaces/hashicorp/namespace.yaml": NAMESPACE.replace("platform", "hashicorp"),
        "namespaces/hashicorp/modules/vpc/aws.yaml": MODULE,
    }
    assert reasons(load(a_catalog(files))) == {ModuleAddress("hashicorp", "vpc", "aws"): "OwnershipDenied"}


def test_paths_that_differ_in_letter_case_are_both_wrong_and_one_package() -> None:
    loaded = load(a_catalog({**WHOLE, "namespaces/platform/modules/VPC/aws.yaml": MODULE}))
    assert reasons(loaded) == {VPC: "InvalidSpec"}
    assert rules(loaded).count("GR101") == 2
    assert VPC not in {package.address for package in loaded.catalog.packages}


def test_a_broken_registry_is_told_and_the_rest_loads() -> None:
    loaded = load(a_catalog({**WHOLE, "registry.yaml": registry("{layout: letter, defaults: {interval: 1h}}")}))
    assert loaded.registry_broken == 'registry.yaml:4:16: layout must be "flat", got "letter"'
    assert module(loaded).interval == timedelta(minutes=15)
    assert loaded.catalog.registry.guards == Guards()


def test_a_removed_file_is_simply_absent() -> None:
    memo = Memo()
    load(a_catalog(WHOLE), memo=memo)
    loaded = load(a_catalog({path: text for path, text in WHOLE.items() if path != AT_MODULE}), memo=memo)
    assert [package.address for package in loaded.catalog.packages] == [INTERNAL]
    assert loaded.catalog.invalid == ()


@pytest.mark.parametrize("mode", ["symlink", "submodule", "other"])
@pytest.mark.parametrize("path", [AT_MODULE, "namespaces", "namespaces/platform/README.md", "connections/x"])
def test_only_ordinary_files_declare(mode: FileMode, path: str) -> None:
    files = {at: text for at, text in WHOLE.items() if at != path}
    loaded = load(a_catalog(files, a_file(path, "../../elsewhere", mode)))
    assert rules(loaded) == ["GR107"]
    assert reasons(loaded) == ({VPC: "InvalidSpec"} if path == AT_MODULE else {})


def test_what_is_no_yaml_is_somebody_else_s() -> None:
    more = [a_file(f"namespaces/platform/{name}", "\x00") for name in ("README.md", "CODEOWNERS", "x.json")]
    loaded = load(a_catalog(WHOLE, *more))
    assert (loaded.findings, loaded.files) == ((), 4)


def test_a_file_that_can_t_be_read_is_a_finding() -> None:
    def refuse() -> bytes:
        raise PermissionError(13, "Permission denied")

    loaded = load(a_catalog({}, CatalogFile(path=AT_MODULE, mode="file", size=1, oid="x", read=refuse)))
    assert "GR013" in rules(loaded)
    assert list(reasons(loaded)) == [VPC]


def test_a_repository_that_can_t_be_read_is_no_finding() -> None:
    def refuse() -> bytes:
        raise CheckoutFailed("the repository is gone")

    with pytest.raises(CheckoutFailed):
        load(a_catalog({}, CatalogFile(path=AT_MODULE, mode="file", size=1, oid="x", read=refuse)))


def test_too_many_files_stop_everything() -> None:
    one = a_file("namespaces/x", "")
    loaded = load(replace(a_catalog({}), files=(one,) * (MOST_FILES + 1)))
    assert rules(loaded) == ["GR012"]
    assert loaded.registry_broken == "the catalog has more than 150,000 files"
    assert rules(load(replace(a_catalog({}), files=(one,) * MOST_FILES))) == ["GR114"]


def test_declarations_that_are_too_large_together_are_not_read() -> None:
    def refuse() -> bytes:
        raise AssertionError

    large = CatalogFile(path="namespaces/x.yaml", mode="file", size=256 * 1024, oid="x", read=refuse)
    loaded = load(replace(a_catalog({}), files=(large,) * 257))
    assert rules(loaded) == ["GR014"]
    assert loaded.registry_broken == "the declarations have more than 67108864 bytes in all"
    # What is larger than a declaration may be is never read, nor is what is none.
    for one in (replace(large, size=2**30), replace(large, path="namespaces/x.md")):
        assert "GR014" not in rules(load(replace(a_catalog({}), files=(one,) * 257)))


def test_findings_are_sorted_and_carry_the_root() -> None:
    files = {AT_MODULE: a_module("b: 1\na: 1"), AT_NAMESPACE: NAMESPACE, "connections/x.yaml": "a: &x 1\n"}
    found = load(replace(a_catalog(files), root="example-catalog/")).findings
    assert [finding.order for finding in found] == sorted(finding.order for finding in found)
    assert all(finding.path.startswith("example-catalog/") for finding in found)
    assert {finding.path for finding in found} >= {f"example-catalog/{AT_MODULE}", "example-catalog/connections/x.yaml"}


def test_an_unchanged_file_costs_nothing() -> None:
    memo = Memo()
    first = load(a_catalog(WHOLE), memo=memo)
    assert memo.parsed == 4
    second = load(a_catalog(WHOLE), memo=memo)
    assert memo.parsed == 4
    assert all(one is other for one, other in zip(first.catalog.packages, second.catalog.packages, strict=True))
    third = load(a_catalog({**WHOLE, AT_MODULE: a_module("suspend: true")}), memo=memo)
    assert memo.parsed == 5
    assert module(third).suspend
    assert provider(third) is provider(first)


def test_a_memo_never_changes_the_answer() -> None:
    memo = Memo()
    states: list[dict[str, str]] = [
        WHOLE,
        {**WHOLE, "registry.yaml": registry("{defaults: {interval: 1h}}")},
        {**WHOLE, AT_KEY: KEY.replace("  publicKey", "  status: retired\n  publicKey")},
        {**WHOLE, AT_NAMESPACE: NAMESPACE + "x: 1\n"},
        {**WHOLE, AT_NAMESPACE: NAMESPACE.replace("Platform}", "Platform, defaults: {timeout: 1m}}")},
        {AT_NAMESPACE: NAMESPACE},
        WHOLE,
    ]
    for state in states:
        assert load(a_catalog(state), memo=memo) == load(a_catalog(state))


def test_a_folder_that_vanished_is_noticed_though_no_file_changed() -> None:
    memo = Memo()
    assert load(a_catalog(WHOLE), memo=memo).findings == ()
    assert rules(load(a_catalog(WHOLE, folders=()), memo=memo)) == ["GR304"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    "source", "type", "url", "path", "tagPrefix", "versions", "pins", "version", "range", "reason", "yanked", "blocked",
    "include", "constraint", "verify", "keys", "required", "platforms", "deprecation", "replacement", "aliases",
    "allowedSources", "defaults", "interval", "scope", "providers", "fingerprint", "publicKey", "guards", "system",
    "catalog", "connection", "match", "name", "template", "auth", "method", "rules", "subjects", "resources", "sink",
    "select", "namespaces", "gc", "redirectTTL", "cosign", "exclude",
)  # fmt: skip
TREES = st.recursive(
    JUNK
    | st.sampled_from(["git", "catalog", "registry", "1.0.0", "x" * 300, "https://github.com/acme/vpc.git", "^(a+)+$"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from([*WHOLE, "registry.yaml", "connections/x.yaml"]), TREES, TREES)
def test_any_spec_and_metadata_are_answered(path: str, metadata: Any, spec: Any) -> None:
    kinds = {AT_MODULE: "Module", AT_PROVIDER: "Provider", AT_KEY: "SigningKey", AT_NAMESPACE: "Namespace"}
    kind = kinds.get(path, "Registry")
    text = json.dumps({"apiVersion": "gitopsreg.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec})
    loaded = load(a_catalog({**WHOLE, path: text}))
    known = [package.address for package in (*loaded.catalog.packages, *loaded.catalog.invalid)]
    assert sorted(known, key=str) == [VPC, INTERNAL]


EXAMPLES = {
    "connections/github-acme.yaml": "Connection",
    "storage/standard.yaml": "StorageClass",
    "policies/internal-read.yaml": "AccessPolicy",
    "mirrors/opentofu.yaml": "BinaryMirror",
    "alerts/ops-chat.yaml": "Alert",
    "namespaces/platform/discoveries/modules.yaml": "Discovery",
}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_an_example_with_one_value_gone_wrong_is_answered(data: st.DataObject) -> None:
    """Whatever is wrong with the kinds that nothing is done with, packages are as they were."""
    path = data.draw(st.sampled_from(sorted(EXAMPLES)))
    whole = schema(EXAMPLES[path])["examples"][0]
    steps = data.draw(st.sampled_from(list(places(whole))))
    junk = data.draw(TREES)
    text = json.dumps(changed(whole, steps, lambda _: junk))
    loaded = load(a_catalog({**WHOLE, path: text}))
    assert [package.address for package in loaded.catalog.packages] == [VPC, INTERNAL]
    assert bool(loaded.idle) == (not loaded.errors and EXAMPLES[path] != "StorageClass")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_answered(data: bytes) -> None:
    loaded = load(a_catalog({**WHOLE, AT_MODULE: MODULE.encode() + data}))
    assert VPC in {package.address for package in (*loaded.catalog.packages, *loaded.catalog.invalid)}
    assert (VPC in reasons(loaded)) == bool(loaded.errors)


def test_a_catalog_without_any_declaration_is_told(tmp_path: Path) -> None:
    loaded = load(read_directory(tmp_path))
    assert [(finding.rule, finding.severity) for finding in loaded.findings] == [("GR114", "error")]
    assert loaded.registry_broken == ""


def test_a_block_of_text_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "namespaces/acme/keys").mkdir(parents=True)
    block = (
        "    -----BEGIN PGP PRIVATE KEY BLOCK-----\n\n    HIDDENhiddenHIDDEN\n    -----END PGP PRIVATE KEY BLOCK-----\n"
    )
    spec = f'  type: pgp\n  fingerprint: "{"A" * 40}"\n  publicKey: |\n{block}'
    head = "apiVersion: gitopsreg.io/v1alpha1\nkind: SigningKey\nmetadata: {name: k}\nspec:\n"
    (tmp_path / "namespaces/acme/keys/k.yaml").write_text(head + spec)
    findings = load(read_directory(tmp_path)).findings
    assert {"GR205", "GR501"} <= {finding.rule for finding in findings}
    assert "HIDDEN" not in repr(findings)
