"""A state of the catalog becomes declarations and findings: every file, all problems at once. Never raises for content.

One bad entry costs one entry: a package with an error is declared but invalid, and keeps what it last published.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.declare import Declaring, Errors
from gitopsreg.catalog.files import MAX_TOTAL, MOST_FILES, CatalogFiles, part_of, parts_of
from gitopsreg.catalog.fix import Fix
from gitopsreg.catalog.ignores import idle, silence
from gitopsreg.catalog.locate import locate
from gitopsreg.catalog.lookalike import twins_of
from gitopsreg.catalog.memo import Memo
from gitopsreg.catalog.named import Names
from gitopsreg.catalog.nearest import Speller
from gitopsreg.catalog.part import CheckedPart
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.references import Misfit, check_part, check_references
from gitopsreg.catalog.report import Finding
from gitopsreg.catalog.unusable import first_error
from gitopsreg.catalog.world import World
from gitopsreg.errors import quoted
from gitopsreg.model.catalog import Catalog

__all__ = ["Loaded", "Memo", "load"]

# Of one part, by path, sorted; only of files that have any.
Found = Mapping[str, tuple[Finding, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """`files` counts the declarations that were read. `registry_broken` says why registry.yaml can't be used ("" when
    it can, or when there is none): then nothing may be published.

    `suppressed` are the findings that comments silence: they are no part of `findings`, yet what they are about stays
    as unusable as it is. `idle` are (kind, path) of sound declarations that this release does not act on, by path as
    in the catalog. `parts` are the files by namespace, `root` what stands before their paths in findings.
    """

    catalog: Catalog
    findings: tuple[Finding, ...]
    files: int
    registry_broken: str = ""
    suppressed: tuple[Finding, ...] = ()
    idle: tuple[tuple[str, str], ...] = ()
    parts: Mapping[str, CheckedPart] = field(default_factory=dict, repr=False, compare=False)
    root: str = ""

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def checked(self) -> tuple[Checked, ...]:
        """The files."""
        return tuple(one for part in self.parts.values() for one in part.checked)


def load(files: CatalogFiles, *, memo: Memo | None = None, declare: bool = True) -> Loaded:
    """Everything that the catalog declares and everything that is wrong with it. A `memo` makes the next load quick.
    Who wants only to know what is wrong need not `declare`: then the catalog is empty.

    Raises only what `CatalogFile.read` and `has_folder` raise, except OSError, which is a finding.
    """
    if len(files.files) > MOST_FILES:
        return _refused(files, "GR012", f"the catalog has more than {MOST_FILES:,} files")
    memo = memo or Memo()
    sorted_out = memo.sort(parts_of(files.files))
    if sum(some.size for some in sorted_out.values()) > MAX_TOTAL:
        return _refused(files, "GR014", f"the declarations have more than {MAX_TOTAL} bytes in all")
    if not sorted_out:
        return _empty(files)
    world = World(memo.parts(sorted_out), files.has_folder)
    return _Loading(files, world, memo).loaded(declare=declare)


def _refused(files: CatalogFiles, rule: str, message: str) -> Loaded:
    problem = Problem(rule=rule, message=message, hint="move what is no declaration out of its folders")
    findings = tuple(locate([problem], None, files.root or ".", ""))
    catalog = Catalog(revision=files.revision, time=files.time)
    return Loaded(catalog=catalog, findings=findings, files=len(files.files), registry_broken=message)


def _empty(files: CatalogFiles) -> Loaded:
    message = "there is no declaration here"
    hint = "name the catalog's folder, the one that holds namespaces/; or is it not committed yet?"
    findings = tuple(locate([Problem(rule="GR114", message=message, hint=hint)], None, files.root or ".", ""))
    return Loaded(catalog=Catalog(revision=files.revision, time=files.time), findings=findings, files=0)


def _findings(world: World, memo: Memo) -> dict[str, Found]:
    """By part; only of parts that have any."""
    misfits: dict[str, list[Misfit]] = defaultdict(list)
    speller = Speller()
    names = Names(world, speller)
    for part in world.parts.values():
        if not memo.is_sound(part, world.top):
            if wrong := list(check_part(part, world, names, speller)):
                misfits[part.name] = wrong
            else:
                memo.found_sound(part)
    for one, problem in (*check_references(world, names, speller), *_lookalikes(world, memo)):
        misfits[part_of(one.path)].append((one, problem))
    told = (part for part in world.parts.values() if part.noted or part.name in misfits)
    return {part.name: _located(part, misfits.get(part.name, ())) for part in told}


def _located(part: CheckedPart, misfits: Iterable[Misfit]) -> Found:
    by_path: dict[str, list[Problem]] = defaultdict(list)
    for one, problem in misfits:
        by_path[one.path].append(problem)
    found = {one.path: one.findings for one in part.noted}
    for path, problems in by_path.items():
        one = part.by_path[path]
        more = locate(problems, one.document, path, str(one.slot.address or ""))
        found[path] = tuple(sorted((*one.findings, *more), key=lambda finding: finding.order))
    return found


def _lookalikes(world: World, memo: Memo) -> Iterator[Misfit]:
    for name, other in memo.twins(world.namespaces, twins_of):
        message = f"the namespace {quoted(name)} looks like {quoted(other)}"
        hint = "choose a name that nobody mistakes for the other"
        yield world.namespaces[name], Problem(rule="GR509", message=message, hint=hint, pointer="/metadata/name")


class _Loading:
    """One load, once all is checked."""

    def __init__(self, files: CatalogFiles, world: World, memo: Memo) -> None:
        self._files = files
        self._world = world
        self._found = _findings(world, memo)
        errors = {name: _errors(found) for name, found in self._found.items()}
        self._declaring = Declaring(world, {name: some for name, some in errors.items() if some}, memo)
        memo.forget_but(world.parts)

    def loaded(self, *, declare: bool) -> Loaded:
        told = self._told()
        revision, time = self._files.revision, self._files.time
        return Loaded(
            catalog=self._declaring.catalog(revision, time) if declare else Catalog(revision=revision, time=time),
            findings=tuple(finding for finding in told if not finding.suppressed),
            files=self._world.files,
            registry_broken=self._declaring.registry_broken,
            suppressed=tuple(finding for finding in told if finding.suppressed),
            idle=self._idle(),
            parts=self._world.parts,
            root=self._files.root,
        )

    def _idle(self) -> tuple[tuple[str, str], ...]:
        found = (one for part in self._world.parts.values() for one in part.idle if self._declaring.is_idle(one))
        return tuple((one.slot.kind, one.path) for one in sorted(found, key=lambda one: one.path))

    def _told(self) -> list[Finding]:
        """All findings in order, by the paths that the user knows; comments in the files have silenced some."""
        root = self._files.root
        findings = [
            replace(one, path=root + one.path, fix=self._fix(one, root))
            for findings in self._heard()
            for one in findings
        ]
        return sorted(findings, key=lambda finding: finding.order)

    def _fix(self, one: Finding, root: str) -> Fix | None:
        """No file is moved to where another one is."""
        if one.fix is None or not one.fix.move_to:
            return one.fix
        taken = one.fix.move_to in self._paths
        return None if taken else replace(one.fix, move_to=root + one.fix.move_to)

    @cached_property
    def _paths(self) -> set[str]:
        return {one.path for part in self._world.parts.values() for one in part.checked}

    def _heard(self) -> Iterator[Iterable[Finding]]:
        speaking = {one.path: one for part in self._world.parts.values() for one in part.silencing}
        for found in self._found.values():
            yield from (findings for path, findings in found.items() if path not in speaking)
        for path, one in speaking.items():
            findings = self._found.get(part_of(path), {}).get(path, ())
            yield silence(findings, one.ignores)
            yield locate(idle(one.ignores, findings), one.document, path, str(one.slot.address or ""))


def _errors(found: Found) -> Errors:
    """By path; of files that can't be used."""
    return {path: error for path, findings in found.items() if (error := first_error(findings))}
