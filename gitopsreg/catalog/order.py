"""The order of keys: as the schema of the kind lists them, which is how people read a declaration. Checks nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """What the schemas that may describe a value say of the order of its keys."""

    schemas: tuple[Schema, ...] = ()

    def place(self, key: str) -> int:
        """Keys that no schema knows come last."""
        known = self._known()
        return known.get(key, len(known))

    def below(self, key: str) -> "Order":
        return Order(tuple(schema["properties"][key] for schema in self._all() if key in schema.get("properties", ())))

    def of_items(self) -> "Order":
        return Order(tuple(schema["items"] for schema in self._all() if isinstance(schema.get("items"), Mapping)))

    def _known(self) -> dict[str, int]:
        keys = dict.fromkeys(key for schema in self._all() for key in schema.get("properties", ()))
        return {key: number for number, key in enumerate(keys)}

    def _all(self) -> Iterator[Schema]:
        waiting = list(self.schemas)
        while waiting:
            schema = waiting.pop(0)
            yield schema
            for word in ("oneOf", "anyOf", "allOf"):
                waiting += schema.get(word, ())
