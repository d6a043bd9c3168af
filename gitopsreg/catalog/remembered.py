"""The result of a check as bytes, and the name of what it is the result of: every byte that was looked at, and by whom.

The same bytes under the same names, checked by the same program, give the same result; so it can be kept.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from gitopsreg.catalog.files import CatalogFiles
from gitopsreg.catalog.fix import Edit, Fix
from gitopsreg.catalog.held import MOST_BYTES, held, is_read
from gitopsreg.catalog.problem import Span
from gitopsreg.catalog.program import program
from gitopsreg.catalog.report import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a check; paths are from the catalog's root, `folders` the content folders that were asked for."""

    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    paths: tuple[str, ...]
    folders: tuple[tuple[str, bool], ...]

    def holds(self, has_folder: Callable[[str], bool]) -> bool:
        """Whether the folders are still there, or still not."""
        return all(has_folder(path) == there for path, there in self.folders)


def named(files: CatalogFiles, *, room: int = MOST_BYTES) -> tuple[str, CatalogFiles] | None:
    """The name of all that is in the files, and the files as they were read for it; None when it can't be told."""
    found = held(files, room=room)
    if found is None:
        return None
    digest = sha256(program().encode())
    for file in found.files:
        data = file.read() if is_read(file) else b""
        digest.update(f"{file.path}\0{file.mode} {file.size} {len(data)}\n".encode() + data)
    return digest.hexdigest(), found


def encode(result: Result) -> bytes:
    """A digest, and what it is of."""
    payload = json.dumps(asdict(result), separators=(",", ":")).encode()
    return sha256(payload).hexdigest().encode() + b"\n" + payload


def decode(data: bytes) -> Result | None:
    """None for bytes that `encode` did not make."""
    digest, _, payload = data.partition(b"\n")
    if sha256(payload).hexdigest().encode() != digest:
        return None
    try:
        values = json.loads(payload)
        return Result(
            findings=tuple(map(_finding, values["findings"])),
            suppressed=tuple(map(_finding, values["suppressed"])),
            paths=tuple(values["paths"]),
            folders=tuple((path, there) for path, there in values["folders"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _finding(values: dict[str, Any]) -> Finding:
    fix = values.pop("fix")
    return Finding(**values, fix=_fix(fix) if fix else None)


def _fix(values: dict[str, Any]) -> Fix:
    edits = tuple(Edit(Span(**edit["span"]), edit["text"]) for edit in values["edits"])
    return Fix(description=values["description"], edits=edits, move_to=values["move_to"])


def with_root(findings: Iterable[Finding], old: str, new: str) -> tuple[Finding, ...]:
    """The findings as they are told to somebody who stands elsewhere."""

    def path(text: str) -> str:
        return new + text.removeprefix(old)

    return tuple(
        replace(
            finding,
            path=path(finding.path),
            fix=replace(finding.fix, move_to=path(finding.fix.move_to))
            if finding.fix and finding.fix.move_to
            else finding.fix,
        )
        for finding in findings
    )
