"""The catalog's files before they are understood: what a Git tree or a directory hands to the loader."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

# Where declarations live below the catalog root; everything else there is somebody else's (README, content, CI).
DECLARED = (
    "registry.yaml",
    "registry.yml",
    "connections",
    "storage",
    "policies",
    "mirrors",
    "alerts",
    "namespaces",
)

# What all declarations may come to: they are parsed and kept in memory. A repository of a few kilobytes can name one
# large file thousands of times.
MAX_TOTAL = 64 * 1024 * 1024
# Four times the public registry of OpenTofu, with its namespaces and keys.
MOST_FILES = 150_000
# A longer file is refused unread, and folders below so many others are not looked into.
LARGEST_FILE = 256 * 1024
DEEPEST = 32

FileMode = Literal["file", "symlink", "submodule", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogFile:
    """One file below DECLARED. `path` is relative to the catalog root, `/`-separated; `oid` names the content."""

    path: str
    mode: FileMode
    size: int
    oid: str
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogFiles:
    """One state of the catalog. `revision` and `time` as in model.declaration.Catalog; `root` is how findings name the
    catalog root ("" or "example-catalog/"); `has_folder` answers for content folders (pins with a `path`).
    """

    revision: str
    time: str
    root: str
    files: tuple[CatalogFile, ...]
    has_folder: Callable[[str], bool]
