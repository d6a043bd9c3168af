"""The files of two catalogs side by side, by what they declare: a file that moved is still the same declaration."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.load import Loaded
from gitopsreg.catalog.problem import Problem

# A problem, and the file that it is about.
Told = tuple[Checked, Problem]
Identity = tuple[str, str, str]


def identity(one: Checked) -> Identity | None:
    """What the path declares; None where nothing may stand."""
    slot = one.slot
    if not slot.kind:
        return None
    return slot.kind, slot.namespace, str(slot.address or slot.name)


@dataclass(frozen=True, slots=True)
class Twins:
    """Iterating yields what is in both catalogs, as (before, after)."""

    before: Mapping[Identity, Checked]
    after: Mapping[Identity, Checked]

    def __iter__(self) -> Iterator[tuple[Checked, Checked]]:
        for name, one in self.after.items():
            if name in self.before:
                yield self.before[name], one

    def changed(self, namespace: str) -> Iterator[Checked]:
        """The namespace's own files that were added, removed or say something else, its declaration aside."""
        for name in sorted(self.before.keys() | self.after.keys()):
            kind, where, _ = name
            before, after = self.before.get(name), self.after.get(name)
            if where == namespace and kind != "Namespace" and _says(before) != _says(after):
                yield (after or before)  # type: ignore[misc]  # the name came from one of the two


def pair(base: Loaded, head: Loaded) -> Twins:
    return Twins(_by_identity(base), _by_identity(head))


def _by_identity(loaded: Loaded) -> dict[Identity, Checked]:
    named: dict[Identity, Checked] = {}
    for one in loaded.checked:
        if (name := identity(one)) is not None:
            named.setdefault(name, one)
    return named


def _says(one: Checked | None) -> object:
    return one.document.value if one and one.document else None
