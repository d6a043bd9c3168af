"""What is made from the strict schemas: those for editors, and the reference pages. `make docs` writes it all."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from gitopsreg.catalog.editor import tolerant
from gitopsreg.catalog.layout import PLACES
from gitopsreg.catalog.modeline import line_for
from gitopsreg.catalog.page import Kind, index, page
from gitopsreg.catalog.schema import FILES, IDLE_KINDS, PARTLY_IDLE_KINDS, UNION, read, schema

EDITOR = "schemas/editor"
PAGES = "docs/kinds"


def generated() -> Mapping[str, str]:
    """Path from the top of the repository → text."""
    kinds = [_kind(name) for name in FILES]
    made = {f"{EDITOR}/{file}": as_text(tolerant(read(file))) for file in (*FILES.values(), UNION)}
    made |= {f"{PAGES}/{kind.page}": page(kind) for kind in kinds}
    return made | {f"{PAGES}/README.md": index(kinds)}


def as_text(document: Mapping[str, object]) -> str:
    """A schema as the files have it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def write(top: Path) -> None:
    """Everything, into a repository; what nothing is made of any more is removed."""
    made = generated()
    for folder, pattern in ((EDITOR, "*.json"), (PAGES, "*.md")):
        for stale in sorted((top / folder).glob(pattern)):
            if f"{folder}/{stale.name}" not in made:
                stale.unlink()
    for path, text in made.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text, encoding="utf-8")


def _kind(name: str) -> Kind:
    return Kind(
        name=name,
        file=FILES[name],
        place=PLACES[name],
        modeline=line_for(name),
        schema=schema(name),
        idle=name in IDLE_KINDS,
        partly_idle=name in PARTLY_IDLE_KINDS,
    )


if __name__ == "__main__":
    write(Path(sys.argv[1]))
