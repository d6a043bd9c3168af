"""Which other declarations a document names, drawn out once so that checks across files are cheap."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.policy import namespace_of
from gitopsreg.catalog.problem import pointer_to

_NAME = re.compile(r"[0-9a-z](?:[0-9a-z_-]{0,61}[0-9a-z])?")
_DEFAULTS = (("StorageClass", "defaults/storageClass"), ("AccessPolicy", "defaults/accessPolicy"))
_PACKAGE = (
    ("Connection", "source/connection"),
    ("StorageClass", "storageClass"),
    ("AccessPolicy", "accessPolicy"),
)
# By kind: what is named where, below spec; * stands for each item of a list.
_PLACES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Registry": _DEFAULTS,
    "Namespace": (*_DEFAULTS, ("Connection", "allowedSources/*/connection")),
    "Module": _PACKAGE,
    "Provider": _PACKAGE,
    "Discovery": (
        ("Connection", "connection"),
        ("Connection", "scope/registry"),
        ("StorageClass", "template/storageClass"),
        ("AccessPolicy", "template/accessPolicy"),
        ("SigningKey", "template/verify/keys/*"),
    ),
    "BinaryMirror": (("StorageClass", "storageClass"), ("AccessPolicy", "accessPolicy")),
    "Alert": (("Connection", "sink/connection"), ("Namespace", "select/namespaces/*")),
}


@dataclass(frozen=True, slots=True)
class Mention:
    """A name of a declaration of that kind, and the JSON pointer to it."""

    kind: str
    name: str
    pointer: str


def mentions(kind: str, root: Cursor) -> tuple[Mention, ...]:
    """Every legal name; what is no name is the schema's business."""
    return tuple(_mentions(kind, root / "spec"))


def _mentions(kind: str, spec: Cursor) -> Iterator[Mention]:
    for named, place in _PLACES.get(kind, ()):
        for text, steps in _texts(spec.value, place.split("/")):
            if _NAME.fullmatch(text):
                yield Mention(named, text, spec.pointer + pointer_to(*steps))
    if kind == "AccessPolicy":
        for rule in spec / "rules":
            for resource in rule / "resources":
                if name := namespace_of(resource.text):
                    yield Mention("Namespace", name, resource.pointer)


def _texts(value: Any, way: Sequence[str]) -> Iterator[tuple[str, list[str | int]]]:
    """Every text there, and the steps to it. Every file is asked, so this walks plain values, not cursors."""
    for number, step in enumerate(way):
        if step == "*":
            for index, item in enumerate(value if isinstance(value, list) else ()):
                for text, inner in _texts(item, way[number + 1 :]):
                    yield text, [*way[:number], index, *inner]
            return
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, str):
        yield value, list(way)
