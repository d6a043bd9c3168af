"""All checked files of one catalog, by what they declare."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.operations import base_url
from gitopsreg.catalog.part import CheckedPart

_NOTHING = CheckedPart("", ())


@dataclass(frozen=True, eq=False)  # no slots: what is worked out is kept
class World:
    """`parts` are by name; the one called "" is what all others may lean on. `has_folder` answers for the catalog's own
    folders.
    """

    parts: Mapping[str, CheckedPart]
    has_folder: Callable[[str], bool]

    @property
    def top(self) -> CheckedPart:
        """What lies in no namespace."""
        return self.parts.get("", _NOTHING)

    @cached_property
    def registry(self) -> Checked | None:
        found = [one for one in self.top.checked if one.slot.kind == "Registry"]
        return next((one for one in found if one.path == "registry.yaml"), found[0] if found else None)

    @cached_property
    def namespaces(self) -> Mapping[str, Checked]:
        return {name: one for part in self.parts.values() for name, one in part.namespaces.items()}

    @cached_property
    def classes(self) -> Mapping[str, Checked]:
        return {one.slot.name: one for one in reversed(self._top("StorageClass"))}

    @cached_property
    def connections(self) -> Mapping[str, Checked]:
        return {one.slot.name: one for one in self._top("Connection")}

    @cached_property
    def base_urls(self) -> Mapping[str, str]:
        """Of connections, by name."""
        return {name: base_url(one.cursor / "spec") for name, one in self.connections.items()}

    @property
    def files(self) -> int:
        return sum(len(part.checked) for part in self.parts.values())

    def packages(self) -> Iterator[Checked]:
        return (one for part in self.parts.values() for one in part.packages)

    def package(self, is_module: bool, path: str) -> Checked | None:
        """The last of the files that declare this package (`namespace/name/system`, `namespace/type`)."""
        part = self.parts.get(path.partition("/")[0])
        return part.by_name.get((is_module, path)) if part else None

    def _top(self, kind: str) -> list[Checked]:
        return [one for one in self.top.checked if one.slot.kind == kind]
