"""What becomes of a package: the invariants of the ledger, as plain cases and as laws."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.index.contents import blobs_of
from gitopsreg.index.model import ModulePackage, Package
from gitopsreg.model.declaration import CatalogSource, GitSource
from gitopsreg.reconcile.apply import apply
from gitopsreg.reconcile.draft import Draft, draft
from tests.builders import (
    VPC,
    a_module,
    a_module_declaration,
    a_module_version,
    block,
    discovered,
    found,
    rules,
    yank,
)

TIME = "2026-02-02T00:00:00Z"


def after(item: Draft) -> Package:
    """The package once every wanted version came home."""
    records = [a_module_version(wanted.version.text) for wanted in item.wanted]
    package = apply(item, records, time=TIME)
    assert package is not None
    return package


def listings(package: Package | None) -> dict[str, str]:
    return {record.version.text: record.listing for record in package.versions} if package else {}


def test_a_new_package_wants_what_its_rules_admit() -> None:
    declaration = a_module_declaration(versions=rules(">= 1.0.0"))
    item = draft(declaration, None, discovered("0.9.0", "1.0.0", "1.1.0"))
    assert [wanted.version.text for wanted in item.wanted] == ["1.0.0", "1.1.0"]
    assert listings(after(item)) == {"1.0.0": "listed", "1.1.0": "listed"}


def test_a_package_without_any_version_is_not_published() -> None:
    assert apply(draft(a_module_declaration(), None, discovered()), (), time=TIME) is None


def test_a_moved_tag_changes_nothing_and_says_so() -> None:
    moved = replace(discovered("1.0.0"), found=(found("1.0.0", commit="d" * 40),))
    item = draft(a_module_declaration(), a_module("1.0.0"), moved)
    assert item.wanted == ()
    assert [problem.reason for problem in item.mutated] == ["TagMoved"]
    assert '"v1.0.0" moved' in item.mutated[0].message
    assert after(item) == a_module("1.0.0")


def test_a_changed_folder_of_the_catalog_changes_nothing_and_says_so() -> None:
    declaration = a_module_declaration(source=CatalogSource())
    changed = replace(discovered("1.0.0"), found=(found("1.0.0", tree="8" * 40),))
    item = draft(declaration, a_module("1.0.0"), changed)
    assert [problem.reason for problem in item.mutated] == ["AssetReplaced"]
    assert item.wanted == ()


def test_a_deleted_tag_is_told_and_goes_on_being_listed() -> None:
    item = draft(a_module_declaration(), a_module("1.0.0", "1.1.0"), discovered("1.1.0"))
    assert [(problem.version, problem.reason) for problem in item.mutated] == [("1.0.0", "TagDeleted")]
    assert listings(after(item)) == {"1.0.0": "listed", "1.1.0": "listed"}


def test_a_pin_that_leaves_a_catalog_source_archives_its_version() -> None:
    declaration = a_module_declaration(source=CatalogSource())
    item = draft(declaration, a_module("1.0.0", "1.1.0"), discovered("1.1.0"))
    assert item.mutated == ()
    assert listings(after(item)) == {"1.0.0": "archived", "1.1.0": "listed"}


def test_a_narrowed_constraint_archives_and_a_widened_one_restores() -> None:
    all_of_it = discovered("1.0.0", "2.0.0")
    narrow = after(draft(a_module_declaration(versions=rules("< 2.0.0")), a_module("1.0.0", "2.0.0"), all_of_it))
    assert listings(narrow) == {"1.0.0": "listed", "2.0.0": "archived"}
    assert after(draft(a_module_declaration(), narrow, all_of_it)) == a_module("1.0.0", "2.0.0")


def test_yanks_and_blocks_hold_also_while_the_upstream_is_out_of_reach() -> None:
    chosen = rules(yanked=(yank("1.0.0"), yank("1.1.0", "hidden")), blocked=(block("1.2.0"),))
    item = draft(a_module_declaration(versions=chosen), a_module("1.0.0", "1.1.0", "1.2.0", "1.3.0"), None)
    assert item.wanted == ()
    assert item.mutated == ()
    assert listings(after(item)) == {"1.0.0": "listed", "1.1.0": "hidden", "1.2.0": "blocked", "1.3.0": "listed"}
    assert after(item).versions[0].yanked == "wrong route table"
    assert after(item).versions[2].blocked == "leaked credential"


def test_build_metadata_alone_makes_no_new_version() -> None:
    item = draft(a_module_declaration(), a_module("1.0.0+a"), discovered("1.0.0+a", "1.0.0+b"))
    assert item.wanted == ()
    assert [(problem.version, problem.reason) for problem in item.refused] == [("1.0.0+b", "DuplicateVersion")]


def test_an_archived_package_keeps_its_bytes_and_its_blocks() -> None:
    published = a_module("1.0.0", "1.1.0")
    blocked = replace(published.versions[1], listing="blocked", blocked="malware")
    published = replace(published, versions=(published.versions[0], blocked))
    archived = apply(Draft(address=VPC, published=published), (), time=TIME)
    assert archived is not None
    assert archived.archived == TIME
    assert listings(archived) == {"1.0.0": "archived", "1.1.0": "blocked"}
    assert apply(Draft(address=VPC, published=archived), (), time="2027-01-01T00:00:00Z") == archived


def test_a_package_that_returns_is_restored_without_fetching() -> None:
    published = a_module("1.0.0")
    archived = apply(Draft(address=VPC, published=published), (), time=TIME)
    item = draft(a_module_declaration(), archived, discovered("1.0.0"))
    assert item.wanted == ()
    assert after(item) == published


def test_a_version_that_returns_with_other_content_is_not_accepted() -> None:
    archived = apply(Draft(address=VPC, published=a_module("1.0.0")), (), time=TIME)
    other = replace(discovered("1.0.0"), found=(found("1.0.0", commit="d" * 40),))
    item = draft(a_module_declaration(), archived, other)
    assert item.wanted == ()
    assert [problem.reason for problem in item.mutated] == ["TagMoved"]


def test_force_looks_again_at_what_is_published_and_has_not_moved() -> None:
    declaration = a_module_declaration()
    state = replace(discovered("1.0.0"), found=(found("1.0.0"), found("1.1.0", commit="d" * 40)))
    item = draft(declaration, a_module("1.0.0", "1.1.0"), state, force=True)
    assert [again.version.text for again in item.again] == ["1.0.0"]


def test_only_versions_that_came_home_push_old_ones_out() -> None:
    declaration = a_module_declaration(versions=rules(keep_latest=1))
    item = draft(declaration, a_module("1.0.0"), discovered("1.0.0", "1.1.0", "1.2.0"))
    assert [wanted.version.text for wanted in item.wanted] == ["1.2.0"]
    failed = apply(item, (), time=TIME)
    assert listings(failed) == {"1.0.0": "listed"}
    assert listings(after(item)) == {"1.0.0": "archived", "1.2.0": "listed"}
    assert ("1.1.0", "older than the newest 1 (keepLatest)") in [(o.ref, o.reason) for o in item.left_out]


VERSIONS = st.frozensets(st.builds("{}.{}.0".format, st.integers(0, 3), st.integers(0, 3)), max_size=8)
CONSTRAINTS = st.sampled_from([None, ">= 1.0.0", "~> 1.1", "< 2.0.0", "!= 1.0.0"])


@pytest.mark.parametrize("source", ["git", "catalog"])
@given(published=VERSIONS, upstream=VERSIONS, constraint=CONSTRAINTS)
def test_laws(source: str, published: frozenset[str], upstream: frozenset[str], constraint: str | None) -> None:
    chosen = GitSource(url="https://git.example.com/x.git") if source == "git" else CatalogSource()
    declaration = a_module_declaration(versions=rules(constraint), source=chosen)
    before = a_module(*published) if published else None
    item = draft(declaration, before, discovered(*upstream))
    wanted = {w.version.text for w in item.wanted}
    # Nothing that is published is wanted again; nothing is wanted that the rules do not admit.
    assert not wanted & published
    assert wanted <= item.admitted
    package = apply(item, [a_module_version(text) for text in wanted], time=TIME)
    ledger = {record.version.text: record for record in package.versions} if package else {}
    # The ledger only grows, and no published content changes.
    assert published | wanted == ledger.keys()
    for record in before.versions if before else ():
        assert blobs_of(ledger[record.version.text]) == blobs_of(record)
        assert ledger[record.version.text].origin == record.origin
    # What is listed is exactly what is admitted and in the ledger.
    assert {text for text, record in ledger.items() if record.listing == "listed"} == item.admitted & ledger.keys()
    # Planning again after a full sync wants nothing and changes nothing.
    again = draft(declaration, package, discovered(*upstream))
    assert again.wanted == ()
    assert apply(again, (), time=TIME) == package
    assert not isinstance(package, ModulePackage) or package.versions == tuple(
        sorted(package.versions, key=lambda record: record.version)
    )
