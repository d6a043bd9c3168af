"""Writes the pages of all rules: `python -m gitopsreg.catalog.rules.generate DIR`, where DIR is the source tree."""

import sys
from collections.abc import Mapping
from pathlib import Path

from gitopsreg.catalog.rules import RULES, page_path
from gitopsreg.catalog.rules.page import index, page

_FOLDER = "docs/rules"


def pages() -> Mapping[str, str]:
    """Path → text."""
    made = {page_path(rule.id): page(rule) for rule in RULES.values()}
    return made | {f"{_FOLDER}/README.md": index(RULES.values())}


def write(root: Path) -> None:
    """All pages; those of rules that are no more are removed."""
    made = pages()
    folder = root / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("GR*.md"):
        if f"{_FOLDER}/{old.name}" not in made:
            old.unlink()
    for path, text in made.items():
        (root / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
