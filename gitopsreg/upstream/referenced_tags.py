"""Module versions from the tags of any Git repository, published by reference: clients fetch the commit themselves.
Nothing is fetched here.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from gitopsreg.errors import IntegrityError, UpstreamError, quoted
from gitopsreg.index.model import ModuleVersion, Origin, Remote
from gitopsreg.model.declaration import GitSource, ModuleDeclaration
from gitopsreg.transport.location import Location
from gitopsreg.transport.remotes import Remotes
from gitopsreg.upstream.base import Discovery, Found, Release
from gitopsreg.upstream.git_tags import tags_of


class ReferencedTags:
    """`time` (RFC 3339) is when versions are first seen: a look at the refs does not tell how old a commit is."""

    def __init__(self, declaration: ModuleDeclaration, source: GitSource, remotes: Remotes, time: str) -> None:
        self._declaration = declaration
        self._source = source
        self._remotes = remotes
        self._time = time

    def discover(self) -> Discovery:
        return tags_of(self._source, self._remotes, timeout=self._declaration.timeout)

    def releases(self, wanted: Sequence[Found]) -> Iterator[tuple[Found, Release | UpstreamError]]:
        folder = self._source.path
        if "?" in folder or "#" in folder or not folder.isprintable():
            message = f"no address of a module can name the folder {quoted(folder)}: rename it, without ? and #"
            raise IntegrityError(message, reason="UnsafeArchive")
        for found in wanted:
            yield found, Release(record=self._record(found), payloads=())

    def _record(self, found: Found) -> ModuleVersion:
        source = self._source
        # Which tree it is nobody knows who has not fetched it: the commit stands for it.
        origin = Origin(url=source.url, ref=found.ref, commit=found.commit, tree=found.commit, path=source.path)
        archive = Remote(git_address(source.url, source.path, found.commit))
        return ModuleVersion(version=found.version, published=self._time, origin=origin, archive=archive)


def git_address(url: str, path: str, ref: str) -> str:
    """What go-getter calls a folder of a repository at a ref (https://github.com/hashicorp/go-getter#git-git).

    Clients take the folder as it stands, and unescape nothing in it.
    """
    inside = f"//{path.strip('/')}" if path.strip("/") else ""
    return f"git::{_with_scheme(url)}{inside}?ref={quote(ref, safe='')}"


def _with_scheme(url: str) -> str:
    """`user@host:path` and folders as URLs: behind `git::` only those are read the same everywhere."""
    if "://" in url:
        return url
    location = Location.parse(url)
    if location.is_local:
        return f"file://{Path(location.path).absolute()}"
    where, _, path = url.partition(":")
    return f"ssh://{where}/{path.lstrip('/')}"
