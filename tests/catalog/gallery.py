"""The gallery of broken catalogs: bad/<case>/ beside the report it must give. `python -m tests.catalog.gallery` writes
the reports anew; read the difference before you keep it.

A case about a change has two catalogs, base/ and catalog/. What comments silence stands below the report.
"""

from dataclasses import replace
from pathlib import Path

from gitopsreg.catalog.changes import check_changes
from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.load import Loaded, load
from gitopsreg.catalog.report import Finding, human

BAD = Path(__file__).parent / "bad"


def cases() -> list[str]:
    return sorted(case.name for case in BAD.iterdir() if case.is_dir())


def loaded(case: str) -> Loaded:
    """As if the user stood in the case's folder."""
    return _load(BAD / case / "catalog" if _is_change(case) else BAD / case)


def findings(case: str) -> tuple[Finding, ...]:
    """Everything, also what comments silence."""
    head = loaded(case)
    told = [*head.findings, *head.suppressed]
    if _is_change(case):
        told += check_changes(_load(BAD / case / "base"), head)
    return tuple(sorted(told, key=lambda finding: finding.order))


def report(case: str) -> str:
    told = [finding for finding in findings(case) if not finding.suppressed]
    silenced = [finding for finding in findings(case) if finding.suppressed]
    lines = [human(told, files=loaded(case).files, seconds=0)]
    lines += [f"ignored: {one.path}:{one.line}: {one.rule} {one.message} ({one.suppressed})" for one in silenced]
    return "\n".join(lines) + "\n"


def _is_change(case: str) -> bool:
    return (BAD / case / "base").is_dir()


def _load(folder: Path) -> Loaded:
    return load(replace(read_directory(folder), root=""))


if __name__ == "__main__":
    for name in cases():
        (BAD / name / "expected.txt").write_text(report(name), encoding="utf-8")
