"""What each declaration says once all defaults are merged, and the file and line that every value comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gitopsreg.catalog.built_in import built_in, filled
from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.defaults import Spec, decided_by, effective, inheritable
from gitopsreg.catalog.load import Loaded
from gitopsreg.catalog.loader import Places
from gitopsreg.catalog.problem import pointer_to
from gitopsreg.catalog.subject import subject_of

Layer = Literal["built-in", "registry", "namespace", "declaration"]
Steps = tuple[str | int, ...]

_INHERITING = frozenset({"Module", "Provider"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One effective value. `name` is as people write it (`versions.pins[0]`), `path` and `line` where it stands.

    A built-in value has no place, unless a null went back to it: then that stands at `path`.
    """

    name: str
    value: Any
    layer: Layer
    path: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        where = f"{self.path}:{self.line}" if self.path else ""
        if self.layer == "built-in":
            return f"built-in (null at {where})" if where else "built-in"
        return where


@dataclass(frozen=True, slots=True)
class _Source:
    """A layer: its values, the file, and where in it they begin."""

    layer: Layer
    spec: Spec
    file: Checked | None
    start: Steps


class Book:
    """All sound declarations of one state of the catalog, by subject; `broken` are the others, with what is wrong."""

    def __init__(self, loaded: Loaded, *, lender: "Book | None" = None) -> None:
        """A broken registry.yaml or namespace.yaml lends no defaults: `lender` is who does instead."""
        self.root = loaded.root
        self._places: dict[str, Places] = {}
        named = {subject: one for one in loaded.checked if (subject := subject_of(one.slot))}
        self.broken = _broken(loaded, named)
        self.files: Mapping[str, Checked] = {name: named[name] for name in sorted(named)}
        self._lender = lender

    def path(self, subject: str) -> str:
        """The file, as findings name it; "" when there is none (a catalog need not have a registry.yaml)."""
        return self._shown(self.files.get(subject))

    def says(self, subject: str) -> str:
        """The text of a file, sound or not."""
        one = self.files.get(subject)
        return one.document.text if one and one.document else ""

    def spec(self, subject: str) -> dict[str, Any]:
        """The effective spec of a sound declaration, with its labels and annotations under `metadata`."""
        one = self.files.get(subject)
        kind = one.slot.kind if one else "Registry"
        merged = effective(self.layers(subject)) if kind in _INHERITING else _spec(one)
        return filled(merged, built_in(kind)) | self.metadata(subject)

    def metadata(self, subject: str) -> dict[str, Any]:
        """Labels and annotations."""
        one = self.files.get(subject)
        value = one.document.value if one and one.document else None
        metadata = value.get("metadata") if isinstance(value, dict) else None
        told = {key: metadata[key] for key in ("annotations", "labels") if metadata.get(key)} if metadata else {}
        return {"metadata": told} if told else {}

    def layers(self, subject: str) -> tuple[Spec, ...]:
        """What a package inherits and says itself, least first."""
        return tuple(source.spec for source in self._sources(subject))

    def fields(self, subject: str) -> tuple[Field, ...]:
        """Every effective value of a sound declaration, sorted by name."""
        leaves = _leaves(self.spec(subject))
        return tuple(self.field(subject, steps, value) for steps, value in leaves)

    def field(self, subject: str, steps: Steps, value: Any) -> Field:
        """One effective value, with where it comes from."""
        name = name_of(steps)
        if steps[0] == "metadata":
            one = self.files.get(subject)
            line = self._line(one, steps)
            return Field(name=name, value=value, layer="declaration", path=self._shown(one), line=line)
        sources = self._sources(subject)
        keys = [step for step in steps if isinstance(step, str)]
        number, depth, is_null = decided_by([source.spec for source in sources], keys)
        if number < 0:
            return Field(name=name, value=value, layer="built-in")
        source = sources[number]
        at = steps if depth == len(keys) else steps[:depth]
        reset = is_null and value is not None
        return Field(
            name=name,
            value=value,
            layer="built-in" if reset else source.layer,
            path=self._shown(source.file),
            line=self._line(source.file, (*source.start, *at)),
        )

    def _sources(self, subject: str) -> tuple[_Source, ...]:
        one = self.files.get(subject)
        own = _Source("declaration", _spec(one), one, ("spec",))
        if one is None or one.slot.kind not in _INHERITING:
            return (own,)
        return (
            self._lent("registry", "registry"),
            self._lent(f"namespace:{one.slot.namespace}", "namespace"),
            own,
        )

    def _lent(self, subject: str, layer: Layer) -> _Source:
        one = self.files.get(subject)
        if subject in self.broken and self._lender is not None:
            return self._lender._lent(subject, layer)  # noqa: SLF001 - another of this very class
        spec: Spec = {} if subject in self.broken else _spec(one)
        return _Source(layer, inheritable(spec.get("defaults")), one, ("spec", "defaults"))

    def _shown(self, one: Checked | None) -> str:
        return self.root + one.path if one else ""

    def _line(self, one: Checked | None, steps: Steps) -> int:
        if one is None or one.document is None:
            return 0
        if one.path not in self._places:
            self._places[one.path] = one.document.places()
        places = self._places[one.path]
        key, value = places.get(pointer_to(*steps), (None, None))
        found = key or value
        return found.line if found else 0


def name_of(steps: Steps) -> str:
    """`versions.pins[0]`: as people write it, without the `spec` that all would begin with."""
    name = ""
    for step in steps:
        name += f"[{step}]" if isinstance(step, int) else f".{step}"
    return name.removeprefix(".")


def _broken(loaded: Loaded, named: Mapping[str, Checked]) -> dict[str, str]:
    """By subject: a file with an error, and a package that another file's error keeps from being used."""
    errors: dict[str, str] = {}
    for finding in (*loaded.errors, *(one for one in loaded.suppressed if one.severity == "error")):
        errors.setdefault(finding.path, finding.message)
    broken = {
        subject: errors.get(loaded.root + one.path, "it can't be read")
        for subject, one in named.items()
        if loaded.root + one.path in errors or one.document is None
    }
    return {str(item.address): item.message for item in loaded.catalog.invalid} | broken


def _spec(one: Checked | None) -> Spec:
    value = one.document.value if one and one.document else None
    spec = value.get("spec") if isinstance(value, dict) else None
    return spec if isinstance(spec, dict) else {}


def _leaves(value: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    if isinstance(value, Mapping) and value:
        for key in sorted(value):
            yield from _leaves(value[key], (*steps, key))
    elif isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value):
        for index, item in enumerate(value):
            yield (*steps, index), item
    elif steps:
        yield steps, value
