"""The result of a check as bytes, and the name of what it is the result of: every byte that was looked at, and by whom.

The same bytes under the same names, checked by the same program, give the same result; so it can be kept.
"""

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gitopsreg
from gitopsreg.catalog.files import LARGEST_FILE, CatalogFile, CatalogFiles
from gitopsreg.catalog.fix import Edit, Fix
from gitopsreg.catalog.layout import is_declaration
from gitopsreg.catalog.problem import Span
from gitopsreg.catalog.report import Finding

# A catalog with more text is not remembered: it is held in memory, so that what is checked is what was named.
MOST_BYTES = 128 * 1024 * 1024
_LIBRARIES = ("yaml", "jsonschema", "semantic_version")


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
    digest = sha256(_program().encode())
    kept: list[CatalogFile] = []
    for file in files.files:
        data = b""
        if file.mode == "file" and file.size <= LARGEST_FILE and is_declaration(file.path):
            try:
                data = file.read()
            except OSError:
                return None
            file = replace(file, read=lambda data=data: data)  # type: ignore[misc]  # noqa: PLW2901
        room -= len(data) + 200
        kept.append(file)
        digest.update(json.dumps([file.path, file.mode, file.size, len(data)]).encode() + b"\n" + data)
    return None if room < 0 else (digest.hexdigest(), replace(files, files=tuple(kept)))


def _program() -> str:
    """Our version, our files, and the libraries that decide: a result of other rules is none."""
    package = Path(gitopsreg.__file__).parent
    folders = [package, package / "catalog", package / "catalog" / "rules", package / "model", _schemas(package)]
    found = [gitopsreg.__version__, sys.version]
    for folder in folders:
        found += [_mark(path) for path in sorted(folder.iterdir()) if path.suffix in {".py", ".json"}]
    for library in _LIBRARIES:
        spec = find_spec(library)
        found.append(_mark(Path(spec.origin)) if spec and spec.origin else library)
    return "\n".join(found)


def _schemas(package: Path) -> Path:
    """As catalog.schema finds them, whose library is slow to import."""
    installed = package / "schemas"
    return installed if installed.is_dir() else package.parent / "schemas"


def _mark(path: Path) -> str:
    found = path.stat()
    return f"{path}:{found.st_size}:{found.st_mtime_ns}"


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
