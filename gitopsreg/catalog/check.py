"""One file by itself: everything that can be said of it without looking at another. Reads that file, nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from gitopsreg.catalog import schema, semantics
from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.facts import NamespaceFacts, PackageFacts, namespace_facts, package_facts
from gitopsreg.catalog.files import CatalogFile
from gitopsreg.catalog.identity import check_identity, check_kind
from gitopsreg.catalog.layout import PLACES, Slot, slot
from gitopsreg.catalog.loader import MAX_BYTES, Document, Parsed, parse
from gitopsreg.catalog.locate import locate
from gitopsreg.catalog.problem import Problem, Span
from gitopsreg.catalog.report import Finding
from gitopsreg.catalog.secret import find

_MODES = {
    "symlink": "a symlink is not a declaration",
    "submodule": "a submodule is not a declaration",
    "other": "this is neither a file nor a folder that is read",
}
Facts = PackageFacts | NamespaceFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file and all that is wrong with it; `broken` when any of it is an error. The paths are the catalog's own."""

    path: str
    slot: Slot
    document: Document | None
    findings: tuple[Finding, ...]
    facts: Facts
    broken: bool

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.document.value if self.document else None)


def check_file(file: CatalogFile) -> Checked:
    found = slot(file.path)
    problems = [*_misplaced(file, found)]
    parsed = _read(file) if file.mode == "file" else Parsed(None, ())
    problems += parsed.problems
    problems += _secrets(parsed.text)
    document = parsed.document
    if document and found.kind:
        problems += _document(document, found)
    return _checked(file.path, found, document, parsed.text, problems)


def _checked(path: str, found: Slot, document: Document | None, text: str, problems: list[Problem]) -> Checked:
    lent = document or (Document(None, text) if text else None)
    findings = sorted(locate(problems, lent, path, str(found.address or "")), key=lambda finding: finding.order)
    return Checked(
        path=path,
        slot=found,
        document=document,
        findings=tuple(findings),
        facts=_facts(found, document),
        broken=any(finding.severity == "error" for finding in findings),
    )


def _misplaced(file: CatalogFile, found: Slot) -> Iterator[Problem]:
    if file.mode != "file":
        yield Problem(rule="GR107", message=_MODES[file.mode], hint="put an ordinary file here")
    elif not found.kind:
        places = ", ".join(PLACES[kind] for kind in schema.KINDS)
        yield Problem(rule="GR102", message="no declaration belongs at this path", hint=f"places are {places}")
    elif not file.path.endswith(".yaml"):
        right = file.path.rpartition(".")[0] + ".yaml"
        yield Problem(rule="GR105", message="a declaration's file name ends in .yaml", hint=f"rename it to {right}")
    if found.illegal:
        yield Problem(rule="GR109", message=f"in the path, {found.illegal}")


def _read(file: CatalogFile) -> Parsed:
    if file.size > MAX_BYTES:
        return Parsed(
            None, (Problem(rule="GR007", message=f"the file has {file.size} bytes, the limit is {MAX_BYTES}"),)
        )
    try:
        return parse(file.read())
    except OSError as error:
        message = f"the file can't be read: {error.strerror or error}"
        return Parsed(None, (Problem(rule="GR013", message=message),))


def _secrets(text: str) -> Iterator[Problem]:
    for start, end, kind in find(text):
        line = text.count("\n", 0, start) + 1
        column = start - text.rfind("\n", 0, start)
        hint = "revoke it, then name a secret instead"
        span = Span(line, column, line, column + end - start)
        yield Problem(rule="GR501", message=f"this looks like {kind}", hint=hint, span=span)


def _document(document: Document, found: Slot) -> Iterator[Problem]:
    root = Cursor(document.value)
    yield from check_kind(root, found)
    kind = (root / "kind").value
    if kind in schema.KINDS:
        yield from schema.check(kind, document)
    if kind != found.kind:
        return
    if kind in schema.LATER_KINDS:
        message = f"kind {kind} is not used by this release"
        yield Problem(rule="GR108", message=message, hint="nothing happens", pointer="/kind")
    yield from check_identity(root, found)
    yield from islice(semantics.check(kind, root), schema.MAX_PROBLEMS)


def _facts(found: Slot, document: Document | None) -> Facts:
    root = Cursor(document.value if document else None)
    if found.kind == "Namespace":
        return namespace_facts(root)
    return package_facts(root) if found.address else None
