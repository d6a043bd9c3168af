"""Mends one file as far as nobody need be asked: edits by position, everything else byte for byte. Writes nothing.

What holds a secret is left alone: it must be revoked, not tidied.
"""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gitopsreg.catalog import modeline
from gitopsreg.catalog.check import Checked, check_file
from gitopsreg.catalog.files import CatalogFile
from gitopsreg.catalog.fix import Edit
from gitopsreg.catalog.ignores import silence
from gitopsreg.catalog.layout import is_declaration
from gitopsreg.catalog.loader import MAX_BYTES, lines_of
from gitopsreg.catalog.problem import Span
from gitopsreg.catalog.report import Finding, printable
from gitopsreg.catalog.schema import KINDS

_SECRETS = {"GR501", "GR502"}
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """`path` is where the file belongs, `deeds` what was done, a line each, with places in the old text."""

    path: str
    data: bytes
    deeds: tuple[str, ...]


def mend(file: CatalogFile, taken: Iterable[str] = ()) -> Mended | None:
    """The file as it should be, or None when there is nothing to do; mending it again does nothing.

    `taken` are the paths of the catalog: no file moves to where another is. Raises OSError.
    """
    if file.mode != "file" or file.size > MAX_BYTES or not is_declaration(file.path):
        return None
    before = file.read()
    data, path, deeds = before, file.path, list[str]()
    others = {_same(other) for other in taken if other != file.path}
    while True:
        checked = _check(file, path, data)
        findings = silence(checked.findings, checked.ignores)
        if checked.document is None or any(finding.rule in _SECRETS for finding in findings):
            break
        wanted = [finding for finding in findings if finding.fix and not finding.suppressed]
        step = _edited(data, checked, wanted)
        if step is None and path == file.path:
            step = _moved(data, path, wanted, others)
        if step is None or len(step.data) > MAX_BYTES or _check(file, step.path, step.data).document is None:
            break
        data, path = step.data, step.path
        deeds += step.deeds
    return Mended(path=path, data=data, deeds=tuple(deeds)) if deeds else None


def _check(file: CatalogFile, path: str, data: bytes) -> Checked:
    return check_file(replace(file, path=path, size=len(data), read=lambda: data))


def _edited(data: bytes, checked: Checked, findings: Iterable[Finding]) -> Mended | None:
    """All edits at once, and a modeline where there is none."""
    text = data.decode("utf-8-sig")
    edits, deeds = list[Edit](), list[str]()
    for finding in findings:
        if finding.fix and finding.fix.edits:
            edits += finding.fix.edits
            deeds.append(f"{printable(checked.path)}:{finding.line}: {finding.fix.description}")
    kind = str(checked.cursor.value["kind"]) if _is_whole(checked) else ""
    if kind and modeline.find(text) is None:
        ending = "\r\n" if "\r\n" in text else "\n"
        edits.append(Edit(Span(1, 1, 1, 1), modeline.line_for(kind) + ending))
        deeds.append(f"{printable(checked.path)}:1: add a modeline, for editors")
    if not edits:
        return None
    mark = _MARK if data.startswith(_MARK) else b""
    return Mended(path=checked.path, data=mark + apply_edits(text, edits).encode(), deeds=tuple(deeds))


def _is_whole(checked: Checked) -> bool:
    """Whether it is clear what the file declares: path and content agree."""
    value = checked.cursor.value
    return isinstance(value, dict) and value.get("kind") == checked.slot.kind and checked.slot.kind in KINDS


def _moved(data: bytes, path: str, findings: Iterable[Finding], others: set[str]) -> Mended | None:
    targets = {finding.fix.move_to for finding in findings if finding.fix and finding.fix.move_to} - {path}
    # A path that the content asks for is better than one that only ends otherwise.
    right = [target for target in sorted(targets) if target != _with_ending(path)] or sorted(targets)
    if not right or _same(right[0]) in others:
        return None
    deed = f"{printable(path)}: move the file to {printable(right[0])}"
    return Mended(path=right[0], data=_led_from(data, path, right[0]), deeds=(deed,))


def _with_ending(path: str) -> str:
    return path.rpartition(".")[0] + ".yaml"


def _same(path: str) -> str:
    return path.lower().removesuffix(".yaml").removesuffix(".yml")


def _led_from(data: bytes, old: str, new: str) -> bytes:
    """A modeline that is a path goes on leading to its schema."""
    text = data.decode("utf-8-sig")
    found = modeline.find(text)
    if found is None or "://" in found.schema or found.schema.startswith("/"):
        return data
    # Deep enough that no path out of the catalog passes the top of the file system.
    top = "/" + "-/" * 99
    target = posixpath.join(top, posixpath.dirname(old), found.schema)
    right = posixpath.relpath(target, posixpath.join(top, posixpath.dirname(new)))
    mark = _MARK if data.startswith(_MARK) else b""
    return mark + apply_edits(text, [Edit(found.span, right)]).encode()


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text after all edits; of two that overlap only the later in the text is done."""
    starts = [0]
    for line in lines_of(text):
        end = starts[-1] + len(line)
        starts.append(end + (2 if text.startswith("\r\n", end) else 1))
    done, limit = text, len(text)
    for start, end, new in sorted((*_offsets(edit.span, starts), edit.text) for edit in set(edits))[::-1]:
        if end <= limit:
            done, limit = done[:start] + new + done[end:], start
    return done


def _offsets(span: Span, starts: list[int]) -> tuple[int, int]:
    return starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1
