"""The catalog's files before they are understood: what a Git tree or a directory hands to the loader."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
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


class Grouped(tuple[CatalogFile, ...]):  # noqa: SLOT001 - tuples have no room for slots
    """Files whose parts (see `parts_of`) are at hand, since who found them went through the folders."""

    parts: Mapping[str, tuple[CatalogFile, ...]]

    @classmethod
    def of(cls, parts: Mapping[str, tuple[CatalogFile, ...]]) -> "Grouped":
        made = cls(chain.from_iterable(parts.values()))
        made.parts = parts
        return made


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


def part_of(path: str) -> str:
    """The namespace whose folder a file lies in, in lower case (folders that differ in letter case clash); "" for what
    lies in none.
    """
    top, _, below = path.partition("/")
    name, inside, _ = below.partition("/")
    return name.lower() if top == "namespaces" and inside else ""


def parts_of(files: tuple[CatalogFile, ...]) -> Mapping[str, tuple[CatalogFile, ...]]:
    """The files by namespace. What lies in one folder hardly ever depends on what lies in another."""
    if isinstance(files, Grouped):
        return files.parts
    found: dict[str, list[CatalogFile]] = {}
    for file in files:
        found.setdefault(part_of(file.path), []).append(file)
    return {name: tuple(some) for name, some in found.items()}
