"""Providers whose release files lie in the catalog itself: one folder a version, named by the pins. No network."""

from collections.abc import Iterator, Sequence

from gitopsreg.errors import IntegrityError, UpstreamError
from gitopsreg.index.model import Origin, ProviderVersion
from gitopsreg.model.declaration import Pin, ProviderDeclaration
from gitopsreg.model.digest import Sha256
from gitopsreg.transport.git import Commit, Repository
from gitopsreg.transport.tree import TreeEntry
from gitopsreg.upstream.base import Discovery, Found, Release, Skipped
from gitopsreg.upstream.provider_release import ReleaseFile, VerifiedRelease, verify

# A build for every platform there is, checksums, manifest and signatures come to a few dozen.
_MOST_FILES = 1_000


class CatalogProviders:
    """`root` is the tree of the catalog root inside `commit`. Used by one thread at a time, as the repository is."""

    def __init__(self, declaration: ProviderDeclaration, repository: Repository, commit: Commit, root: str) -> None:
        self._declaration = declaration
        self._repository = repository
        self._commit = commit
        self._root = root

    def discover(self) -> Discovery:
        """A pin whose folder is missing is found too, with no tree: releasing it tells what is wrong."""
        pins = sorted(self._declaration.versions.pins, key=lambda pin: pin.version)
        items = [self._find(pin) for pin in pins]
        found = tuple(item for item in items if isinstance(item, Found))
        skipped = tuple(item for item in items if isinstance(item, Skipped))
        return Discovery(found=found, skipped=skipped, state=_state(found, skipped))

    def releases(self, wanted: Sequence[Found]) -> Iterator[tuple[Found, Release | UpstreamError]]:
        for found in wanted:
            try:
                verified = verify(self._declaration, found.version, self._files(found))
            except UpstreamError as error:
                yield found, error
                continue
            with verified:
                yield found, Release(record=self._record(found, verified), payloads=verified.payloads)

    def _find(self, pin: Pin) -> Found | Skipped:
        if pin.path is None:
            return Skipped(ref=pin.version.text, reason="the pin names no path: give the folder of its release files")
        tree = self._repository.subtree(self._root, pin.path.strip("/")) or ""
        return Found(version=pin.version, ref=pin.path, commit=self._commit.oid, tree=tree)

    def _files(self, found: Found) -> dict[str, ReleaseFile]:
        """The folder's own files; what lies deeper, and links, are not part of a release."""
        if not found.tree:
            raise IntegrityError(f'the catalog has no folder "{found.ref}"', reason="IncompleteRelease")
        entries = self._repository.files(found.tree, most=_MOST_FILES)
        return {entry.path: self._file(entry) for entry in entries}

    def _file(self, entry: TreeEntry) -> ReleaseFile:
        return ReleaseFile(
            name=entry.path,
            size=self._repository.size(entry.oid),
            open=lambda: self._repository.chunks(entry.oid),
        )

    def _record(self, found: Found, verified: VerifiedRelease) -> ProviderVersion:
        return ProviderVersion(
            version=found.version,
            published=self._commit.time,
            origin=Origin(url="catalog", ref=found.ref, commit=found.commit, tree=found.tree, path=found.ref),
            protocols=verified.protocols,
            builds=verified.builds,
            checksums=verified.checksums,
            checksums_filename=verified.checksums_filename,
            signature=verified.signature,
            keys=verified.keys,
        )


def _state(found: Sequence[Found], skipped: Sequence[Skipped]) -> Sha256:
    lines = [f"{item.version} {item.tree}" for item in found] + [f"- {item.ref}" for item in skipped]
    return Sha256.of("\n".join(lines).encode())
