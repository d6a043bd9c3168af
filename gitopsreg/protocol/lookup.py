"""From what a client wrote in a path to a package or version of the snapshot. Decides who is seen, renders nothing.

Names are matched in lower case, also by a namespace's aliases; versions as clients normalise them.
"""

import re
from collections.abc import Iterator
from typing import TypeVar

from gitopsreg.errors import Blocked, InvalidName, NotPublished
from gitopsreg.index.model import (
    ModulePackage,
    ModuleVersion,
    Package,
    ProviderBuild,
    ProviderPackage,
    ProviderVersion,
    PublishedVersion,
    Snapshot,
)
from gitopsreg.model.address import PackageAddress, Platform, parse_address

V = TypeVar("V", bound=PublishedVersion)

# As both clients read versions: an optional "v", one to three numbers, leading zeros allowed.
_LENIENT = re.compile(r"[vV]?([0-9]{1,19})(?:\.([0-9]{1,19}))?(?:\.([0-9]{1,19}))?([-+][0-9A-Za-z.+-]{1,200})?")


def normalised(text: str) -> str:
    """`v1`, `1.0` and `1.0.0` are all 1.0.0; raises InvalidName for what no client reads as a version."""
    match = _LENIENT.fullmatch(text)
    if match is None:
        raise InvalidName(f'"{text[:80]}" is not a version: write MAJOR.MINOR.PATCH, like "1.2.0"')
    numbers = (str(int(number or 0)) for number in match.groups()[:3])
    return ".".join(numbers) + (match[4] or "")


def module(snapshot: Snapshot, namespace: str, name: str, system: str) -> ModulePackage:
    """Raises NotPublished."""
    package = _package(snapshot, "module", f"{namespace}/{name}/{system}")
    if not isinstance(package, ModulePackage):
        raise NotPublished(f'no module "{namespace}/{name}/{system}" is published here')
    return package


def provider(snapshot: Snapshot, namespace: str, type_: str) -> ProviderPackage:
    """Raises NotPublished."""
    package = _package(snapshot, "provider", f"{namespace}/{type_}")
    if not isinstance(package, ProviderPackage):
        raise NotPublished(f'no provider "{namespace}/{type_}" is published here')
    return package


def _package(snapshot: Snapshot, kind: str, path: str) -> Package | None:
    address = address_of(snapshot, kind, path)
    return None if address is None else snapshot.packages.get(address)


def address_of(snapshot: Snapshot, kind: str, path: str) -> PackageAddress | None:
    """The address of the package that is meant, None where there is none; nothing is decoded."""
    namespace, _, rest = path.lower().partition("/")
    for candidate in _namespaces(snapshot, namespace):
        try:
            address = parse_address(f"{kind}:{candidate}/{rest}")
        except InvalidName:
            return None
        if address in snapshot.packages:
            return address
    return None


def _namespaces(snapshot: Snapshot, name: str) -> Iterator[str]:
    """The namespace itself, then those that once had this name."""
    yield name
    for namespace in snapshot.root.namespaces:
        if name in namespace.aliases:
            yield namespace.name


def listed_module_versions(package: ModulePackage) -> tuple[ModuleVersion, ...]:
    """Newest first; raises NotPublished for an archived module."""
    return _listed(package, package.versions)


def listed_provider_versions(package: ProviderPackage) -> tuple[ProviderVersion, ...]:
    """Newest first; raises NotPublished for an archived provider."""
    return _listed(package, package.versions)


def _listed(package: Package, versions: tuple[V, ...]) -> tuple[V, ...]:
    if package.archived is not None:
        raise NotPublished(
            f'{package.address.kind} "{package.address.path}" is archived: its versions are no longer listed, '
            "their exact downloads still answer"
        )
    return tuple(version for version in reversed(versions) if version.listing == "listed")


def module_version(package: ModulePackage, text: str) -> ModuleVersion:
    """The version to download, listed or not; raises NotPublished, or Blocked with the reason."""
    return _downloadable(package, package.versions, text)


def provider_version(package: ProviderPackage, text: str) -> ProviderVersion:
    """The version to download, listed or not; raises NotPublished, or Blocked with the reason."""
    return _downloadable(package, package.versions, text)


def _downloadable(package: Package, versions: tuple[V, ...], text: str) -> V:
    what = f'{package.address.kind} "{package.address.path}"'
    try:
        wanted = normalised(text)
    except InvalidName as error:
        raise NotPublished(f"{what} has no such version: {error}") from error
    version = next((version for version in versions if version.version.text == wanted), None)
    if version is None:
        raise NotPublished(f'{what} has no version "{wanted}"')
    if version.discarded is not None:
        raise Blocked(
            f'{what} version "{wanted}" was discarded on {version.discarded[:10]}: its bytes are gone for good'
        )
    if not version.downloadable:
        raise Blocked(f'{what} version "{wanted}" is blocked: {version.blocked or "no reason is given"}')
    return version


def provider_build(package: ProviderPackage, version: ProviderVersion, os: str, arch: str) -> ProviderBuild:
    """The zip of one platform, which must be written exactly: clients compare the answer with what they asked for."""
    try:
        build = version.build(Platform(os, arch))
    except InvalidName:
        build = None
    if build is None:
        platforms = ", ".join(str(build.platform) for build in version.builds)
        raise NotPublished(
            f'provider "{package.address.path}" version "{version.version}" has no build for "{os}_{arch}": '
            f"there are {platforms}"
        )
    return build
