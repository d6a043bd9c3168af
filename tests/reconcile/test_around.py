from gitopsreg.index.model import Namespace, Root
from gitopsreg.model.catalog import Catalog, NamespaceDeclaration, RegistryDeclaration, parts_of
from gitopsreg.reconcile.around import around
from gitopsreg.reconcile.plan import Change

PUBLISHED = Root(
    revision="r",
    time="t",
    packages=0,
    shards=(),
    hostname="registry.example.com",
    namespaces=(Namespace(name="platform", display_name="Platform", aliases=("infra",)), Namespace(name="old")),
)


def catalog(*namespaces: NamespaceDeclaration, hostname: str | None = "registry.example.com") -> Catalog:
    registry = RegistryDeclaration(hostname=hostname)
    return Catalog(revision="r", time="t", registry=registry, parts=parts_of(namespaces=namespaces))


SAME = NamespaceDeclaration(name="platform", display_name="Platform", aliases=("infra",))


def test_a_first_publish_has_nothing_to_compare_with() -> None:
    assert list(around(None, catalog(SAME), {})) == []


def test_what_is_the_same_is_not_told_and_what_is_kept_is_not_gone() -> None:
    assert list(around(PUBLISHED, catalog(SAME), {})) == []


def test_names_that_clients_use_are_told_with_their_risk() -> None:
    moved = NamespaceDeclaration(name="platform", display_name="Base", aliases=("base",))
    new = NamespaceDeclaration(name="new")
    assert list(around(PUBLISHED, catalog(moved, new, hostname=None), {})) == [
        Change(
            address="registry",
            action="change",
            notes=('host name: "registry.example.com" becomes none',),
            marks=("hostname",),
        ),
        Change(address="namespace:new", action="add", marks=("new namespace",)),
        Change(
            address="namespace:platform",
            action="change",
            notes=('display name: "Platform" becomes "Base"', "alias +base", "alias -infra"),
            marks=("alias",),
        ),
    ]


def test_another_display_name_is_no_risk() -> None:
    (change,) = around(PUBLISHED, catalog(NamespaceDeclaration(name="platform", aliases=("infra",))), {})
    assert change.marks == ()
