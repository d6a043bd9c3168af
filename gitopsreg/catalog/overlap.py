"""Discoveries that may find the same repository for the same namespace (GR419): nobody can say whose template counts.

Whether two patterns have a match in common is answered by what they begin and end with: a "maybe" is told.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

from gitopsreg.catalog.discovery import DiscoveryFacts

# Of one place; each is compared with so many before it, no more.
_MOST = 100
_LITERALS = re.compile(r"[0-9A-Za-z_-]*")
_REPEATS = tuple("*?{+")


def overlapping(discoveries: Sequence[tuple[str, DiscoveryFacts]]) -> Iterator[tuple[int, int]]:
    """(later, earlier) positions of those that may overlap, one earlier for each; `str` is the namespace."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, (namespace, found) in enumerate(discoveries):
        if found.scope:
            groups[namespace, found.scope, found.connection].append(number)
    for group in groups.values():
        for place, number in enumerate(group):
            earlier = islice(group, place) if place <= _MOST else group[place - _MOST : place]
            one = discoveries[number][1]
            other = next((other for other in earlier if _overlap(one, discoveries[other][1])), None)
            if other is not None:
                yield number, other


def _overlap(one: DiscoveryFacts, other: DiscoveryFacts) -> bool:
    if not set(one.kinds) & set(other.kinds) or not _same_place(one, other):
        return False
    apart = one.visibility and other.visibility and not set(one.visibility) & set(other.visibility)
    return not apart and _may_agree(one.pattern, other.pattern)


def _same_place(one: DiscoveryFacts, other: DiscoveryFacts) -> bool:
    if one.scope == "registry":
        return one.place == other.place and bool(set(one.namespaces) & set(other.namespaces))
    first, second = one.place.lower().strip("/"), other.place.lower().strip("/")
    # A group is looked at with its sub-groups.
    nested = one.scope == "group" and (f"{first}/".startswith(f"{second}/") or f"{second}/".startswith(f"{first}/"))
    return first == second or nested


def _may_agree(one: str, other: str) -> bool:
    begin, begins = _beginning(one), _beginning(other)
    end, ends = _end(one), _end(other)
    agree = begin.startswith(begins) or begins.startswith(begin)
    return agree and (end.endswith(ends) or ends.endswith(end))


def _beginning(pattern: str) -> str:
    """The plain text that every match begins with, as far as that is easily seen."""
    if not pattern.startswith("^") or "|" in pattern:
        return ""
    found = _LITERALS.match(pattern, 1)
    text = found[0] if found else ""
    return text[:-1] if pattern[1 + len(text) :].startswith(_REPEATS) else text


def _end(pattern: str) -> str:
    """The plain text that every match ends with, as far as that is easily seen."""
    if not pattern.endswith("$") or "|" in pattern:
        return ""
    before = pattern[:-1]
    text = before[len(before.rstrip("-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) :]
    rest = before[: len(before) - len(text)]
    return text[1:] if rest.endswith("\\") else text
