"""One module's file: `{"versions": [{"version": "v1.0.0", "commit": "…"}]}`, where versions are tags and commits are
recorded since 2026. Fetches nothing.
"""

from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote

from gitopsreg.index.model import ModuleVersion, Origin, Remote
from gitopsreg.upstream.opentofu_git_layout import Entry
from gitopsreg.upstream.opentofu_git_listing import Listed, Listing, Source, collect
from gitopsreg.upstream.opentofu_git_reading import (
    commit_in,
    document,
    facts_digest,
    module_version_of,
    text,
    versions_in,
)

FORGE = "https://github.com"


def module_url(entry: Entry, forge: str) -> str:
    """The repository of a module: where it is follows from its name."""
    namespace, name, system = entry.written.split("/")
    return f"{forge}/{namespace}/terraform-{system}-{name}"


def read_module(data: bytes, entry: Entry, source: Source, *, forge: str = FORGE) -> Listing:
    """Raises IntegrityError for a file that is no such list; a version that can't be served is skipped."""
    path = entry.file.path
    versions = versions_in(document(data, path), path)
    listed, skipped = collect(versions, partial(_listed, url=module_url(entry, forge), source=source))
    return Listing(listed=listed, skipped=tuple(skipped))


def _listed(read: dict[str, Any], url: str, source: Source) -> Listed:
    """Raises InvalidName. A commit that nobody recorded is "": the registry's own would be another repository's."""
    tag = text(read, "version")
    version, commit = module_version_of(tag), commit_in(read)
    origin = Origin(url=url, ref=tag, commit=commit, tree=facts_digest((url, tag, commit)))
    archive = Remote(f"git::{url}?ref={commit or _in_query(tag)}")
    return Listed(tag=tag, record=ModuleVersion(version=version, published=source.time, origin=origin, archive=archive))


@lru_cache(2**16)
def _in_query(tag: str) -> str:
    """Clients read a plus in a query as a space."""
    return quote(tag, safe="")
