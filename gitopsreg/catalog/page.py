"""The reference page of a kind, made from its schema: an example and a table of all fields. Touches no file."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitopsreg.catalog.sample import one_line, yaml_text
from gitopsreg.catalog.scalar import classify

Schema = Mapping[str, Any]

_HEAD = "| field | type | required | default | description | example |\n|---|---|---|---|---|---|"
_TYPES = {"integer": "whole number", "boolean": "boolean", "object": "mapping", "array": "list"}
# They are the same in every kind: one row each says enough.
_ENVELOPE = ("apiVersion", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind and what its page says besides the schema: where files of it belong, and whether they are acted on."""

    name: str
    file: str
    place: str
    modeline: str
    schema: Schema
    idle: bool = False
    partly_idle: bool = False

    @property
    def acted_on(self) -> str:
        return "checked only" if self.idle else "in part" if self.partly_idle else "yes"

    @property
    def page(self) -> str:
        """The file name of its page."""
        return self.file.removesuffix(".json") + ".md"


def page(kind: Kind) -> str:
    """The whole page."""
    parts = [
        f"# {kind.name}",
        escaped(str(kind.schema["description"])),
        f"Path: `{kind.place}`. The path is the identity: `metadata` must agree with it.",
        _idle(kind),
        f"Schemas: [strict](../../schemas/{kind.file}), [for editors](../../schemas/editor/{kind.file}).",
        "## Example",
        _example(kind),
        "## Fields",
        "\n".join([_HEAD, *_rows(kind.schema)]),
        *_variants(kind.schema),
    ]
    return _MADE + "\n\n".join(part for part in parts if part) + "\n"


_MADE = "<!-- Made by `make docs` from the schemas: edit those. -->\n\n"


def index(kinds: list[Kind]) -> str:
    """The page that leads to the others."""
    rows = [f"| [{kind.name}]({kind.page}) | `{kind.place}` | {kind.acted_on} | {_what(kind)} |" for kind in kinds]
    return (
        _MADE + "# Kinds of declarations\n\nOne file declares one thing, and its path is its name.\n"
        "Every kind is checked in full; `gitopsreg status` lists what this release does not act on.\n\n"
        "| kind | path | acted on | what it declares |\n|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        "Editors that know JSON Schema check files as you type: begin each with the modeline that its page shows.\n"
        "The schemas for editors admit fields that a later release may know; `gitopsreg validate` does not.\n"
        "`gitopsreg schema KIND` prints the strict schema, `gitopsreg schema KIND --editor` the other.\n"
    )


def escaped(text: str) -> str:
    """Plain words as Markdown: what would be taken for HTML or emphasis stays what it is."""
    for mark in "\\`*_<>[]|":
        text = text.replace(mark, "\\" + mark)
    return text.replace("\n", " ")


def shown(value: Any) -> str:
    """A value as code, in a cell of a table too."""
    text = one_line(value)
    # Quotes where they are needed to be a string at all, else they only hide the text.
    if isinstance(value, str) and value.isprintable() and classify(value) == value and not value[:1].isdigit():
        text = value or text
    text = text.replace("|", "\\|")
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def _idle(kind: Kind) -> str:
    if kind.acted_on == "yes":
        return ""
    return "`gitopsreg status` lists the declarations that this release checks and does not act on."


def _what(kind: Kind) -> str:
    return escaped(str(kind.schema["description"]).partition(": ")[0])


def _example(kind: Kind) -> str:
    return f"```yaml\n{kind.modeline}\n{yaml_text(kind.schema['examples'][0])}```"


def _rows(schema: Schema, at: str = "") -> Iterator[str]:
    """A row for each field, parents first; what depends on a choice has tables of its own."""
    required = schema.get("required", ())
    for name, sub in schema.get("properties", {}).items():
        path = f"{at}.{name}" if at else name
        yield _row(path, sub, required=name in required)
        if name not in _ENVELOPE:
            yield from _rows(sub, path)
            yield from _rows(_items(sub), f"{path}[]")


def _items(schema: Schema) -> Schema:
    items = schema.get("items")
    return items if isinstance(items, Mapping) else {}


def _row(path: str, sub: Schema, *, required: bool) -> str:
    default = shown(sub["default"]) if "default" in sub else ""
    examples = sub.get("examples") or _items(sub).get("examples") or ()
    example = shown(_short(examples[0])) if examples and path not in {"metadata", "spec"} else ""
    cells = (f"`{path}`", _type(sub), "yes" if required else "", default, _words(sub), example)
    return "| " + " | ".join(cells) + " |"


def _short(example: Any) -> Any:
    """Of a text of several lines only the first."""
    return example.splitlines()[0] + " …" if isinstance(example, str) and "\n" in example else example


def _type(sub: Schema) -> str:
    if "const" in sub:
        return shown(sub["const"]) if isinstance(sub["const"], str) else f"`{json.dumps(sub['const'])}`"
    if "enum" in sub:
        return ", ".join(shown(value) for value in sub["enum"])
    types: list[str] = sub["type"] if isinstance(sub["type"], list) else [sub["type"]]
    names = [_TYPES.get(name, name) for name in types if name != "null"]
    if items := _items(sub):
        names = [f"list of {_plural(items)}"]
    return " or ".join([*names, *(["null"] if "null" in types else [])])


def _plural(items: Schema) -> str:
    if "enum" in items:
        return ", ".join(shown(value) for value in items["enum"])
    return {"object": "mappings", "string": "strings"}.get(str(items.get("type")), "values")


def _words(sub: Schema) -> str:
    text = escaped(str(sub["description"]))
    items = _items(sub)
    return f"{text} Each: {escaped(str(items['description']))}" if items.get("type") == "string" else text


def _variants(schema: Schema, at: str = "") -> Iterator[str]:
    """A section for each choice between branches that have fields of their own."""
    branches = [branch for branch in schema.get("oneOf", ()) if "properties" in branch]
    if branches:
        yield f"### `{at}`"
        yield escaped(str(schema["description"])) + " It is one of these:"
    for branch in branches:
        key, const = next((name, sub["const"]) for name, sub in branch["properties"].items() if "const" in sub)
        yield f"#### `{key}: {const}`"
        yield escaped(str(branch["description"]))
        yield "\n".join([_HEAD, *_rows(branch, at)])
        yield from _below(branch, at)
    yield from _below(schema, at)


def _below(schema: Schema, at: str) -> Iterator[str]:
    for name, sub in schema.get("properties", {}).items():
        path = f"{at}.{name}" if at else name
        yield from _variants(sub, path)
        yield from _variants(_items(sub), f"{path}[]")
