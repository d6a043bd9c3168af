"""A state of the catalog becomes declarations and findings: every file, all problems at once. Never raises for content.

One bad entry costs one entry: a package with an error is declared but invalid, and keeps what it last published.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gitopsreg.catalog import declarations
from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.defaults import Spec, inheritable
from gitopsreg.catalog.discoveries import Discoveries
from gitopsreg.catalog.discovery import DiscoveryFacts
from gitopsreg.catalog.facts import PackageFacts
from gitopsreg.catalog.files import MAX_TOTAL, MOST_FILES, CatalogFiles
from gitopsreg.catalog.fix import Fix
from gitopsreg.catalog.ignores import idle, silence
from gitopsreg.catalog.layout import is_declaration
from gitopsreg.catalog.loader import MAX_BYTES
from gitopsreg.catalog.locate import locate
from gitopsreg.catalog.lookalike import twins_of
from gitopsreg.catalog.memo import Memo
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.references import World, check_references, check_twins
from gitopsreg.catalog.report import Finding
from gitopsreg.catalog.schema import IDLE_KINDS, PARTLY_IDLE_KINDS
from gitopsreg.catalog.unusable import first_error, reason_of
from gitopsreg.errors import quoted
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.declaration import (
    Catalog,
    DiscoveryDeclaration,
    InvalidPackage,
    PackageDeclaration,
    RegistryDeclaration,
    Retention,
    SigningKey,
    StorageClass,
)

__all__ = ["Loaded", "Memo", "load"]

Name = TypeVar("Name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """`files` counts the declarations that were read. `registry_broken` says why registry.yaml can't be used ("" when
    it can, or when there is none): then nothing may be published.

    `suppressed` are the findings that comments silence: they are no part of `findings`, yet what they are about stays
    as unusable as it is. `idle` are (kind, path) of sound declarations that this release does not act on, by path as
    in the catalog. `checked` are the files, `root` what stands before their paths in findings.
    """

    catalog: Catalog
    findings: tuple[Finding, ...]
    files: int
    registry_broken: str = ""
    suppressed: tuple[Finding, ...] = ()
    idle: tuple[tuple[str, str], ...] = ()
    checked: tuple[Checked, ...] = field(default=(), repr=False, compare=False)
    root: str = ""

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")


def load(files: CatalogFiles, *, memo: Memo | None = None) -> Loaded:
    """Everything that the catalog declares and everything that is wrong with it. A `memo` makes the next load quick.

    Raises only what `CatalogFile.read` and `has_folder` raise, except OSError, which is a finding.
    """
    if len(files.files) > MOST_FILES:
        return _refused(files, "GR012", f"the catalog has more than {MOST_FILES:,} files")
    declared = [file for file in files.files if file.mode != "file" or is_declaration(file.path)]
    if sum(file.size for file in declared if file.size <= MAX_BYTES) > MAX_TOTAL:
        return _refused(files, "GR014", f"the declarations have more than {MAX_TOTAL} bytes in all")
    if not declared:
        return _empty(files)
    memo = memo or Memo()
    checked = memo.check(declared)
    world = World.of(checked, files.has_folder)
    found = _findings(checked, world)
    return _Loading(files, world, found, memo).loaded(len(checked))


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


def _findings(checked: Iterable[Checked], world: World) -> dict[str, tuple[Finding, ...]]:
    """By path, sorted; only of files that have any."""
    misfits: dict[str, list[Problem]] = defaultdict(list)
    by_path = {one.path: one for one in checked}
    for one, problem in (*check_twins(by_path.values()), *check_references(world), *_lookalikes(world)):
        misfits[one.path].append(problem)
    found = {path: one.findings for path, one in by_path.items() if one.findings}
    for path, problems in misfits.items():
        one = by_path[path]
        more = locate(problems, one.document, path, str(one.slot.address or ""))
        found[path] = tuple(sorted((*one.findings, *more), key=lambda finding: finding.order))
    return found


def _lookalikes(world: World) -> Iterator[tuple[Checked, Problem]]:
    for name, other in twins_of(world.namespaces):
        message = f"the namespace {quoted(name)} looks like {quoted(other)}"
        hint = "choose a name that nobody mistakes for the other"
        yield world.namespaces[name], Problem(rule="GR509", message=message, hint=hint, pointer="/metadata/name")


class _Loading:
    """One load, once all is checked: what is whole becomes a declaration."""

    def __init__(self, files: CatalogFiles, world: World, found: dict[str, tuple[Finding, ...]], memo: Memo) -> None:
        self.files = files
        self.world = world
        self.found = found
        self.memo = memo
        self.paths = {one.path for one in world.checked}
        self.errors = {path: error for path, findings in found.items() if (error := first_error(findings))}
        self.keys: dict[tuple[str, str], SigningKey] = {
            (namespace, name): declarations.signing_key(namespace, name, value)
            for (namespace, name), value in self._sound(world.keys)
        }
        self.classes: dict[str, StorageClass] = {
            name: declarations.storage_class(name, value) for name, value in self._sound(world.classes)
        }
        self.registry_defaults = self._defaults(world.registry)
        self.defaults = {name: self._defaults(one) for name, one in world.namespaces.items()}
        self.discoveries = Discoveries(world.checked, self.errors)

    def loaded(self, files: int) -> Loaded:
        packages, invalid = self._packages()
        discoveries, idle_discoveries = self.discoveries.declared(self._why_invalid, self._discovery)
        broken = self.errors.get(self.world.registry.path) if self.world.registry else None
        catalog = Catalog(
            revision=self.files.revision,
            time=self.files.time,
            registry=self._registry(),
            namespaces=tuple(
                declarations.namespace(name, value) for name, value in sorted(self._sound(self.world.namespaces))
            ),
            packages=tuple(packages),
            invalid=tuple(invalid),
            discoveries=discoveries,
            idle_discoveries=idle_discoveries,
            retention=self._retention(),
        )
        told = self._told()
        return Loaded(
            catalog=catalog,
            findings=tuple(finding for finding in told if not finding.suppressed),
            files=files,
            registry_broken=f"{broken.path}: {broken.message}" if broken else "",
            suppressed=tuple(finding for finding in told if finding.suppressed),
            idle=self._idle(),
            checked=self.world.checked,
            root=self.files.root,
        )

    def _idle(self) -> tuple[tuple[str, str], ...]:
        sound = (one for one in self.world.checked if self._is_idle(one) and self._value(one) is not None)
        return tuple((one.slot.kind, one.path) for one in sorted(sound, key=lambda one: one.path))

    def _is_idle(self, one: Checked) -> bool:
        partly = one.slot.kind in PARTLY_IDLE_KINDS
        return one.slot.kind in IDLE_KINDS or (partly and not self.discoveries.acts_on(one))

    def _told(self) -> list[Finding]:
        """All findings in order, by the paths that the user knows; comments in the files have silenced some."""
        root = self.files.root
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
        taken = one.fix.move_to in self.paths
        return None if taken else replace(one.fix, move_to=root + one.fix.move_to)

    def _heard(self) -> Iterator[Iterable[Finding]]:
        speaking = {one.path: one for one in self.world.checked if one.ignores}
        yield from (findings for path, findings in self.found.items() if path not in speaking)
        for path, one in speaking.items():
            findings = self.found.get(path, ())
            yield silence(findings, one.ignores)
            yield locate(idle(one.ignores, findings), one.document, path, str(one.slot.address or ""))

    def _value(self, one: Checked | None) -> Spec | None:
        """The document of a file without errors."""
        if one is None or one.document is None or one.path in self.errors:
            return None
        value: Spec = one.document.value
        return value

    def _sound(self, some: Mapping[Name, Checked]) -> Iterator[tuple[Name, Spec]]:
        """The documents of the files without errors."""
        values = ((name, self._value(one)) for name, one in some.items())
        return ((name, value) for name, value in values if value is not None)

    def _defaults(self, one: Checked | None) -> Spec:
        value = self._value(one)
        return inheritable(value["spec"].get("defaults")) if value else {}

    def _registry(self) -> RegistryDeclaration:
        value = self._value(self.world.registry)
        return declarations.registry(value) if value else RegistryDeclaration()

    def _retention(self) -> Retention:
        said = [declarations.retention(value) for _, value in self._sound(self.world.classes)] or [Retention()]
        return Retention(snapshots=max(one.snapshots for one in said), grace=max(one.grace for one in said))

    def _packages(self) -> tuple[list[PackageDeclaration], list[InvalidPackage]]:
        packages: dict[PackageAddress, PackageDeclaration] = {}
        invalid: dict[PackageAddress, InvalidPackage] = {}
        steady = self.memo.is_steady((self.registry_defaults, self.defaults, self.keys, self.classes, self.errors))
        for one in self.world.packages:
            address = one.slot.address
            if address is None:
                continue
            if steady and (known := self.memo.known(one)) is not None:
                packages[address] = known
            elif (reason := self._why_invalid(one)) is not None:
                self.memo.forget(one)
                invalid.setdefault(
                    address, InvalidPackage(address=address, path=one.path, reason=reason[0], message=reason[1])
                )
            else:
                packages[address] = self._package(one, address)
        return list(packages.values()), list(invalid.values())

    def _why_invalid(self, one: Checked) -> tuple[str, str] | None:
        """(reason, message), or None for a sound package."""
        if error := self.errors.get(one.path):
            return reason_of(error), error.message
        namespace = self.world.namespaces[one.slot.namespace]
        if error := self.errors.get(namespace.path):
            return "DependencyNotReady", f"{namespace.path} is invalid: {error.message}"
        for name in _key_names(one):
            key = self.world.keys[one.slot.namespace, name]
            if error := self.errors.get(key.path):
                return "DependencyNotReady", f"{key.path} is invalid: {error.message}"
        storage = self.world.classes.get(self._storage_class(one))
        if storage and (error := self.errors.get(storage.path)):
            return "DependencyNotReady", f"{storage.path} is invalid: {error.message}"
        return None

    def _storage_class(self, one: Checked) -> str:
        """The name of the one that holds for a package, "" for none."""
        spec = (self._value(one) or {}).get("spec", {})
        said = [*self._inherited(one), spec.get("template", {}) if one.slot.kind == "Discovery" else spec]
        name = next((layer["storageClass"] for layer in reversed(said) if "storageClass" in layer), None)
        return str(name or "")

    def _inherited(self, one: Checked) -> tuple[Spec, Spec]:
        return self.registry_defaults, self.defaults[one.slot.namespace]

    def _discovery(self, one: Checked, connection: Checked) -> DiscoveryDeclaration:
        keys = tuple(self.keys[one.slot.namespace, name] for name in _key_names(one))
        documents = self._value(one) or {}, self._value(connection) or {}
        place = one.slot.namespace, one.slot.name, one.path
        return declarations.discovery(place, *documents, self._inherited(one), keys, self.classes)

    def _package(self, one: Checked, address: PackageAddress) -> PackageDeclaration:
        keys = tuple(self.keys[one.slot.namespace, name] for name in _key_names(one))
        inherited = self._inherited(one)
        value = self._value(one) or {}
        return self.memo.declaration(
            one,
            (inherited, keys, self.classes),
            lambda: declarations.package(address, one.path, value, inherited, keys, self.classes),
        )


def _key_names(one: Checked) -> tuple[str, ...]:
    return tuple(name for name, _ in one.facts.keys) if isinstance(one.facts, PackageFacts | DiscoveryFacts) else ()
