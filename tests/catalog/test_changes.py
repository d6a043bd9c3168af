"""What the gallery (GR7xx, GR507) does not show: authors, moved files, broken bases, bounds."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.changes import check_changes
from gitopsreg.catalog.load import Loaded, load
from gitopsreg.catalog.report import Finding
from tests.catalog.catalogs import AT_MODULE, AT_NAMESPACE, HEAD, KEY, MODULE, NAMESPACE, a_catalog, a_module

OWNED = HEAD + "kind: Namespace\nmetadata: {name: platform}\nspec:\n  owners:\n"
TEAM = "    - {type: github-team, name: acme/platform}\n"
ALICE = "    - {type: github-user, name: Alice}\n"


def loaded(files: Mapping[str, str]) -> Loaded:
    return load(a_catalog({AT_NAMESPACE: NAMESPACE} | dict(files)))


def changes(base: Mapping[str, str], head: Mapping[str, str]) -> list[Finding]:
    return list(check_changes(loaded(base), loaded(head)))


def rules(base: Mapping[str, str], head: Mapping[str, str]) -> list[str]:
    return [finding.rule for finding in changes(base, head)]


def test_no_change_is_no_finding() -> None:
    assert rules({AT_MODULE: MODULE}, {AT_MODULE: MODULE}) == []


def test_a_first_catalog_is_no_finding() -> None:
    empty = load(a_catalog({}))
    assert check_changes(empty, loaded({AT_MODULE: MODULE})) == ()


def test_new_words_around_the_same_content_are_no_finding() -> None:
    assert rules({AT_MODULE: MODULE}, {AT_MODULE: "# words\n" + MODULE.replace("vpc.git", "vpc")}) == []


def test_a_file_that_moved_is_the_same_package() -> None:
    moved = {"namespaces/platform/modules/vpc/aws.yml": MODULE.replace("acme/vpc", "evil/vpc")}
    (finding,) = changes({AT_MODULE: MODULE}, moved)
    assert (finding.rule, finding.path) == ("GR707", "namespaces/platform/modules/vpc/aws.yml")
    assert finding.address == "module:platform/vpc/aws"


@pytest.mark.parametrize("broken", ["spec: [", "[]", "spec: {source: [1], versions: {pins: 1, blocked: {}}}\n"])
def test_a_base_or_head_that_is_broken_says_nothing(broken: str) -> None:
    assert rules({AT_MODULE: broken}, {AT_MODULE: MODULE}) == []
    assert rules({AT_MODULE: MODULE}, {AT_MODULE: broken}) == []


def test_paths_begin_as_the_user_knows_them() -> None:
    head = load(a_catalog({AT_NAMESPACE: NAMESPACE, AT_MODULE: MODULE.replace("acme", "evil")}))
    found = check_changes(
        loaded({AT_MODULE: MODULE}),
        Loaded(catalog=head.catalog, findings=(), files=2, parts=head.parts, root="catalog/"),
    )
    assert [finding.path for finding in found] == ["catalog/" + AT_MODULE]


def test_removed_files_are_named_by_their_old_path() -> None:
    (finding,) = changes({AT_MODULE: MODULE}, {})
    assert (finding.rule, finding.path, finding.line, finding.column) == ("GR703", AT_MODULE, 1, 1)


def test_authors_who_make_themselves_owners() -> None:
    base, head = loaded({AT_NAMESPACE: OWNED + TEAM}), loaded({AT_NAMESPACE: OWNED + TEAM + ALICE})
    assert [finding.rule for finding in check_changes(base, head)] == ["GR709"]
    assert [finding.rule for finding in check_changes(base, head, authors=["bob"])] == ["GR709"]
    found = check_changes(base, head, authors=["alice"])
    assert [(finding.rule, finding.line) for finding in found] == [("GR507", 7), ("GR709", 7)]


@pytest.mark.parametrize("touched", [{AT_MODULE: MODULE}, {"namespaces/platform/keys/release.yaml": KEY}])
def test_granting_and_using_in_one_change(touched: dict[str, str]) -> None:
    base, head = {AT_NAMESPACE: OWNED + TEAM}, {AT_NAMESPACE: OWNED + TEAM + ALICE}
    assert rules(base, head | touched) == ["GR507", "GR709"]
    assert "GR507" in rules(base | touched, head)
    assert rules(base | touched, head | touched) == ["GR709"]


def test_self_granted_ownership_is_never_ignored() -> None:
    alice = ALICE.rstrip() + " # gitopsreg: ignore[GR507, GR709] she asked\n"
    found = changes({AT_NAMESPACE: OWNED + TEAM}, {AT_NAMESPACE: OWNED + TEAM + alice, AT_MODULE: MODULE})
    assert [(finding.rule, bool(finding.suppressed)) for finding in found] == [("GR507", False), ("GR709", True)]


def test_a_new_namespace_has_its_first_owners_and_packages_at_once() -> None:
    new = {
        "namespaces/network/namespace.yaml": OWNED.replace("platform", "network") + TEAM,
        "namespaces/network/modules/vpc/aws.yaml": MODULE,
    }
    assert rules({}, new) == []


@pytest.mark.parametrize(
    ("before", "after", "free"),
    [
        ("< 2.0.0", "< 3.0.0", False),
        ("< 3.0.0", "< 2.0.0", True),
        (">= 1.0.0, < 1.5.0", ">= 1.0.0, < 1.4.9", True),
        ("~> 1.2", "~> 1.2.0", True),
        ("~> 1.2.0", "~> 1.2", False),
        ("!= 1.0.0", ">= 0", False),
        ("1.2.*", "1.*", False),
        ("1.*", "1.2.*", True),
    ],
)
def test_a_range_is_unblocked_when_a_version_gets_free(before: str, after: str, free: bool) -> None:
    base = a_module(f'versions: {{blocked: [{{range: "{before}", reason: x}}]}}')
    head = a_module(f'versions: {{blocked: [{{range: "{after}", reason: x}}]}}')
    assert rules({AT_MODULE: base}, {AT_MODULE: head}) == (["GR702"] if free else [])


def test_ranges_may_share_what_one_covered() -> None:
    base = a_module('versions: {blocked: [{range: ">= 1.0.0, < 3.0.0", reason: x}]}')
    head = a_module('versions: {blocked: [{range: ">= 1.0.0, < 2.0.0", reason: x}, {range: "2.*", reason: x}]}')
    assert rules({AT_MODULE: base}, {AT_MODULE: head}) == []


def test_hundreds_of_blocks_are_bounded() -> None:
    entries = ", ".join(f'{{range: "< {number}.0.0", reason: x}}' for number in range(1, 200))
    base = a_module(f"versions: {{blocked: [{entries}]}}")
    assert len(rules({AT_MODULE: base}, {AT_MODULE: MODULE})) == 50


def test_a_comment_speaks_of_the_change_that_brings_it() -> None:
    comment = "# gitopsreg: ignore[GR711] mended by hand\n  versions: {keepLatest: 3}\n"
    yanked = MODULE + '  versions: {yanked: [{version: "1.0.0", reason: slow}]}\n'
    (finding,) = changes({AT_MODULE: yanked}, {AT_MODULE: MODULE + "  " + comment})
    assert finding.suppressed == "mended by hand"
    old = MODULE + "  # gitopsreg: ignore[GR711] mended by hand\n" + yanked.removeprefix(MODULE)
    (finding,) = changes({AT_MODULE: old}, {AT_MODULE: MODULE + "  " + comment})
    assert finding.suppressed == ""


KEYS = st.sampled_from([
    "spec", "source", "versions", "pins", "blocked", "yanked", "version", "range", "commit", "sha256", "path", "url",
    "owners", "name", "type", "allowedSources", "repositories", "connection", "fingerprint", "publicKey", "status",
    "guards", "hostname", "tagPrefix", "maxRemovedPackages", "x",
])  # fmt: skip
WORDS = st.sampled_from(["", "1.0.0", "< 2.0.0", "1.*", "git", "revoked", "a" * 40, "é", "999999999.9.9"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
PATHS = (AT_MODULE, AT_NAMESPACE, "namespaces/platform/keys/release.yaml", "registry.yaml")


@given(st.lists(VALUES, min_size=8, max_size=8))
def test_any_two_catalogs_can_be_compared(values: list[Any]) -> None:
    base = {path: json.dumps({"spec": value}) for path, value in zip(PATHS, values[:4], strict=True)}
    head = {path: json.dumps({"spec": value}) for path, value in zip(PATHS, values[4:], strict=True)}
    for finding in changes(base, head):
        assert finding.rule.startswith(("GR7", "GR507"))
    assert all(finding.rule in {"GR703", "GR709", "GR710", "GR712"} for finding in changes(base, {}))
