import fnmatch
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.codeowners import HEADER, codeowners
from gitopsreg.catalog.owners import Style
from gitopsreg.errors import ConfigError
from gitopsreg.model.address import ModuleAddress
from gitopsreg.model.catalog import Catalog, NamespaceDeclaration, RegistryDeclaration, parts_of
from gitopsreg.model.declaration import CatalogSource, Pin, VersionRules
from gitopsreg.model.version import Version
from tests.builders import a_module_declaration

ADMINS = (("github-team", "acme/admins"), ("gitlab-group", "acme/admins-there"))
PLATFORM = NamespaceDeclaration(name="platform", owners=(("github-team", "acme/platform"), ("oidc-group", "x y")))
DATA = NamespaceDeclaration(name="data", owners=(("gitlab-user", "jane.doe"), ("email", "data@example.com")))


def made(*namespaces: NamespaceDeclaration, admins: Any = ADMINS, style: Style = "github", **more: Any) -> str:
    packages = more.pop("packages", ())
    registry = RegistryDeclaration(admins=admins)
    catalog = Catalog(revision="r", time="t", registry=registry, parts=parts_of(packages, namespaces=namespaces))
    return codeowners(catalog, style=style, **more)


def rules(text: str) -> list[tuple[str, list[str]]]:
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return [(line[0], line[1:]) for line in lines]


def owners_of(path: str, text: str) -> list[str]:
    """As forges read the file: the last pattern that fits counts. Only the patterns that we write."""
    found: list[str] = []
    for pattern, owners in rules(text):
        bare = pattern.removeprefix("/")
        parts, wanted = path.split("/"), bare.rstrip("/").split("/")
        begins = all(fnmatch.fnmatchcase(part, want) for part, want in zip(parts, wanted, strict=False))
        if pattern == "*" or (
            begins and (len(parts) == len(wanted) or (bare.endswith("/") and len(parts) > len(wanted)))
        ):
            found = owners
    return found


def a_module(namespace: str, *paths: str) -> Any:
    pins = tuple(Pin(version=Version.parse(f"1.{number}.0"), path=path) for number, path in enumerate(paths))
    return a_module_declaration(
        ModuleAddress(namespace, "vpc", "aws"), source=CatalogSource(), versions=VersionRules(pins=pins)
    )


def test_the_whole_file() -> None:
    assert made(PLATFORM, DATA, packages=(a_module("platform", "content/vpc/1.0.0", "content/vpc/1.1.0"),)) == (
        f"{HEADER}\n"
        "# The last line that fits a path counts.\n"
        "\n"
        "* @acme/admins\n"
        "\n"
        "/content/vpc/ @acme/platform\n"
        "\n"
        "/namespaces/data/ data@example.com\n"
        "/namespaces/platform/ @acme/platform\n"
        "\n"
        "# What concerns everybody: last, so that nobody else can be its owner.\n"
        "/registry.yaml @acme/admins\n"
        "/alerts/ @acme/admins\n"
        "/connections/ @acme/admins\n"
        "/mirrors/ @acme/admins\n"
        "/policies/ @acme/admins\n"
        "/storage/ @acme/admins\n"
        "/namespaces/*/namespace.yaml @acme/admins\n"
        "/.github/ @acme/admins\n"
    )


def test_a_namespace_owner_owns_all_but_the_word_on_who_owns_it() -> None:
    text = made(PLATFORM, DATA)
    assert owners_of("namespaces/platform/modules/vpc/aws.yaml", text) == ["@acme/platform"]
    assert owners_of("namespaces/platform/keys/release.yaml", text) == ["@acme/platform"]
    assert owners_of("namespaces/platform/namespace.yaml", text) == ["@acme/admins"]
    assert owners_of("namespaces/new/namespace.yaml", text) == ["@acme/admins"]
    assert owners_of(".github/CODEOWNERS", text) == ["@acme/admins"]
    assert owners_of("README.md", text) == ["@acme/admins"]


def test_a_catalog_inside_a_larger_repository() -> None:
    text = made(PLATFORM, prefix="registry/")
    assert owners_of("registry/namespaces/platform/modules/vpc/aws.yaml", text) == ["@acme/platform"]
    assert owners_of("registry/namespaces/platform/namespace.yaml", text) == ["@acme/admins"]
    assert owners_of("registry/registry.yaml", text) == ["@acme/admins"]
    assert owners_of(".github/workflows/x.yml", text) == ["@acme/admins"]


def test_gitlab_has_other_owners_and_other_files() -> None:
    text = made(PLATFORM, DATA, style="gitlab")
    assert owners_of("namespaces/data/modules/x/y.yaml", text) == ["@jane.doe", "data@example.com"]
    assert owners_of(".gitlab-ci.yml", text) == ["@acme/admins-there"]
    assert owners_of(".gitlab/CODEOWNERS", text) == ["@acme/admins-there"]


def test_a_namespace_that_nobody_can_review_falls_to_the_admins_and_says_so() -> None:
    text = made(PLATFORM, style="gitlab")
    assert owners_of("namespaces/platform/modules/x/y.yaml", text) == ["@acme/admins-there"]
    assert "# platform: none of its owners is one that GitLab can ask, so the admins review it." in text


def test_without_admins_the_file_says_what_is_not_guarded() -> None:
    text = made(PLATFORM, admins=())
    assert rules(text) == [("/namespaces/platform/", ["@acme/platform"])]
    assert "registry.yaml names no admins that GitHub knows" in text


@pytest.mark.parametrize(
    "path",
    [".github/workflows/1.0.0", "namespaces/platform/1.0.0", "policies/x/1.0.0", "content/1.0.0", "1.0.0", "a/b *c/1"],
)
def test_a_pin_gives_nobody_what_is_not_content(path: str) -> None:
    assert rules(made(PLATFORM, packages=(a_module("platform", path),))) == rules(made(PLATFORM))


def test_content_that_two_namespaces_publish_is_nobodys_own() -> None:
    other = NamespaceDeclaration(name="other", owners=(("github-user", "mallory"),))
    text = made(PLATFORM, other, packages=(a_module("platform", "content/vpc/1"), a_module("other", "content/vpc/1")))
    assert owners_of("content/vpc/1/main.tf", text) == ["@acme/admins"]


def test_a_file_that_github_would_ignore_is_refused() -> None:
    many = [
        NamespaceDeclaration(name=f"n{number}", owners=(("email", "a" * 60 + "@example.com"),))
        for number in range(40_000)
    ]
    with pytest.raises(ConfigError, match="GitHub ignores one of 3000000 or more"):
        made(*many)


@given(
    st.lists(st.tuples(st.sampled_from(["github-team", "github-user", "email"]), st.text()), max_size=3),
    st.text(alphabet="abc/.-_ *#\\[!\n", max_size=20),
)
def test_no_declaration_writes_a_line_of_its_own(owners: Any, path: str) -> None:
    mallory = NamespaceDeclaration(name="mallory", owners=tuple(owners))
    text = made(mallory, PLATFORM, packages=(a_module("mallory", path),))
    assert owners_of("namespaces/platform/modules/vpc/aws.yaml", text) == ["@acme/platform"]
    assert owners_of("namespaces/mallory/namespace.yaml", text) == ["@acme/admins"]
    assert owners_of(".github/CODEOWNERS", text) == ["@acme/admins"]
