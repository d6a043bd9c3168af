"""Discoveries that a catalog declares: those that are acted on, those that are not, and what they stand on."""

from datetime import timedelta

import pytest

from gitopsreg.catalog.load import Loaded, load
from gitopsreg.model.declaration import DiscoveryDeclaration, ModuleDeclaration, ProviderDeclaration
from tests.catalog.catalogs import AT_KEY, AT_MODULE, AT_NAMESPACE, HEAD, KEY, MODULE, NAMESPACE, a_catalog

AT = "namespaces/platform/discoveries/found.yaml"
AT_CONNECTION = "connections/upstream.yaml"
URL = "https://git.example.com/registry.git"
CONNECTION = HEAD + f"kind: Connection\nmetadata: {{name: upstream}}\nspec: {{type: opentofu-git, url: '{URL}'}}\n"
FORGE = (
    HEAD + "kind: Connection\nmetadata: {name: upstream}\nspec: {type: registry, baseUrl: 'https://x.example.com'}\n"
)
SCOPE = "scope: {registry: upstream, namespaces: [Grafana, grafana, x]}"
FOUND = HEAD + f"kind: Discovery\nmetadata: {{name: found}}\nspec:\n  {SCOPE}\n"


def loaded(discovery: str = FOUND, *, connection: str = CONNECTION, namespace: str = NAMESPACE) -> Loaded:
    files = {AT: discovery, AT_CONNECTION: connection, AT_NAMESPACE: namespace, AT_KEY: KEY}
    return load(a_catalog(files))


def the_one(text: str = FOUND) -> DiscoveryDeclaration:
    (declared,) = loaded(text).catalog.discoveries
    return declared


def test_what_is_not_said() -> None:
    found = the_one()
    assert (found.namespace, found.name, found.path, found.url) == ("platform", "found", AT, URL)
    assert found.namespaces == ("grafana", "x")
    assert [type(one) for one in found.templates] == [ModuleDeclaration, ProviderDeclaration]
    assert (found.approval, found.max_packages, found.on_disappear) == ("pending", 200, "keep")
    assert (found.interval, found.pattern, found.suspended_by) == (timedelta(hours=1), None, "")
    assert loaded().idle == ()
    assert loaded().findings == ()


def test_what_is_said() -> None:
    found = the_one(
        FOUND.replace("namespaces: [", "kinds: [Provider], namespaces: [")
        + "  match: {name: '^g'}\n  approval: auto\n  maxPackages: 7\n  onDisappear: archive\n  interval: 2h\n"
        "  suspend: true\n  template:\n    delivery: reference\n    platforms: [linux_amd64]\n"
        "    versions: {constraint: '>= 2.0'}\n    verify: {keys: [release]}\n"
    )
    (template,) = found.templates
    assert isinstance(template, ProviderDeclaration)
    assert (template.delivery, [str(each) for each in template.platforms]) == ("reference", ["linux_amd64"])
    assert ([key.name for key in template.keys], str(template.versions.constraint.text)) == (["release"], ">= 2.0")  # type: ignore[union-attr]
    assert (found.approval, found.max_packages, found.on_disappear) == ("auto", 7, "archive")
    assert (found.interval, str(found.pattern), found.suspended_by) == (
        timedelta(hours=2),
        "^g",
        f"suspend: true in {AT}",
    )


def test_a_suspended_connection_suspends_what_is_found_over_it() -> None:
    (found,) = loaded(connection=CONNECTION.replace("spec: {", "spec: {suspend: true, ")).catalog.discoveries
    assert found.suspended_by == f"suspend: true in {AT_CONNECTION}"


