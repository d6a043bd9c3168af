"""Which shard a package lies in, and how its shard lists it. Pure: the same packages always make the same shards."""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Literal, TypeVar

from gitopsreg.index.contents import contents_of
from gitopsreg.index.model import Blob, Entry, Package
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.digest import Sha256

_Item = TypeVar("_Item")
_MOST_DIGITS = 2


def digits_for(packages: int) -> int:
    """How many hex digits tell the shards of a registry of this size apart: a shard stays near 1,000 or fewer."""
    if packages <= 1_000:
        return 0
    return 1 if packages <= 16_000 else 2


def prefix_of(address: PackageAddress, digits: int) -> str:
    return _digest(address)[:digits] if digits else ""


@lru_cache(1 << 18)  # every run asks it of every package
def _digest(address: PackageAddress) -> str:
    return sha256(str(address).encode()).hexdigest()[:_MOST_DIGITS]


def sharded(items: Iterable[tuple[PackageAddress, _Item]], digits: int) -> dict[str, tuple[_Item, ...]]:
    """Items by prefix: prefixes in order, items in the order of their addresses' text."""
    shards: dict[str, list[_Item]] = {}
    for address, item in sorted(items, key=lambda pair: str(pair[0])):
        shards.setdefault(prefix_of(address, digits), []).append(item)
    return {prefix: tuple(shards[prefix]) for prefix in sorted(shards)}


def entry_of(package: Package, digest: Sha256) -> Entry:
    """`latest` is the newest listed version, a pre-release only if there is nothing else."""
    listed = [each.version for each in package.versions if each.listing == "listed"]
    latest = max(listed, key=lambda version: (not version.is_prerelease, version), default=None)
    return Entry(
        address=package.address,
        digest=digest,
        description=package.description,
        latest=None if latest is None else latest.text,
        archived=package.archived is not None,
        stored=_stored(package),
    )


def _stored(package: Package) -> Literal["nothing", "plainly", "otherwise"]:
    if not any(isinstance(content, Blob) for version in package.versions for content in contents_of(version)):
        return "nothing"
    own = all(version.shelf is None and version.downloadable for version in package.versions)
    return "plainly" if own and package.delivery is None else "otherwise"
