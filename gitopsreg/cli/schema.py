"""`gitopsreg schema`: the JSON Schemas of the catalog's kinds, for editors and other programs. Reads no catalog."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError, quoted
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME = "schema"
SHORT = "Print the JSON Schema of a kind."
HELP = """Print the JSON Schema of a kind of declarations.

KIND is a kind like "Module" or "signing-key", or "catalog" for all of them in one; without it the kinds are listed.
The strict schema refuses unknown fields, as validate does; the one for editors admits what a later release may know.

Exit codes: 0 done, 2 wrong use.
"""
EXAMPLES = """Examples:
  gitopsreg schema
  gitopsreg schema module --editor > module.json
  gitopsreg schema provider | jq '.properties.spec.required'"""

_ALL = "catalog"


@takes(*PRINTED)
def command(
    settings: Settings,
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help="One kind.", show_default=False)] = None,
    editor: Annotated[bool, typer.Option("--editor", help="The schema for editors, tolerant of new fields.")] = False,
) -> int:
    from gitopsreg.catalog import schema
    from gitopsreg.catalog.editor import tolerant

    if kind is None:
        _show_kinds(as_json=settings.output == "json")
        return DONE
    strict = schema.read(file_of(kind, schema.FILES, schema.UNION))
    text = json.dumps(tolerant(strict) if editor else strict, indent=2, ensure_ascii=False)
    sys.stdout.write(text + "\n")
    return DONE


def file_of(text: str, files: "Mapping[str, str]", union: str) -> str:
    """The schema file that is meant, by kind or by file name; raises ConfigError with what would be right."""
    from gitopsreg.catalog.nearest import did_you_mean

    known = {_flat(name): file for name, file in files.items()} | {_ALL: union}
    if (found := known.get(_flat(text.removesuffix(".json")))) is not None:
        return found
    hint = did_you_mean(text, [*files, _ALL]) or "kinds are " + ", ".join([*files, _ALL])
    raise ConfigError(f"there is no kind {quoted(text)}: {hint}")


def _flat(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")


def _show_kinds(*, as_json: bool) -> None:
    from gitopsreg.catalog.layout import PLACES
    from gitopsreg.catalog.modeline import published
    from gitopsreg.catalog.schema import FILES, IDLE_KINDS, PARTLY_IDLE_KINDS

    if as_json:
        kinds = [
            {"kind": kind, "path": PLACES[kind], "schema": published(kind), "actedOn": kind not in IDLE_KINDS}
            for kind in FILES
        ]
        output.print_json({"kinds": kinds})
        return
    notes = dict.fromkeys(IDLE_KINDS, "checked only") | dict.fromkeys(PARTLY_IDLE_KINDS, "acted on in part")
    _write((kind, PLACES[kind], notes.get(kind, "")) for kind in FILES)


def _write(rows: "Iterable[tuple[str, str, str]]") -> None:
    """Without the library that draws tables: it is not worth its import here."""
    lines = [("KIND", "PATH", ""), *rows]
    first, second = (max(len(line[column]) for line in lines) for column in (0, 1))
    sys.stdout.writelines(f"{kind:<{first}}  {path:<{second}}  {note}".rstrip() + "\n" for kind, path, note in lines)
