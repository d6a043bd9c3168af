"""One file by itself: everything that can be said of it without looking at another. Reads that file, nothing else."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gitopsreg.catalog import discovery, modeline, schema, semantics
from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.discovery import DiscoveryFacts
from gitopsreg.catalog.facts import NamespaceFacts, PackageFacts, namespace_facts, package_facts
from gitopsreg.catalog.files import CatalogFile
from gitopsreg.catalog.identity import check_identity, check_kind
from gitopsreg.catalog.ignores import Ignore, read_ignores
from gitopsreg.catalog.layout import Slot, folders_near, places_near, slot
from gitopsreg.catalog.loader import MAX_BYTES, Document, Parsed, parse
from gitopsreg.catalog.locate import locate
from gitopsreg.catalog.lookalike import foreign_letters, foreign_path, invisible
from gitopsreg.catalog.mentions import Mention, mentions
from gitopsreg.catalog.nearest import did_you_mean
from gitopsreg.catalog.problem import Problem, Span
from gitopsreg.catalog.report import Finding
from gitopsreg.catalog.secret import find

_MODES = {
    "symlink": "a symlink is not a declaration",
    "submodule": "a submodule is not a declaration",
    "other": "this is neither a file nor a folder that is read",
}
Facts = PackageFacts | NamespaceFacts | DiscoveryFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file and all that is wrong with it; `broken` when any of it is an error. The paths are the catalog's own.

    `ignores` are its comments that silence findings; nothing is silenced yet. `mentions` are the names it gives.
    """

    path: str
    slot: Slot
    document: Document | None
    findings: tuple[Finding, ...]
    facts: Facts
    broken: bool
    ignores: tuple[Ignore, ...] = ()
    mentions: tuple[Mention, ...] = ()

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.document.value if self.document else None)


# Files in, the same files checked and in the same order out.
CheckEach = Callable[[Sequence[CatalogFile]], Iterable[Checked]]


def check_each(files: Sequence[CatalogFile]) -> Iterable[Checked]:
    """Each of `files` checked, in order."""
    return map(check_file, files)


def check_file(file: CatalogFile) -> Checked:
    found = slot(file.path)
    problems = [*_misplaced(file, found)]
    parsed = _read(file) if file.mode == "file" else Parsed(None, ())
    problems += parsed.problems
    problems += _secrets(parsed.text)
    problems += (*foreign_path(file.path), *invisible(parsed.text))
    document = parsed.document
    if document and found.kind:
        problems += _document(document, found)
    if found.kind:
        problems += modeline.check(parsed.text, found.kind)
    ignores = read_ignores(parsed.text)
    problems += ignores.problems
    return _checked(file.path, found, parsed, problems, ignores.ignores)


def _checked(path: str, found: Slot, parsed: Parsed, problems: list[Problem], ignores: tuple[Ignore, ...]) -> Checked:
    document, text = parsed.document, parsed.text
    lent = document or (Document(None, text) if text else None)
    findings = sorted(locate(problems, lent, path, str(found.address or "")), key=lambda finding: finding.order)
    return Checked(
        path=path,
        slot=found,
        document=document,
        findings=tuple(findings),
        facts=_facts(found, document),
        broken=any(finding.severity == "error" for finding in findings),
        ignores=ignores,
        mentions=mentions(found.kind, Cursor(document.value if document else None)),
    )


def remade(path: str, text: str, value: Any) -> Checked:
    """What `check_file` makes of a file that there is nothing to tell of, from the value of its text."""
    found, document = slot(path), Document(value, text)
    return Checked(
        path=path,
        slot=found,
        document=document,
        findings=(),
        facts=_facts(found, document),
        broken=False,
        mentions=mentions(found.kind, Cursor(value)),
    )


def _misplaced(file: CatalogFile, found: Slot) -> Iterator[Problem]:
    if file.mode != "file":
        yield Problem(rule="GR107", message=_MODES[file.mode], hint="put an ordinary file here")
    elif not found.kind:
        hint = did_you_mean((*file.path.split("/"), "", "")[2], folders_near(file.path))
        hint = hint or f"places are {', '.join(places_near(file.path))}"
        yield Problem(rule="GR102", message="no declaration belongs at this path", hint=hint)
    elif not file.path.endswith(".yaml"):
        right = file.path.rpartition(".")[0] + ".yaml"
        message, hint = "a declaration's file name ends in .yaml", f"rename it to {right}"
        yield Problem(rule="GR105", message=message, hint=hint, move_to=right)
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
    for start, end, kind in islice(find(text), schema.MAX_PROBLEMS):
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
    yield from check_identity(root, found)
    yield from foreign_letters(root) if not document.text.isascii() else ()
    yield from islice(semantics.check(kind, root), schema.MAX_PROBLEMS)


def _facts(found: Slot, document: Document | None) -> Facts:
    root = Cursor(document.value if document else None)
    if found.kind == "Namespace":
        return namespace_facts(root)
    if found.kind == "Discovery":
        return discovery.facts(root)
    return package_facts(root) if found.address else None
