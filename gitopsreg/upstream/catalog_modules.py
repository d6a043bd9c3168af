"""Module versions from folders of the catalog commit itself, one a pin: works without any network."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gitopsreg.errors import IntegrityError, UpstreamError, UpstreamUnavailable
from gitopsreg.model.declaration import CatalogSource, ModuleDeclaration
from gitopsreg.model.digest import Sha256
from gitopsreg.transport.git import Commit, Repository
from gitopsreg.upstream.base import Discovery, Found, Release
from gitopsreg.upstream.module_release import module_release


class CatalogModules:
    """`root` is the tree of the catalog root, where the paths of pins begin.

    A folder must be complete in itself: a link or a module call that leaves it is refused, so that a version's bytes
    depend on its folder alone.
    """

    def __init__(self, declaration: ModuleDeclaration, repository: Repository, commit: Commit, root: str) -> None:
        self._declaration = declaration
        self._repository = repository
        self._commit = commit
        self._root = root
        source = declaration.source
        self._subdirectory = source.path.strip("/") if isinstance(source, CatalogSource) else ""

    def discover(self) -> Discovery:
        """A pin whose folder is missing is found too, with no tree: releasing it tells what is wrong."""
        found = tuple(
            Found(
                version=pin.version,
                ref=pin.path,
                commit=self._commit.oid,
                tree=self._repository.subtree(self._root, pin.path.strip("/")) or "",
            )
            for pin in sorted(self._declaration.versions.pins, key=lambda pin: pin.version)
            if pin.path is not None
        )
        state = Sha256.of("".join(f"{one.version} {one.tree}\n" for one in found).encode())
        return Discovery(found=found, skipped=(), state=state)

    def releases(self, wanted: Sequence[Found]) -> Iterator[tuple[Found, Release | UpstreamError]]:
        for found in wanted:
            yield found, self._release(found)

    def _release(self, found: Found) -> Release | UpstreamError:
        if not found.tree:
            return IntegrityError(f'the catalog has no folder "{found.ref}"', reason="IncompleteRelease")
        try:
            release = module_release(
                self._repository,
                self._commit,
                version=found.version,
                url="catalog",
                ref=found.ref,
                tree=found.tree,
                path=found.ref,
                subdirectory=self._subdirectory,
                archive_format=self._declaration.archive_format,
            )
            # The pinned folder as a whole is what must never change, also where less of it was packed.
            origin = replace(release.record.origin, tree=found.tree)
            return replace(release, record=replace(release.record, origin=origin))
        except IntegrityError as error:
            return IntegrityError(f'folder "{found.ref}": {error}', reason=error.reason)
        except UpstreamUnavailable as error:
            return UpstreamUnavailable(f'folder "{found.ref}": {error}', reason=error.reason)
