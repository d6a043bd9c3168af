"""Hypothesis strategies for the model and the index: legal values only."""

from typing import TypeVar

from hypothesis import strategies as st

from gitopsreg.index.lease import Holder, LeaseRecord
from gitopsreg.index.model import (
    Blob,
    Entry,
    Listing,
    ModulePackage,
    ModuleVersion,
    Namespace,
    Origin,
    Package,
    ProviderBuild,
    ProviderPackage,
    ProviderVersion,
    PublicKey,
    Root,
)
from gitopsreg.index.pointer import Hold, Pointer
from gitopsreg.index.repository import Content
from gitopsreg.index.status import PackageStatus, VersionFailure
from gitopsreg.index.statuses import PackageStatuses, RegistryStatus
from gitopsreg.model.address import ModuleAddress, PackageAddress, Platform, ProviderAddress
from gitopsreg.model.condition import Condition
from gitopsreg.model.declaration import Deprecation
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version

_T = TypeVar("_T")

# Values are drawn from small pools where their spread doesn't matter: quick, and two draws often have some in common.
_odd = [
    "",
    "plain",
    "with space",
    'quote " and \\',
    "line\nbreak",
    "\x00\x1f\x7f",
    "Grüße 日本 🎉",
    "\u2028",
    "null",
    "x" * 300,
]
_any = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)  # lone surrogates are no JSON
texts = st.sampled_from(_odd) | _any
times = st.sampled_from(
    ["2026-01-01T00:00:00Z", "2026-10-01T12:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
maybe_texts = st.none() | texts

segments = st.sampled_from(["a", "0", "vpc", "a-b", "a_b", "a--b", "x" * 63]) | st.text("ab0", min_size=1, max_size=3)
systems = st.sampled_from(["aws", "0", "azurerm", "x" * 30]) | st.text("ab0", min_size=1, max_size=2)
provider_parts = st.sampled_from(["a", "0", "hello", "a-b-c", "x" * 63]) | st.text("ab0", min_size=1, max_size=3)

module_addresses = st.builds(ModuleAddress, segments, segments, systems)
provider_addresses = st.builds(ProviderAddress, provider_parts, provider_parts)
addresses: st.SearchStrategy[PackageAddress] = module_addresses | provider_addresses
platforms = st.builds(Platform, systems, systems)

_numbers = st.integers(0, 30).map(str)
_cores = st.tuples(_numbers, _numbers, _numbers).map(".".join)
_labels = st.lists(st.sampled_from(["0", "1", "11", "alpha", "beta", "rc-1", "x"]), min_size=1, max_size=3).map(
    ".".join
)
_tails = st.just("") | _labels.map("-{}".format) | _labels.map("+{}".format)
version_texts = st.tuples(_cores, _tails).map("".join)
versions = version_texts.map(Version.parse)

digests = st.integers(0, 500).map(lambda number: Sha256.of(b"%d" % number))
blobs = st.builds(Blob, digests, st.integers(0, 2**40))
_commits = digests.map(lambda digest: digest.hex[:40])
origins = st.builds(Origin, url=texts, ref=texts, commit=_commits, tree=_commits, path=texts)
_listings: st.SearchStrategy[Listing] = st.sampled_from(["listed", "hidden", "archived", "blocked"])

module_versions = st.builds(
    ModuleVersion,
    version=versions,
    published=times,
    origin=origins,
    listing=_listings,
    yanked=maybe_texts,
    blocked=maybe_texts,
    archive=blobs,
    archive_format=st.sampled_from(["tar.gz", "zip"]),
    subdirectory=texts,
)
_builds = st.builds(ProviderBuild, platform=platforms, filename=texts, zip=blobs, h1=texts)
_keys = st.builds(PublicKey, key_id=texts, armor=texts)


def _tuples(items: st.SearchStrategy[_T], most: int = 3) -> st.SearchStrategy[tuple[_T, ...]]:
    return st.lists(items, max_size=most).map(tuple)


provider_versions = st.builds(
    ProviderVersion,
    version=versions,
    published=times,
    origin=origins,
    listing=_listings,
    yanked=maybe_texts,
    blocked=maybe_texts,
    protocols=_tuples(st.sampled_from(["4.0", "5.0", "5.1", "6.0"])),
    builds=_tuples(_builds),
    checksums=blobs,
    checksums_filename=texts,
    signature=blobs,
    keys=_tuples(_keys),
)
_deprecations = st.none() | st.builds(Deprecation, message=texts, replacement=maybe_texts, since=maybe_texts)


def module_packages(
    address: st.SearchStrategy[ModuleAddress] = module_addresses,
) -> st.SearchStrategy[ModulePackage]:
    return st.builds(
        ModulePackage,
        address=address,
        versions=_sorted_versions(module_versions),
        source=texts,
        description=texts,
        deprecation=_deprecations,
        archived=st.none() | times,
    )


def provider_packages(
    address: st.SearchStrategy[ProviderAddress] = provider_addresses,
) -> st.SearchStrategy[ProviderPackage]:
    return st.builds(
        ProviderPackage,
        address=address,
        versions=_sorted_versions(provider_versions),
        source=texts,
        description=texts,
        deprecation=_deprecations,
        archived=st.none() | times,
    )


_V = TypeVar("_V", ModuleVersion, ProviderVersion)


def _sorted_versions(items: st.SearchStrategy[_V]) -> st.SearchStrategy[tuple[_V, ...]]:
    unique = st.lists(items, max_size=3, unique_by=lambda item: item.version)
    return unique.map(lambda each: tuple(sorted(each, key=lambda item: item.version)))


packages: st.SearchStrategy[Package] = module_packages() | provider_packages()
namespaces = st.builds(Namespace, name=segments, display_name=texts, aliases=_tuples(segments))


def _contents(found: list[Package], **fields: object) -> Content:
    return Content(packages={package.address: package for package in found}, **fields)  # type: ignore[arg-type]


contents = st.builds(
    _contents,
    st.lists(packages, max_size=4, unique_by=lambda package: package.address),
    revision=texts,
    time=times,
    hostname=maybe_texts,
    namespaces=st.lists(namespaces, max_size=3, unique_by=lambda namespace: namespace.name).map(tuple),
)

entries = st.builds(
    Entry,
    address=addresses,
    digest=digests,
    description=texts,
    latest=st.none() | version_texts,
    archived=st.booleans(),
)
shard_entries = _tuples(entries)
_hex = "0123456789abcdef"
prefixes = st.integers(0, 2).flatmap(
    lambda digits: st.sets(st.text(_hex, min_size=digits, max_size=digits), max_size=6).map(
        lambda found: tuple(sorted(found))
    )
)
roots = st.builds(
    Root,
    revision=texts,
    time=times,
    packages=st.integers(0, 30_000),
    shards=prefixes.flatmap(lambda found: st.tuples(*(st.tuples(st.just(prefix), digests) for prefix in found))),
    hostname=maybe_texts,
    namespaces=_tuples(namespaces),
    previous=st.none() | digests,
)

conditions = st.builds(
    Condition,
    type=st.sampled_from(["Ready", "Stalled", "FetchFailed", "UpstreamMutated", "Published"]),
    status=st.sampled_from(["True", "False", "Unknown"]),
    reason=texts,
    message=texts,
)
_counts = st.integers(0, 1000)
_failures = st.builds(
    VersionFailure, version=version_texts, reason=texts, message=texts, attempts=_counts, next_retry=times
)
package_statuses = st.builds(
    PackageStatus,
    address=addresses,
    path=texts,
    conditions=_tuples(conditions),
    listed=_tuples(version_texts),
    marks=_tuples(st.tuples(version_texts, texts)),
    revision=texts,
    last_attempt=texts,
    next_attempt=texts,
    attempts=_counts,
    failures=_tuples(_failures),
    skipped=_tuples(st.tuples(texts, texts)),
    skip_key=texts,
)
# Packages as the store hands them back: each address once, in the order of the addresses' text.
registry_statuses = st.builds(
    RegistryStatus,
    conditions=_tuples(conditions),
    attempted_revision=texts,
    applied_revision=texts,
    snapshot=texts,
    last_attempt=texts,
    next_attempt=texts,
    blocked_plan=texts,
    idle=_tuples(st.tuples(texts, texts)),
    packages=st.lists(package_statuses, max_size=5, unique_by=lambda status: status.address).map(PackageStatuses.of),
)
_holds = st.builds(Hold, since=texts, by=texts, reason=texts, until=texts)
pointers = st.builds(
    Pointer,
    root=digests,
    revision=texts,
    epoch=st.integers(0, 2**63),
    fence=_counts,
    ledger=st.none() | digests,
    hold=st.none() | _holds,
)
_holders = st.builds(Holder, host=texts, pid=_counts, id=texts, boot=texts, started=texts)
lease_records = st.builds(
    LeaseRecord,
    epoch=_counts,
    duration=_counts,
    holder=st.none() | _holders,
    acquired=texts,
    renewed=texts,
    renewals=_counts,
)
