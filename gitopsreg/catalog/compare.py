"""Two effective specs become the list of what differs, item by item where a list has items with names."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitopsreg.catalog.risk import How

# What items of a list are known by; others are known by all that they say.
_IDENTITY: Mapping[str, tuple[str, ...]] = {
    "versions.pins": ("version",),
    "versions.yanked": ("version",),
    "versions.blocked": ("version", "range"),
    "owners": ("type", "name"),
    "admins": ("type", "name"),
    "rules": ("name",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field, or one item of a list (`item` is what it is known by). `at` leads to it, in the newer of the two."""

    field: str
    how: How
    before: Any = None
    after: Any = None
    item: str = ""
    at: tuple[str | int, ...] = ()


def compare(before: Any, after: Any, at: tuple[str | int, ...] = ()) -> Iterator[Difference]:
    """What differs, in the order of names."""
    if before == after and type(before) is type(after):
        return
    field = ".".join(str(step) for step in at)
    if isinstance(before, Mapping | None) and isinstance(after, Mapping | None):
        for key in sorted({*(before or {}), *(after or {})}):
            yield from compare((before or {}).get(key), (after or {}).get(key), (*at, key))
    elif isinstance(before, list | None) and isinstance(after, list | None):
        yield from _lists(field, before or [], after or [], at, born=before is None, gone=after is None)
    else:
        yield Difference(field=field, how=_how(before, after), before=before, after=after, at=at)


def _lists(
    field: str, before: list[Any], after: list[Any], at: tuple[str | int, ...], *, born: bool, gone: bool
) -> Iterator[Difference]:
    old = {_known_by(field, item): item for item in before}
    new = {_known_by(field, item): (index, item) for index, item in enumerate(after)}
    found = False
    for name, item in old.items():
        if name not in new:
            found = True
            yield Difference(field=field, how="removed", item=name, before=item, at=at)
        elif item != new[name][1]:
            found = True
            yield Difference(
                field=field, how="changed", item=name, before=item, after=new[name][1], at=(*at, new[name][0])
            )
    for name, (index, item) in new.items():
        if name not in old:
            found = True
            yield Difference(field=field, how="added", item=name, after=item, at=(*at, index))
    # The same items in another order; or an empty list, where none says something else than an empty one.
    if not found:
        how: How = "added" if born else "removed" if gone else "changed"
        yield Difference(field=field, how=how, before=None if born else before, after=None if gone else after, at=at)


def _known_by(field: str, item: Any) -> str:
    if not isinstance(item, Mapping):
        return item if isinstance(item, str) else json.dumps(item)
    parts = [str(item[key]) for key in _IDENTITY.get(field, ()) if key in item]
    return " ".join(parts) or json.dumps(item, sort_keys=True, ensure_ascii=False)


def _how(before: Any, after: Any) -> How:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    if isinstance(before, int) and isinstance(after, int):
        return "raised" if after > before else "lowered"
    return "changed"
