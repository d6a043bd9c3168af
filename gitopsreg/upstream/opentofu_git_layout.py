"""What lies where in one state of a repository laid out like opentofu/registry: packages and keys by name, with their
blob ids. Reads trees, and no file.

`modules/<c>/<namespace>/<name>/<system>.json`, `providers/<c>/<namespace>/<type>.json`, `keys/<c>/<namespace>/<file>`
and `keys/<c>/<namespace>/<type>/<file>`, where `<c>` is the first letter of the namespace.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gitopsreg.errors import IntegrityError, InvalidName, quoted
from gitopsreg.model.address import ModuleAddress, PackageAddress, ProviderAddress
from gitopsreg.transport.tree import TreeEntry
from gitopsreg.upstream.base import Skipped

_TOPS = ("keys", "modules", "providers")
_MOST_KEYS = 100
_DEEPEST = 8
_MOST_SKIPPED = 1_000
# Providers that HashiCorp releases are built again by OpenTofu, which signs them with its own keys.
_SIGNED_BY = {"hashicorp": "opentofu"}


class Trees(Protocol):
    """What a layout is drawn from: transport.git.Repository, or folders on a disk in the place of trees."""

    def subtree(self, tree: str, path: str) -> str | None: ...

    def folders(self, tree: str) -> dict[str, str]: ...

    def walk(self, tree: str, *, depth: int = 32) -> Iterator[TreeEntry]: ...


@dataclass(frozen=True, slots=True)
class File:
    """A path and its blob."""

    path: str
    oid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One package's file; `written` is the address as its path writes it (`Azure/aks/azurerm`)."""

    address: PackageAddress
    written: str
    file: File


@dataclass(frozen=True, slots=True)
class Folder:
    """What one namespace has in one of the three places. `keys` are by provider type, "" for the whole namespace."""

    entries: tuple[Entry, ...] = ()
    keys: Mapping[str, tuple[File, ...]] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()


class Layout:
    """All packages of one state. Of names that differ only in letter case the one in lower case is what the address
    means, or else the first in order; the others are skipped, and still found by who writes them exactly so.
    """

    def __init__(self, folders: Mapping[str, Folder]) -> None:
        """`folders` are by path (`modules/A/Azure`), in order."""
        self.folders = folders
        self.entries: dict[PackageAddress, Entry] = {}
        self.skipped: list[Skipped] = []
        self._written: dict[tuple[str, str], Entry] = {}
        self._keys: dict[str, Folder] = {}
        for path, folder in folders.items():
            if folder.keys:
                namespace = path.rpartition("/")[2]
                self._keys.setdefault(namespace.lower(), folder)
                self._keys[namespace] = folder
            self.skipped += folder.skipped
            for entry in folder.entries:
                self._add(entry)
        del self.skipped[_MOST_SKIPPED:]

    def entry(self, address: PackageAddress, written: str) -> Entry | None:
        """The file of a package that is called `written` there ("": as its address, whatever the letters)."""
        if not written:
            return self.entries.get(address)
        try:
            folded = _address(address.kind, written.lower())
        except InvalidName:
            return None
        return self._written.get((address.kind, written)) or self.entries.get(folded)

    def keys(self, entry: Entry) -> tuple[File, ...]:
        """Those that may have signed a provider: of its namespace, then its own. Modules have none."""
        if entry.address.kind == "module":
            return ()
        namespace, _, type_ = entry.written.partition("/")
        signer = _SIGNED_BY.get(namespace.lower(), namespace)
        folder = self._keys.get(signer) or self._keys.get(signer.lower())
        return (*folder.keys.get("", ()), *folder.keys.get(type_.lower(), ())) if folder else ()

    def _add(self, entry: Entry) -> None:
        self._written[entry.address.kind, entry.written] = entry
        other = self.entries.get(entry.address)
        if other is not None:
            entry, other = (entry, other) if entry.written == entry.address.path else (other, entry)
            reason = f"it differs only in letter case from {quoted(entry.written)}, which stays"
            self.skipped.append(Skipped(ref=other.file.path, reason=reason))
        self.entries[entry.address] = entry


def moved(before: Mapping[str, Folder], now: Mapping[str, Folder]) -> set[str]:
    """The namespaces, in lower case, that are not the same in both, or whose keys are not."""
    paths = {path for path, folder in now.items() if before.get(path) is not folder} | (before.keys() - now.keys())
    names = {path.rpartition("/")[2].lower() for path in paths}
    return names | {name for name, signer in _SIGNED_BY.items() if signer in names}


def _address(kind: str, path: str) -> PackageAddress:
    """Raises InvalidName."""
    return ModuleAddress.parse(path) if kind == "module" else ProviderAddress.parse(path)


class Surveyor:
    """Draws layouts, each for the price of what changed since the last one: folders are known by their trees."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Folder] = {}

    def layout(self, repository: Trees, tree: str) -> Layout:
        """Raises UpstreamUnavailable (`NotFound`), IntegrityError for a tree that no Git would write."""
        seen: dict[tuple[str, str], Folder] = {}
        for place in _TOPS:
            for path, oid in _namespaces(repository, repository.subtree(tree, place), place):
                seen[path, oid] = self._known.get((path, oid)) or _folder(repository, place, path, oid)
        self._known = seen
        return Layout({path: folder for (path, _), folder in seen.items()})


def _namespaces(repository: Trees, tree: str | None, place: str) -> Iterator[tuple[str, str]]:
    """(path, tree) of each namespace's folder; one that does not lie below its first letter is nobody's."""
    for letter, letter_tree in repository.folders(tree).items() if tree else ():
        for name, oid in repository.folders(letter_tree).items():
            if name[:1].lower() == letter.lower():
                yield f"{place}/{letter}/{name}", oid


def _folder(repository: Trees, place: str, path: str, tree: str) -> Folder:
    try:
        files = [file for file in repository.walk(tree, depth=_DEEPEST) if file.mode in {"file", "executable"}]
    except IntegrityError as error:  # one namespace that no Git would write costs one namespace
        return Folder(skipped=(Skipped(ref=path, reason=str(error)),))
    if place == "keys":
        return Folder(keys=_keys(path, files))
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    for file in files:
        try:
            if file.path.endswith(".json"):
                entries.append(_entry(place, path, file))
        except InvalidName as error:
            skipped.append(Skipped(ref=f"{path}/{file.path}", reason=str(error)))
    return Folder(entries=tuple(entries), skipped=tuple(skipped[:_MOST_SKIPPED]))


def _entry(place: str, path: str, file: TreeEntry) -> Entry:
    """Raises InvalidName."""
    written = f"{path.rpartition('/')[2]}/{file.path.removesuffix('.json')}"
    if not written.isascii():  # some letters become others in lower case
        raise InvalidName(f"{quoted(written)} holds letters that no address has")
    address = _address("module" if place == "modules" else "provider", written.lower())
    return Entry(address=address, written=written, file=File(f"{path}/{file.path}", file.oid))


def _keys(path: str, files: Iterable[TreeEntry]) -> dict[str, tuple[File, ...]]:
    """By provider type in lower case, each in the order of names; what lies deeper is nobody's."""
    found: dict[str, tuple[File, ...]] = {}
    for file in files:
        type_ = file.path.rpartition("/")[0].lower()
        if "/" not in type_:
            found[type_] = (*found.get(type_, ()), File(f"{path}/{file.path}", file.oid))[:_MOST_KEYS]
    return found
