import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.load import load
from gitopsreg.catalog.owners import TYPES, handles, owner_problem, parse_owner
from gitopsreg.errors import InvalidName
from tests.catalog.catalogs import AT_NAMESPACE, HEAD, a_catalog


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("github-team:acme/platform", ("github-team", "acme/platform")),
        ("@acme/platform", ("github-team", "acme/platform")),
        ("@octocat", ("github-user", "octocat")),
        ("jane.doe+x@example.co.uk", ("email", "jane.doe+x@example.co.uk")),
        ("gitlab-group:acme/eu/platform", ("gitlab-group", "acme/eu/platform")),
        ("gitlab-user:jane.doe", ("gitlab-user", "jane.doe")),
        ("oidc-group:CN=Platform, DC=example", ("oidc-group", "CN=Platform, DC=example")),
    ],
)
def test_owners_are_read(text: str, owner: tuple[str, str]) -> None:
    assert parse_owner(text) == owner


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("platform", "does not say what kind of owner it is"),
        ("github-team:platform", "write organisation/team"),
        ("@acme/platform/x", "write organisation/team"),
        ("@@octocat", "the account's name"),
        ("team:acme/platform", "write one of github-team, github-user"),
        ("oidc-group:", "write type:name"),
        ("oidc-group:a\nb", "write type:name"),
        ("@octo cat", "the account's name"),
        ("jane@example", "write an address"),
    ],
)
def test_what_is_no_owner_is_refused_with_advice(text: str, advice: str) -> None:
    with pytest.raises(InvalidName, match=advice):
        parse_owner(text)


def test_a_forge_gets_only_owners_that_it_knows() -> None:
    owners = [
        parse_owner(text) for text in ("@acme/platform", "@acme/platform", "oidc-group:x", "gitlab-user:j", "a@b.de")
    ]
    assert handles(owners, "github") == ("@acme/platform", "a@b.de")
    assert handles(owners, "gitlab") == ("@j", "a@b.de")


@given(st.sampled_from(TYPES), st.text())
def test_no_name_says_more_than_one_word_of_codeowners(kind: str, name: str) -> None:
    for style in ("github", "gitlab"):
        for handle in handles([(kind, name)], style):
            assert owner_problem(kind, name) is None
            assert handle.split() == [handle]
            assert "#" not in handle


def test_an_owner_that_no_forge_knows_is_a_finding() -> None:
    text = HEAD + (
        "kind: Namespace\nmetadata: {name: platform}\n"
        "spec: {owners: [{type: github-team, name: platform}, {type: oidc-group, name: any thing}]}\n"
    )
    (finding,) = load(a_catalog({AT_NAMESPACE: text})).findings
    assert (finding.rule, finding.severity, finding.pointer) == ("GR430", "warning", "/spec/owners/0/name")


def test_admins_are_owners_of_the_registry() -> None:
    text = HEAD + "kind: Registry\nmetadata: {name: default}\nspec: {admins: [{type: email, name: nobody}]}\n"
    loaded = load(a_catalog({"registry.yaml": text}))
    assert loaded.catalog.registry.admins == (("email", "nobody"),)
    assert [finding.rule for finding in loaded.findings] == ["GR430"]
