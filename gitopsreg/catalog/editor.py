"""The schemas that editors get: made from the strict ones, and tolerant of fields that a later release may know.

Everything else is the same: what is known has its type, its description and its choices. Reads and writes no file.
"""

from collections.abc import Mapping
from typing import Any

from gitopsreg.catalog.page import escaped, shown

Schema = Mapping[str, Any]

# Ours alone: which rule a value breaks, and notes to ourselves.
_INTERNAL = {"x-rule", "$comment"}
# Keywords whose values are schemas: one, by name, or a list.
_ONE = ("items", "additionalProperties", "propertyNames", "if", "then", "else")
_NAMED = ("properties",)
_MANY = ("oneOf", "allOf", "anyOf")


def tolerant(strict: Schema) -> dict[str, Any]:
    """The editor's schema of one kind, or the union of all."""
    made = _tolerant(strict)
    folder, _, file = str(strict["$id"]).rpartition("/")
    made["$id"] = f"{folder}/editor/{file}"
    if examples := strict.get("examples"):
        made["defaultSnippets"] = [_snippet(strict, examples[0])]
    return made


def _tolerant(node: Schema) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key in _INTERNAL or (key == "additionalProperties" and value is False):
            continue
        made[key] = _kept(key, value)
        if key == "description":
            made["markdownDescription"] = _hover(node)
    return made


def _kept(key: str, value: Any) -> Any:
    if key in _ONE and isinstance(value, Mapping):
        return _tolerant(value)
    if key in _NAMED:
        return {name: _tolerant(sub) for name, sub in value.items()}
    if key in _MANY:
        return [_tolerant(sub) for sub in value]
    return value


def _hover(node: Schema) -> str:
    """The description for editors that show Markdown: with what stands between < and >, and with the default."""
    text = escaped(str(node["description"]))
    return f"{text}\n\nDefault: {shown(node['default'])}" if "default" in node else text


def _snippet(strict: Schema, example: Any) -> dict[str, Any]:
    """What VS Code offers in an empty file."""
    title = str(strict["title"])
    return {"label": f"New {title[:1].lower()}{title[1:]}", "description": str(strict["description"]), "body": example}
