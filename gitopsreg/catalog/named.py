"""Names that lead nowhere (GR302, GR307 to GR310), with the nearest name that leads somewhere."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.layout import PLACES
from gitopsreg.catalog.nearest import Speller
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.world import World
from gitopsreg.errors import quoted


@dataclass(frozen=True, slots=True)
class _Words:
    rule: str
    message: str


_WORDS: Mapping[str, _Words] = {
    "Connection": _Words("GR307", "there is no connection {}"),
    "StorageClass": _Words("GR308", "there is no storage class {}"),
    "AccessPolicy": _Words("GR309", "there is no access policy {}"),
    "Namespace": _Words("GR310", "there is no namespace {}"),
    "SigningKey": _Words("GR302", "the namespace has no key {}"),
}


class Names:
    """All names of one catalog by kind; those of keys count in their namespace only."""

    def __init__(self, world: World, speller: Speller) -> None:
        self._world = world
        self._speller = speller
        self._top = {kind: {one.slot.name for one in world.top.checked if one.slot.kind == kind} for kind in _WORDS}

    def problem(self, kind: str, namespace: str, name: str, pointer: str) -> Problem | None:
        """Why the name that something in `namespace` gives leads nowhere."""
        known = self._known(kind, namespace)
        if name in known:
            return None
        words = _WORDS[kind]
        place = PLACES[kind].replace("<name>", name).replace("<namespace>", namespace or name)
        hint = self._speller.nearest(name, known) or f"add {place}"
        return Problem(rule=words.rule, message=words.message.format(quoted(name)), hint=hint, pointer=pointer)

    def problems(self, one: Checked, kind: str, *, among: bool) -> Iterator[Problem]:
        """What is wrong with the names of this kind that a file gives (`among`), or with those of all others."""
        for mention in one.mentions:
            if (mention.kind == kind) is among:
                problem = self.problem(mention.kind, one.slot.namespace, mention.name, mention.pointer)
                yield from (problem,) if problem else ()

    def _known(self, kind: str, namespace: str) -> Collection[str]:
        if kind == "Namespace":
            return self._world.namespaces
        if kind != "SigningKey":
            return self._top[kind]
        part = self._world.parts.get(namespace.lower())
        return [name for owner, name in part.keys if owner == namespace] if part else ()
