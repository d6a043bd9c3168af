"""Versions whose bytes stay where they are: what of them may change after they are published, and what may not."""

from dataclasses import replace
from typing import Any

from gitopsreg.index.model import (
    ModulePackage,
    ModuleVersion,
    ProviderPackage,
    ProviderVersion,
    PublicKey,
    Remote,
)
from gitopsreg.model.catalog import Guards
from gitopsreg.model.declaration import OpentofuGitSource
from gitopsreg.reconcile.apply import apply
from gitopsreg.reconcile.draft import draft
from gitopsreg.reconcile.plan import make_plan
from gitopsreg.upstream.base import Discovery, Found
from tests.builders import (
    HELLO,
    VPC,
    a_module_declaration,
    a_module_version,
    a_provider_declaration,
    an_origin,
    discovered,
    found,
)
from tests.protocol.samples import a_provider_version
from tests.releases import a_signer

TIME = "2026-02-02T00:00:00Z"
KEY = PublicKey(key_id="51852D87348FFC4C", armor="armor")
SUMS = Remote("https://releases.example.com/SUMS")


def a_provider(**changes: Any) -> ProviderPackage:
    record = replace(a_provider_version(), checksums=SUMS, signature=SUMS, keys=(), **changes)
    return ProviderPackage(address=HELLO, versions=(record,))


def of(record: ProviderVersion | ModuleVersion, **changes: Any) -> Discovery:
    origin = record.origin
    item = Found(version=record.version, ref=origin.ref, commit=origin.commit, tree=origin.tree)
    return replace(discovered(record.version.text), found=(replace(item, **changes),))


def test_keys_that_are_registered_late_are_handed_out() -> None:
    published = a_provider()
    item = draft(a_provider_declaration(), published, of(published.versions[0], keys=(KEY,)))
    after = apply(item, (), time=TIME)
    assert isinstance(after, ProviderPackage)
    assert after.versions == (replace(published.versions[0], keys=(KEY,)),)
    (change,) = make_plan([item], revision="main", time=TIME, guards=Guards()).changes
    assert (change.notes, change.marks) == (("signing keys of 1.0.0",), ("key",))


def test_the_same_keys_change_nothing() -> None:
    published = a_provider()
    item = draft(a_provider_declaration(), published, of(published.versions[0], keys=()))
    assert make_plan([item], revision="main", time=TIME, guards=Guards()).changes == ()


def test_a_stored_version_keeps_the_keys_that_it_was_verified_with() -> None:
    stored = ProviderPackage(address=HELLO, versions=(a_provider_version(),))
    item = draft(a_provider_declaration(), stored, of(stored.versions[0], keys=(KEY,)))
    assert item.keys == {}


def test_keys_that_the_catalog_names_are_the_whole_truth() -> None:
    """Also of a version that is there, and that no key covers any more."""
    published = a_provider()
    vouched = replace(published, versions=(replace(published.versions[0], keys=(KEY,)),))
    source = OpentofuGitSource(url="https://git.example.com/registry.git")
    declaration = a_provider_declaration(keys=(a_signer().declared(),), source=source)
    held = of(vouched.versions[0], keys=())
    item = draft(declaration, vouched, replace(held, found=(), held=held.found))
    assert item.mutated == ()
    assert apply(item, (), time=TIME) == published


def test_keys_that_are_gone_there_stay() -> None:
    published = a_provider()
    vouched = replace(published, versions=(replace(published.versions[0], keys=(KEY,)),))
    item = draft(a_provider_declaration(), vouched, of(vouched.versions[0], keys=()))
    assert apply(item, (), time=TIME) == vouched


def a_module(commit: str) -> ModulePackage:
    place = Remote(f"git::https://git.example.com/vpc?ref={commit or 'v1.0.0'}")
    record = a_module_version("1.0.0", archive=place, origin=an_origin(commit=commit, tree="1" * 40))
    return ModulePackage(address=VPC, versions=(record,))


def test_a_commit_that_is_recorded_late_is_none_that_moved() -> None:
    late = replace(discovered("1.0.0"), found=(found("1.0.0", commit="c" * 40, tree="2" * 40),))
    assert draft(a_module_declaration(), a_module(""), late, force=True).mutated == ()
    assert draft(a_module_declaration(), a_module(""), late, force=True).again == ()


def test_a_recorded_commit_that_moves_is_told() -> None:
    moved = replace(discovered("1.0.0"), found=(found("1.0.0", commit="c" * 40, tree="2" * 40),))
    (problem,) = draft(a_module_declaration(), a_module("b" * 40), moved).mutated
    assert problem.reason == "AssetReplaced"
