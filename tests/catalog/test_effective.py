"""Every effective value with the file and line that it comes from."""

from collections.abc import Mapping

from gitopsreg.catalog.built_in import built_in
from gitopsreg.catalog.defaults import BUILT_IN
from gitopsreg.catalog.effective import Book
from gitopsreg.catalog.load import load
from gitopsreg.model.catalog import Guards
from gitopsreg.model.declaration import ModuleDeclaration, ProviderDeclaration
from tests.catalog.catalogs import AT_MODULE, AT_NAMESPACE, HEAD, NAMESPACE, WHOLE, a_catalog, a_module

REGISTRY = HEAD + "kind: Registry\nmetadata: {name: default}\nspec:\n  defaults:\n    interval: 30m\n    timeout: 7m\n"
OWN = "versions:\n  constraint: '>= 1.0'\n  pins:\n    - {version: '1.0.0', commit: " + "a" * 40 + "}"
NAMESPACE_WITH_DEFAULTS = NAMESPACE.replace("{displayName: Platform}", "\n  defaults:\n    timeout: null")
FILES = {
    **WHOLE,
    "registry.yaml": REGISTRY,
    AT_NAMESPACE: NAMESPACE_WITH_DEFAULTS,
    AT_MODULE: a_module(OWN),
}
VPC = "module:platform/vpc/aws"


def places(files: Mapping[str, str], subject: str) -> dict[str, tuple[object, str]]:
    return {item.name: (item.value, item.place) for item in Book(load(a_catalog(files))).fields(subject)}


def test_each_value_has_its_place() -> None:
    found = places(FILES, VPC)
    assert found["interval"] == ("30m", "registry.yaml:6")
    assert found["timeout"] == ("5m", f"built-in (null at {AT_NAMESPACE}:6)")
    assert found["versions.constraint"] == (">= 1.0", f"{AT_MODULE}:8")
    assert found["versions.pins[0]"] == ({"version": "1.0.0", "commit": "a" * 40}, f"{AT_MODULE}:10")
    assert found["versions.prereleases"] == (False, "built-in")
    assert found["source.url"] == ("https://github.com/acme/vpc.git", f"{AT_MODULE}:6")


def test_other_kinds_inherit_nothing() -> None:
    assert places(FILES, "namespace:platform")["defaults.timeout"] == (None, f"{AT_NAMESPACE}:6")
    key = places(FILES, "key:platform/release")
    assert key["status"] == ("active", "built-in")
    assert key["fingerprint"][1].endswith("keys/release.yaml:5")


def test_without_a_registry_file_everything_is_built_in() -> None:
    assert places(WHOLE, "registry")["guards.maxRemovedPackages"] == (5, "built-in")


def test_labels_are_told() -> None:
    files = {**WHOLE, AT_MODULE: WHOLE[AT_MODULE].replace("{name: vpc}", "{name: vpc, labels: {team: net}}")}
    assert places(files, VPC)["metadata.labels.team"] == ("net", f"{AT_MODULE}:3")


def test_files_are_named_from_where_the_catalog_is() -> None:
    catalog = a_catalog(FILES)
    rooted = type(catalog)(revision="", time="", root="catalog/", files=catalog.files, has_folder=catalog.has_folder)
    book = Book(load(rooted))
    assert book.path(VPC) == f"catalog/{AT_MODULE}"
    assert {item.place for item in book.fields(VPC) if item.name == "interval"} == {"catalog/registry.yaml:6"}


def test_what_is_wrong_is_set_apart_and_lends_nothing() -> None:
    files = {**FILES, AT_NAMESPACE: NAMESPACE_WITH_DEFAULTS + "  nonsense: 1\n"}
    book = Book(load(a_catalog(files)))
    assert set(book.broken) == {"namespace:platform", VPC, "provider:platform/internal"}
    lender = Book(load(a_catalog(FILES)))
    assert Book(load(a_catalog(files)), lender=lender).spec(VPC)["timeout"] == "5m"


def test_what_schemas_call_the_default_is_what_declarations_get() -> None:
    """Two tables say it: the schemas for people and the code; here they agree."""
    loaded = load(a_catalog(WHOLE))
    book = Book(loaded)
    for package in loaded.catalog.packages:
        spec = book.spec(str(package.address))
        assert spec["suspend"] == package.suspend
        assert spec["interval"] == BUILT_IN["interval"]
        assert spec["versions"]["keepLatest"] == package.versions.keep_latest
        if isinstance(package, ModuleDeclaration):
            assert package.archive_format == spec.get("archiveFormat", built_in("StorageClass")["archiveFormat"])
        elif isinstance(package, ProviderDeclaration):
            assert tuple(spec["protocols"]) == package.protocols
            assert spec["completeness"] == package.completeness
    guards = built_in("Registry")["guards"]
    assert Guards() == Guards(
        max_removed_packages=guards["maxRemovedPackages"],
        max_removed_percent=guards["maxRemovedPercent"],
        allow_empty=guards["allowEmpty"],
    )
