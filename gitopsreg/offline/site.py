"""Every file of a static registry, by path: the answers that a server would give, under links that never change.

Pure: a snapshot in, paths and bytes out. The documents are rendered by the same functions as the server's. A module's
archive lies beside its download document, a provider's files beside its versions, and the zips once more in the
mirror's tree, so that the tree is a `filesystem_mirror` too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

from gitopsreg.errors import NotPublished
from gitopsreg.index.contents import Place
from gitopsreg.index.keys import blob_key
from gitopsreg.index.model import (
    Blob,
    Content,
    ModulePackage,
    ModuleVersion,
    Package,
    ProviderPackage,
    ProviderVersion,
    PublishedVersion,
    Snapshot,
)
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.digest import Sha256
from gitopsreg.protocol import discovery, lookup, mirror, modules, providers
from gitopsreg.protocol.document import Document, encode
from gitopsreg.protocol.links import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A rendered document; `path` as a client asks for it, with the slash in front."""

    path: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Stored bytes; equal blobs at several paths are one file on disk where the file system can."""

    path: str
    place: Place
    blob: Blob


class Site:
    """One snapshot at one address, `https://HOST[:PORT]`."""

    def __init__(self, snapshot: Snapshot, public_url: str) -> None:
        self._snapshot = snapshot
        self._public_url = public_url
        own = (snapshot.root.hostname, urlsplit(public_url).netloc)
        self._hosts = tuple(dict.fromkeys(mirror.canonical_host(host) for host in own if host))
        self._aliases = {namespace.name: namespace.aliases for namespace in snapshot.root.namespaces}

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    @property
    def public_url(self) -> str:
        return self._public_url

    def copies(self) -> Iterator[Copy]:
        """All that documents link to."""
        for package in self._snapshot.packages.values():
            for version in package.versions:
                if version.downloadable:
                    yield from self._copies(package, version)

    def withdrawn(self) -> Iterator[str]:
        """The paths that versions had before they were blocked or discarded."""
        for package in self._snapshot.packages.values():
            for version in package.versions:
                if not version.downloadable:
                    before = replace(version, listing="listed", discarded=None)
                    yield from (copy.path for copy in self._copies(package, before))
                    yield from (page.path for page in self._version_pages(package, before))

    def pages(self) -> Iterator[Page]:
        """What is asked for by version first, then the lists that name it, then discovery."""
        packages = self._snapshot.packages.values()
        for package in packages:
            for version in package.versions:
                if version.downloadable:
                    yield from self._version_pages(package, version)
        for package in packages:
            if package.archived is None:
                yield from self._lists(package)
        yield _page(discovery.PATH, discovery.services())

    def locations(self) -> Iterator[tuple[str, str]]:
        """(path of a module's download, its X-Terraform-Get): what no plain file can say."""
        for package in self._snapshot.packages.values():
            if isinstance(package, ModulePackage):
                for version in package.versions:
                    yield from self._module_locations(package, version)

    def _copies(self, package: Package, version: PublishedVersion) -> Iterator[Copy]:
        backend = version.shelf.backend if version.shelf else ""

        for path, content in self._files(package, version):
            if isinstance(content, Blob):
                yield Copy(path=path, place=Place(backend, blob_key(content.sha256, version.shelf)), blob=content)

    def _files(self, package: Package, version: PublishedVersion) -> Iterator[tuple[str, Content]]:
        for name in self._names(package):
            if isinstance(version, ModuleVersion):
                yield _archive(name, version), version.archive
            elif isinstance(version, ProviderVersion) and _is_listed(package, version):
                for host in self._hosts:
                    for build in version.builds:
                        yield f"{discovery.MIRROR}{host}/{name}/{build.filename}", build.zip
        if isinstance(version, ProviderVersion):
            folder = _provider_folder(package, version)
            yield f"{folder}/{version.checksums_filename}", version.checksums
            yield f"{folder}/{version.checksums_filename}.sig", version.signature
            for build in version.builds:
                yield f"{folder}/{build.filename}", build.zip

    def _version_pages(self, package: Package, version: PublishedVersion) -> Iterator[Page]:
        if isinstance(package, ModulePackage) and isinstance(version, ModuleVersion):
            # OpenTofu reads the location from a body; Terraform from a header only.
            for path, location in self._module_locations(package, version):
                yield _page(path, {"location": location})
        elif isinstance(package, ProviderPackage) and isinstance(version, ProviderVersion):
            yield from self._downloads(package, version)
            yield from self._mirrored(package, version)

    def _module_locations(self, package: ModulePackage, version: ModuleVersion) -> Iterator[tuple[str, str]]:
        for name in self._names(package) if version.downloadable else ():
            link = _link_to(_archive(name, version))
            try:
                # Our links have no query of their own.
                location = modules.location(package, version, link, self._public_url)
            except NotPublished:  # the server says so too, of this one version
                continue
            yield f"{discovery.MODULES}{name}/{version.version}/download", location

    def _downloads(self, package: ProviderPackage, version: ProviderVersion) -> Iterator[Page]:
        link = _links_in(_provider_folder(package, version))
        for name in self._names(package):
            for build in version.builds:
                platform = f"{build.platform.os}/{build.platform.arch}"
                document = providers.download(version, build, link, self._public_url)
                yield _page(f"{discovery.PROVIDERS}{name}/{version.version}/download/{platform}", document)

    def _mirrored(self, package: ProviderPackage, version: ProviderVersion) -> Iterator[Page]:
        # A `filesystem_mirror` offers every zip that it finds: those of unlisted versions lie elsewhere.
        link = _beside if _is_listed(package, version) else _links_in(_provider_folder(package, version))
        for name in self._names(package):
            for host in self._hosts:
                yield _page(f"{discovery.MIRROR}{host}/{name}/{version.version}.json", mirror.archives(version, link))

    def _lists(self, package: Package) -> Iterator[Page]:
        for name in self._names(package):
            if isinstance(package, ModulePackage):
                yield _page(f"{discovery.MODULES}{name}/versions", modules.versions(package))
                continue
            yield _page(f"{discovery.PROVIDERS}{name}/versions", providers.versions(package))
            for host in self._hosts:
                yield _page(f"{discovery.MIRROR}{host}/{name}/index.json", mirror.listing(package))

    def _names(self, package: Package) -> Iterator[str]:
        """The package's own path, and those by which it is found through its namespace's aliases."""
        path = package.address.path
        yield path
        namespace, _, rest = path.partition("/")
        for alias in self._aliases.get(namespace, ()):
            if self._finds(package.address.kind, f"{alias}/{rest}") == package.address:
                yield f"{alias}/{rest}"

    def _finds(self, kind: str, path: str) -> PackageAddress | None:
        return lookup.address_of(self._snapshot, kind, path)


def _is_listed(package: Package, version: PublishedVersion) -> bool:
    return package.archived is None and version.listing == "listed"


def _archive(name: str, version: ModuleVersion) -> str:
    """The same name in every version's folder, so that one rule of a web server can name it."""
    return f"{discovery.MODULES}{name}/{version.version}/module.{version.archive_format}"


def _provider_folder(package: Package, version: ProviderVersion) -> str:
    return f"{discovery.PROVIDERS}{package.address.path}/{version.version}"


def _page(path: str, document: Document) -> Page:
    return Page(path=path, body=encode(document))


def _link_to(path: str) -> Link:
    return lambda _digest, _filename: _quoted(path)


def _links_in(folder: str) -> Link:
    return lambda _digest, filename: _quoted(f"{folder}/{filename}")


def _beside(_digest: Sha256, filename: str) -> str:
    return _quoted(filename)


def _quoted(path: str) -> str:
    """As in signed links: `+` stays `+`."""
    return quote(path, safe="/+~")
