"""Names that lead nowhere (GR302, GR307 to GR310), with the nearest name that leads somewhere."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.layout import PLACES
from gitopsreg.catalog.nearest import Speller
from gitopsreg.catalog.problem import Problem
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

    def __init__(self, checked: Iterable[Checked], speller: Speller) -> None:
        self._known: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._speller = speller
        for one in checked:
            if one.slot.kind in _WORDS:
                self._known[self._group(one.slot.kind, one.slot.namespace)].add(one.slot.name)

    def problem(self, kind: str, namespace: str, name: str, pointer: str) -> Problem | None:
        """Why the name that something in `namespace` gives leads nowhere."""
        known = self._known.get(self._group(kind, namespace), set())
        if name in known:
            return None
        words = _WORDS[kind]
        place = PLACES[kind].replace("<name>", name).replace("<namespace>", namespace or name)
        hint = self._speller.nearest(name, known) or f"add {place}"
        return Problem(rule=words.rule, message=words.message.format(quoted(name)), hint=hint, pointer=pointer)

    def _group(self, kind: str, namespace: str) -> tuple[str, str]:
        return kind, namespace if kind == "SigningKey" else ""


def check_names(checked: Iterable[Checked], names: Names) -> Iterator[tuple[Checked, Problem]]:
    """Every mention of every file."""
    for one in checked:
        for mention in one.mentions:
            if problem := names.problem(mention.kind, one.slot.namespace, mention.name, mention.pointer):
                yield one, problem
