"""What packages say of stored bytes, worked out of what changed, is what looking at everything gives."""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.index import repository
from gitopsreg.index.contents import blobs_of
from gitopsreg.index.model import Blob, Delivery, ModulePackage, ModuleVersion, Package, Remote, Shelf, Snapshot
from gitopsreg.model.address import ModuleAddress, PackageAddress
from gitopsreg.model.digest import Sha256
from gitopsreg.server.served import PLAIN, Served, Way, survey
from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_module, a_module_version
from tests.index.published import TIME

_BLOBS = [Blob(Sha256.of(b"%d" % number), number) for number in range(4)]  # few: they are to be shared
_SHELVES = st.sampled_from([None, None, Shelf(backend="a"), Shelf(folder="b")])
_CONTENTS = st.sampled_from([*_BLOBS, *_BLOBS, Remote("git::https://git.example.com/a.git")])


@st.composite
def _versions(draw: st.DrawFn) -> tuple[ModuleVersion, ...]:
    return tuple(
        a_module_version(
            f"1.{number}.0",
            archive=draw(_CONTENTS),
            shelf=draw(_SHELVES),
            listing=draw(st.sampled_from(["listed", "hidden", "archived", "blocked"])),
            discarded=draw(st.sampled_from([None, None, None, TIME])),
        )
        for number in range(draw(st.integers(0, 3)))
    )


_DELIVERIES = st.sampled_from([None, None, Delivery(serve="redirect"), Delivery(serve="proxy", ttl=5)])
_PLAIN = st.sampled_from(_BLOBS).map(lambda blob: (a_module_version("1.0.0", archive=blob),))
_PACKAGES = st.tuples(_PLAIN, st.none()) | st.tuples(_versions(), _DELIVERIES)
_REGISTRIES = st.dictionaries(st.integers(0, 5), _PACKAGES, max_size=5)
_CHANGES = st.dictionaries(st.integers(0, 5), st.none() | _PACKAGES, max_size=2)
Numbers = dict[int, tuple[tuple[ModuleVersion, ...], Delivery | None]]


def _packages(numbers: Numbers) -> list[ModulePackage]:
    return [
        replace(a_module(), address=ModuleAddress("team", f"m{number}", "aws"), versions=versions, delivery=delivery)
        for number, (versions, delivery) in numbers.items()
    ]


def _publish(store: MemoryStore, packages: Iterable[ModulePackage]) -> Snapshot:
    found: dict[PackageAddress, Package] = {package.address: package for package in packages}
    content = repository.Content(revision="r", time=TIME, hostname=None, namespaces=(), packages=found)
    return repository.publish(store, content, base=None, head=repository.read_head(store))


@given(_REGISTRIES, st.lists(_CHANGES, max_size=4), st.booleans())
def test_step_by_step_gives_what_looking_at_everything_gives(
    numbers: Numbers,
    steps: list[dict[int, tuple[tuple[ModuleVersion, ...], Delivery | None] | None]],
    late: bool,
) -> None:
    store = MemoryStore()
    served: Served | None = None
    for step in ({}, *steps):
        numbers = {number: package for number, package in (numbers | step).items() if package is not None}
        packages = _packages(numbers)
        digest = _publish(store, packages).digest
        known = served.snapshot if served else None
        snapshot = repository.load(store, digest, known=known, ahead=0 if late else None)
        served = survey(snapshot, served)
        ordered = sorted(packages, key=lambda package: str(package.address))
        assert served.withheld == _withheld(ordered)
        assert served.ways == _ways(ordered)
        named = {blob.sha256.hex for package in packages for version in package.versions for blob in blobs_of(version)}
        assert late or {digest: served.sizes[digest] for digest in named} == {
            blob.sha256.hex: blob.size for blob in _BLOBS if blob.sha256.hex in named
        }


def _withheld(packages: list[ModulePackage]) -> set[str]:
    versions = [version for package in packages for version in package.versions]
    named = {
        ours: {blob.sha256.hex for version in versions if version.downloadable == ours for blob in blobs_of(version)}
        for ours in (True, False)
    }
    return named[False] - named[True]


def _ways(packages: list[ModulePackage]) -> dict[str, Way]:
    ways: dict[str, Way] = {}
    own = set()
    for package in packages:
        for version in package.versions:
            for blob in blobs_of(version) if version.downloadable else ():
                if (way := Way(version.shelf, package.delivery)) != PLAIN:
                    ways[blob.sha256.hex] = way
                if version.shelf is None:
                    own.add(blob.sha256.hex)
    return {digest: Way(None, way.delivery) if digest in own else way for digest, way in ways.items()}


@given(_REGISTRIES, _REGISTRIES)
def test_after_a_rollback_what_was_blocked_since_is_withheld(before: Numbers, after: Numbers) -> None:
    store = MemoryStore()
    old, new = (repository.load(store, _publish(store, _packages(numbers)).digest) for numbers in (before, after))
    offered = {
        blob.sha256.hex
        for package in _packages(before)
        for version in package.versions
        if version.downloadable
        for blob in blobs_of(version)
    }
    assert survey(old, None, new).withheld == _withheld(_packages(before)) | (_withheld(_packages(after)) - offered)


def test_where_all_is_plain_no_document_is_looked_into() -> None:
    store = MemoryStore()
    published = _publish(store, [a_module("1.0.0", "1.1.0")])
    for key in list(store.keys("index/packages/")):
        store.delete(key)
    served = survey(repository.load(store, published.digest, ahead=0))
    assert (served.withheld, served.ways) == (frozenset(), {})


def test_what_does_not_change_is_taken_over() -> None:
    store = MemoryStore()
    shelved = replace(a_module(), versions=(a_module_version("1.0.0", shelf=Shelf(folder="b")),))
    other = ModuleAddress("team", "other", "aws")
    before = survey(_publish(store, [shelved, a_module("1.0.0", address=other)]))
    after = survey(_publish(store, [shelved, a_module("1.0.0", "2.0.0", address=other)]), before)
    assert after.claims is before.claims
    assert after.ways is before.ways
