"""A module version, packed and ready to publish: what tags and catalog folders have in common."""

from typing import Literal

from gitopsreg.index.model import Blob, ModuleVersion, Origin
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.transport.git import Commit, Repository
from gitopsreg.upstream.archive import pack
from gitopsreg.upstream.base import Payload, Release


def module_release(
    repository: Repository,
    commit: Commit,
    *,
    version: Version,
    url: str,
    ref: str,
    tree: str,
    path: str,
    subdirectory: str,
    archive_format: Literal["tar.gz", "zip"],
) -> Release:
    """The module at `subdirectory` of `tree`; `url`, `ref` and `path` say where it came from.

    The record's tree is the one that was packed. Raises IntegrityError, and UpstreamUnavailable when objects are
    missing.
    """
    packed = pack(repository, tree, subdirectory=subdirectory, archive_format=archive_format)
    archive = Blob(Sha256.of(packed.data), len(packed.data))
    record = ModuleVersion(
        version=version,
        published=commit.time,
        origin=Origin(url=url, ref=ref, commit=commit.oid, tree=packed.tree, path=path),
        archive=archive,
        archive_format=archive_format,
        subdirectory=packed.subdirectory,
    )
    return Release(record=record, payloads=(Payload(blob=archive, open=lambda: iter((packed.data,))),))
