"""The gallery of broken catalogs: bad/<case>/ beside the report it must give. `python -m tests.catalog.gallery` writes
the reports anew; read the difference before you keep it.
"""

from dataclasses import replace
from pathlib import Path

from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.load import Loaded, load
from gitopsreg.catalog.report import human

BAD = Path(__file__).parent / "bad"


def cases() -> list[str]:
    return sorted(case.name for case in BAD.iterdir() if case.is_dir())


def loaded(case: str) -> Loaded:
    """As if the user stood in the case's folder."""
    return load(replace(read_directory(BAD / case), root=""))


def report(case: str) -> str:
    found = loaded(case)
    return human(found.findings, files=found.files, seconds=0) + "\n"


if __name__ == "__main__":
    for name in cases():
        (BAD / name / "expected.txt").write_text(report(name), encoding="utf-8")