def test_the_template_lies_on_top_of_the_defaults() -> None:
    namespace = NAMESPACE.replace("spec: {", "spec: {defaults: {interval: 3h, versions: {keepLatest: 5}}, ")
    (plain,) = loaded(namespace=namespace).catalog.discoveries
    (own,) = loaded(FOUND + "  template: {interval: null}\n", namespace=namespace).catalog.discoveries
    assert [(one.interval, one.versions.keep_latest) for one in plain.templates] == [(timedelta(hours=3), 5)] * 2
    assert [(one.interval, one.versions.keep_latest) for one in own.templates] == [(timedelta(minutes=15), 5)] * 2
    assert plain.templates[0].spec_digest != own.templates[0].spec_digest


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"connection": FORGE}, "SourceUnsupported"),
        ({"connection": "kind: [\n"}, "DependencyNotReady"),
        ({"namespace": "kind: [\n"}, "DependencyNotReady"),
        ({"discovery": FOUND + "  template: {storageClass: cold}\n"}, "DependencyNotReady"),
        ({"discovery": FOUND + "  template: {verify: {keys: [nobody]}}\n"}, "KeyMissing"),
        ({"discovery": FOUND.replace("registry: upstream", "registry: nowhere")}, "ConnectionMissing"),
        ({"discovery": FOUND + "  nonsense: 1\n"}, "InvalidSpec"),
        ({"discovery": "kind: [\n"}, "InvalidSpec"),
    ],
)
def test_one_that_can_t_be_acted_on_says_why(changes: dict[str, str], reason: str) -> None:
    catalog = loaded(**changes).catalog
    assert catalog.discoveries == ()
    assert [(one.path, one.namespace, one.reason) for one in catalog.idle_discoveries] == [(AT, "platform", reason)]


def test_one_over_a_forge_or_a_registry_is_checked_only() -> None:
    assert loaded(connection=FORGE).idle == (("Connection", AT_CONNECTION), ("Discovery", AT))
    assert loaded(connection=FORGE).findings == ()


@pytest.mark.parametrize(
    ("connection", "told"),
    [
        ("{type: opentofu-git}", ["GR421"]),
        ("{type: opentofu-git, baseUrl: 'https://git.example.com'}", ["GR421", "GR421"]),
        (f"{{type: github, url: '{URL}'}}", ["GR421"]),
        ("{type: opentofu-git, url: 'https://user:secret@git.example.com/x.git'}", ["GR502"]),
        (f"{{type: opentofu-git, url: '{URL}', auth: {{method: token, tokenRef: x}}}}", ["GR421"]),
        ("{type: opentofu-git, url: 'git@git.example.com:acme/x.git'}", []),
    ],
)
def test_a_connection_of_its_type_names_one_repository(connection: str, told: list[str]) -> None:
    text = HEAD + f"kind: Connection\nmetadata: {{name: upstream}}\nspec: {connection}\n"
    assert [one.rule for one in load(a_catalog({AT_CONNECTION: text})).findings] == told


@pytest.mark.parametrize(
    ("allowed", "told"),
    [
        (f"{{url: '{URL}'}}", []),
        ("{url: 'https://git.example.com/*'}", []),
        ("{url: 'https://github.com/**'}", ["GR505"]),
        ("{connection: upstream}", []),
        ("{catalog: true}", ["GR505"]),
    ],
)
def test_a_namespace_allows_its_url_or_its_connection(allowed: str, told: list[str]) -> None:
    namespace = NAMESPACE.replace("spec: {", f"spec: {{allowedSources: [{allowed}], ")
    assert [one.rule for one in loaded(namespace=namespace).findings] == told


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (f"{{type: opentofu-git, url: '{URL}'}}", []),
        (f"{{type: opentofu-git, url: '{URL}', connection: upstream}}", []),
        ("{type: opentofu-git, url: 'https://git.example.com/other.git', connection: upstream}", ["GR505"]),
        (f"{{type: git, url: '{URL}', connection: upstream}}", ["GR505"]),
    ],
)
def test_who_allows_a_connection_to_a_registry_allows_what_it_is_to(source: str, told: list[str]) -> None:
    namespace = NAMESPACE.replace("spec: {", "spec: {allowedSources: [{connection: upstream}], ")
    module = MODULE.replace("{type: git, url: https://github.com/acme/vpc.git}", source)
    files = {AT_CONNECTION: CONNECTION, AT_NAMESPACE: namespace, AT_MODULE: module}
    assert [one.rule for one in load(a_catalog(files)).findings] == told


@pytest.mark.parametrize(
    ("namespaces", "told"), [("[Azure, azure]", []), ("[azure, Grafana]", ["GR504"]), ("[other]", ["GR504"])]
)
def test_a_reserved_namespace_mirrors_itself_in_whatever_letters(namespaces: str, told: list[str]) -> None:
    files = {
        AT_CONNECTION: CONNECTION,
        "namespaces/azure/namespace.yaml": NAMESPACE.replace("platform", "azure"),
        "namespaces/azure/discoveries/found.yaml": FOUND.replace("[Grafana, grafana, x]", namespaces),
    }
    assert [one.rule for one in load(a_catalog(files)).findings] == told
