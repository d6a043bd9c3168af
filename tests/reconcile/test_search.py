"""Laws of what discoveries add to a catalog, whatever they find and whatever is published."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.index.model import Entry, Root, Snapshot
from gitopsreg.index.status import PackageStatus
from gitopsreg.model.address import ModuleAddress, PackageAddress, ProviderAddress
from gitopsreg.model.catalog import Catalog, InvalidPackage, parts_of
from gitopsreg.model.declaration import DiscoveryDeclaration
from gitopsreg.model.digest import Sha256
from gitopsreg.model.pattern import Pattern
from gitopsreg.reconcile.candidates import Candidates, candidates
from gitopsreg.reconcile.search import Basis, Discovered, Unknown, search
from tests.builders import a_module_declaration, a_provider_declaration

FOLDER = "namespaces/acme/discoveries"
NAMES = [ModuleAddress("acme", name, "generic") for name in "abcdef"]
SILENT = Unknown("Timeout", "nobody answers")


def a_discovery(name: str = "found", **changes: Any) -> DiscoveryDeclaration:
    path = f"{FOLDER}/{name}.yaml"
    values: dict[str, Any] = dict(
        namespace="acme",
        name=name,
        path=path,
        url="https://git.example.com/registry.git",
        namespaces=("there",),
        templates=(a_module_declaration(path=path), a_provider_declaration(path=path)),
        approval="auto",
    )
    return DiscoveryDeclaration(**(values | changes))


def there(*names: PackageAddress) -> dict[PackageAddress, str]:
    return {replace(name, namespace="there"): f"There/{name.path.partition('/')[2]}" for name in names}


def a_snapshot(names: Iterable[PackageAddress], archived: Container[PackageAddress] = ()) -> Snapshot:
    digest = Sha256.of(b"root")
    root = Root(revision="main@sha1:" + "a" * 40, time="2026-01-01T00:00:00Z", hostname=None, shards=(), packages=0)
    entries = {name: Entry(address=name, digest=digest, archived=name in archived) for name in names}
    return Snapshot(digest=digest, root=root, entries=entries)


def known_by(finders: Mapping[PackageAddress, str]) -> dict[PackageAddress, PackageStatus]:
    return {name: PackageStatus(address=name, path=path, conditions=()) for name, path in finders.items()}


@st.composite
def bases(draw: st.DrawFn) -> Basis:
    """Any mix of files, discoveries, what they find, what is published, and who found it once."""
    some = st.lists(st.sampled_from(NAMES), unique=True)
    discoveries = [
        a_discovery(
            name,
            approval=draw(st.sampled_from(["auto", "pending"])),
            max_packages=draw(st.integers(1, 6)),
            on_disappear=draw(st.sampled_from(["keep", "archive"])),
        )
        for name in draw(st.sampled_from([(), ("one",), ("one", "two")]))
    ]
    told = [
        (draw(st.one_of(st.just(SILENT), some.map(lambda names: candidates(one, there(*names), ())))), None)  # noqa: B023
        for one in discoveries
    ]
    files, broken = draw(some), draw(some)
    published = draw(some)
    paths = [f"{FOLDER}/one.yaml", f"{FOLDER}/two.yaml", f"{FOLDER}/gone.yaml", "namespaces/acme/modules/x.yaml"]
    finders: dict[PackageAddress, str] = {n: draw(st.sampled_from(paths)) for n in published if draw(st.booleans())}
    catalog = Catalog(
        revision="main@sha1:" + "a" * 40,
        time="2026-01-01T00:00:00Z",
        parts=parts_of(
            (a_module_declaration(name) for name in files),
            (
                InvalidPackage(address=name, path="x", reason="InvalidSpec", message="")
                for name in broken
                if name not in files
            ),
        ),
        discoveries=tuple(discoveries),
    )
    return Basis(catalog, told, a_snapshot(published, set(draw(some))), known_by(finders))


def found(basis: Basis) -> Discovered:
    return search(basis, {})[0]


@given(bases())
def test_nothing_is_declared_twice_and_files_win(basis: Basis) -> None:
    catalog = found(basis).added_to(basis.catalog, {})
    addresses = [item.address for item in (*catalog.packages, *catalog.invalid)]
    assert len(addresses) == len(set(addresses))
    assert catalog.packages[: len(basis.catalog.packages)] == basis.catalog.packages


@given(bases())
def test_what_is_taken_waits_or_is_barred_is_all_that_is_free(basis: Basis) -> None:
    for one in found(basis).searches:
        kept = [address for address in one.gone if address in one.taken]
        assert one.free == len(one.taken) - len(kept) + len(one.pending) + one.barred or one.blind
        assert not (one.pending and one.barred)


@given(bases())
def test_new_ones_are_only_taken_without_approval_and_up_to_the_most(basis: Basis) -> None:
    served = {a for a, entry in basis.published.entries.items() if not entry.archived} if basis.published else set()
    for one in found(basis).searches:
        new = set(one.taken) - served
        assert not new or (one.discovery.approval == "auto" and one.free <= one.discovery.max_packages)


@given(bases())
def test_who_can_t_look_takes_nothing_away(basis: Basis) -> None:
    """What was declared a run before goes on being declared when the upstreams stop answering."""
    before = found(basis)
    finders = {item.address: item.path for item in before.packages}
    outage = replace(
        basis, told=[(SILENT, None) for _ in basis.told], published=a_snapshot(finders), known=known_by(finders)
    )
    after = found(outage)
    assert {item.address: item.path for item in after.packages} == finders
    assert all(item.suspend for item in after.packages)


@given(bases())
def test_the_same_again_is_the_same_object(basis: Basis) -> None:
    first, left = search(basis, {})
    second, _ = search(basis, left)
    assert first == second
    assert all(one is two for one, two in zip(first.packages, second.packages, strict=True))


def chosen(discovery: DiscoveryDeclaration, *names: PackageAddress) -> Candidates:
    return candidates(discovery, there(*names), ())


def test_the_pattern_sees_the_name_without_its_namespace() -> None:
    names = (
        ModuleAddress("acme", "vpc", "aws"),
        ModuleAddress("acme", "vpc", "azurerm"),
        ProviderAddress("acme", "aws"),
    )
    assert chosen(a_discovery(pattern=Pattern.parse("aws$")), *names).packages.keys() == {names[0], names[2]}
    assert chosen(a_discovery(pattern=Pattern.parse("^vpc/a[wz]")), *names).packages.keys() == set(names[:2])
    assert chosen(a_discovery(pattern=Pattern.parse("there|acme")), *names).packages == {}
    assert chosen(a_discovery(templates=(a_provider_declaration(),)), *names).packages.keys() == {names[2]}


def test_a_namespace_that_can_hold_no_provider_says_so() -> None:
    result = chosen(a_discovery(namespace="my_team"), NAMES[0], ProviderAddress("acme", "aws"))
    assert result.packages.keys() == {replace(NAMES[0], namespace="my_team")}
    (skipped,) = result.skipped
    assert (skipped.ref, '"my_team" is not a legal provider namespace' in skipped.reason) == ("There/aws", True)


def test_where_it_is_there_and_its_template_decide_its_digest() -> None:
    plain = chosen(a_discovery(), NAMES[0]).packages[NAMES[0]]
    other = candidates(a_discovery(), {replace(NAMES[0], namespace="there"): "there/a/generic"}, ()).packages[NAMES[0]]
    changed = a_discovery(templates=(a_module_declaration(archive_format="zip"),))
    digests = {one.spec_digest for one in (plain, other, chosen(changed, NAMES[0]).packages[NAMES[0]])}
    assert len(digests) == 3
    assert chosen(a_discovery(), NAMES[0]).packages[NAMES[0]] == plain
