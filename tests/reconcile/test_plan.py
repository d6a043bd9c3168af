"""Changes, guards and the digest that a person approves."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gitopsreg.model.address import ModuleAddress
from gitopsreg.model.catalog import Guards
from gitopsreg.reconcile.draft import Draft, draft
from gitopsreg.reconcile.plan import Plan, make_plan
from tests.builders import VPC, a_module, a_module_declaration, block, discovered, rules, yank

REVISION, TIME = f"main@sha1:{'a' * 40}", "2026-02-02T00:00:00Z"


def plan(*drafts: Draft, guards: Guards | None = None) -> Plan:
    return make_plan(drafts, revision=REVISION, time=TIME, guards=guards or Guards())


def address(number: int) -> ModuleAddress:
    return ModuleAddress("platform", f"m{number}", "aws")


def kept(number: int) -> Draft:
    declaration = a_module_declaration(address(number))
    return Draft(
        address=address(number),
        published=a_module("1.0.0", address=address(number)),
        declaration=declaration,
        keep=True,
    )


def removed(number: int) -> Draft:
    return Draft(address=address(number), published=a_module("1.0.0", address=address(number)))


def test_a_new_package_is_an_addition() -> None:
    (change,) = plan(draft(a_module_declaration(), None, discovered("1.0.0", "1.1.0"))).changes
    assert (change.address, change.action, change.added) == (str(VPC), "add", ("1.0.0", "1.1.0"))


def test_a_cap_shows_what_a_new_version_would_push_out() -> None:
    item = draft(a_module_declaration(versions=rules(keep_latest=1)), a_module("1.0.0"), discovered("1.0.0", "1.1.0"))
    (change,) = plan(item).changes
    assert (change.added, change.removed) == (("1.1.0",), ("1.0.0",))


def test_nothing_to_do_is_an_empty_plan() -> None:
    item = draft(a_module_declaration(), a_module("1.0.0"), discovered("1.0.0"))
    assert not plan(item).has_changes


def test_what_the_catalog_says_of_published_versions_is_told() -> None:
    chosen = rules(yanked=(yank("1.0.0"),), blocked=(block("1.1.0"),))
    (change,) = plan(draft(a_module_declaration(versions=chosen), a_module("1.0.0", "1.1.0"), None)).changes
    assert change.action == "change"
    assert change.removed == ("1.1.0",)
    assert change.notes == ("yank 1.0.0: wrong route table", "block 1.1.0: leaked credential")


def test_removal_is_an_archive_and_return_a_restore() -> None:
    (change,) = plan(kept(1), removed(2)).changes
    assert (change.action, change.removed) == ("archive", ("1.0.0",))
    archived = a_module("1.0.0", archived=TIME)
    (change,) = plan(draft(a_module_declaration(), archived, discovered("1.0.0"))).changes
    assert change.action == "restore"


def test_an_invalid_declaration_is_not_a_removal() -> None:
    invalid = Draft(address=VPC, published=a_module("1.0.0"), keep=True)
    assert not plan(invalid).has_changes
    assert plan(invalid).guard == ""


def test_an_empty_catalog_is_held_back() -> None:
    assert "declares no package" in plan(removed(1)).guard
    assert plan(removed(1), guards=Guards(allow_empty=True)).guard == ""


@pytest.mark.parametrize(
    ("gone", "left", "held"),
    [(1, 3, False), (2, 3, True), (2, 18, False), (5, 100, False), (6, 200, True)],
    ids=["one of few", "many of few", "ten percent", "five of many", "more than five"],
)
def test_mass_removal_is_held_back(gone: int, left: int, held: bool) -> None:
    drafts: Sequence[Draft] = [*(removed(n) for n in range(gone)), *(kept(n) for n in range(gone, gone + left))]
    result = plan(*drafts)
    assert bool(result.guard) is held
    assert result.reason == ("MassChangeGuard" if held else "")


def test_the_digest_names_exactly_this_plan() -> None:
    one = plan(removed(1), kept(2))
    assert one.digest == plan(removed(1), kept(2)).digest
    assert one.digest == plan(kept(2), removed(1)).digest
    assert one.digest != plan(removed(2), kept(1)).digest
    assert one.digest.startswith("sha256:")


def test_the_digest_names_the_content_and_not_the_revision() -> None:
    drafts = [draft(a_module_declaration(), None, discovered("1.0.0"))]
    one = make_plan(drafts, revision="main@sha1:" + "a" * 40, time=TIME, guards=Guards())
    two = make_plan(drafts, revision="change@sha1:" + "b" * 40, time="2027-01-01T00:00:00Z", guards=Guards())
    assert one.digest == two.digest
    moved = replace(drafts[0], wanted=tuple(replace(found, commit="f" * 40) for found in drafts[0].wanted))
    assert plan(moved).digest != one.digest


def test_risky_changes_are_marked() -> None:
    chosen = rules(yanked=(yank("1.0.0"),), blocked=(block("1.1.0"),))
    (change,) = plan(draft(a_module_declaration(versions=chosen), a_module("1.0.0", "1.1.0"), None)).changes
    assert change.marks == ("block", "yank")
    (change,) = plan(kept(1), removed(2)).changes
    assert change.marks == ("removal",)
    assert {mark for change in plan(*map(removed, range(6)), kept(7)).changes for mark in change.marks} == {
        "mass removal"
    }
