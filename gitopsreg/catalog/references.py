"""Checks across files (GR101, GR3xx, GR504, GR505): what one file says of another must be so."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.discovered import check_discoveries
from gitopsreg.catalog.discovery import DiscoveryFacts
from gitopsreg.catalog.facts import NamespaceFacts, PackageFacts
from gitopsreg.catalog.legal import is_inside
from gitopsreg.catalog.named import Names, check_names
from gitopsreg.catalog.nearest import Speller
from gitopsreg.catalog.operations import base_url
from gitopsreg.catalog.ownership import RESERVED, UNUSABLE, is_allowed, is_mirror
from gitopsreg.catalog.problem import Problem
from gitopsreg.errors import quoted
from gitopsreg.model.address import ModuleAddress, PackageAddress

# Replacements are followed so far: a longer way round is nobody's slip.
_LONGEST_CHAIN = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All checked files of one catalog, by what they declare."""

    checked: tuple[Checked, ...]
    registry: Checked | None
    namespaces: Mapping[str, Checked]
    keys: Mapping[tuple[str, str], Checked]
    packages: tuple[Checked, ...]
    classes: Mapping[str, Checked]
    connections: Mapping[str, str]
    has_folder: Callable[[str], bool]

    @classmethod
    def of(cls, checked: Iterable[Checked], has_folder: Callable[[str], bool]) -> "World":
        registry: Checked | None = None
        namespaces: dict[str, Checked] = {}
        keys: dict[tuple[str, str], Checked] = {}
        packages: list[Checked] = []
        classes: dict[str, Checked] = {}
        connections: dict[str, str] = {}
        every = tuple(checked)
        for one in every:
            match one.slot.kind:
                case "Registry":
                    registry = one if registry is None or one.path == "registry.yaml" else registry
                case "Namespace":
                    namespaces.setdefault(one.slot.namespace, one)
                case "SigningKey":
                    keys.setdefault((one.slot.namespace, one.slot.name), one)
                case "Module" | "Provider":
                    packages.append(one)
                case "StorageClass":
                    classes.setdefault(one.slot.name, one)
                case "Connection":
                    connections[one.slot.name] = base_url(one.cursor / "spec")
        return cls(
            checked=every,
            registry=registry,
            namespaces=namespaces,
            keys=keys,
            packages=tuple(packages),
            classes=classes,
            connections=connections,
            has_folder=has_folder,
        )


Misfit = tuple[Checked, Problem]


def check_twins(checked: Iterable[Checked]) -> Iterator[Misfit]:
    """Paths that differ in letter case or ending only: both are wrong, since nobody can say which is meant."""
    by_path: dict[str, list[Checked]] = defaultdict(list)
    for one in checked:
        by_path[one.path.lower().removesuffix(".yaml").removesuffix(".yml")].append(one)
    for twins in by_path.values():
        for one in twins if len(twins) > 1 else ():
            other = next(twin for twin in twins if twin is not one)
            message = f"{quoted(other.path)} declares the same"
            yield one, Problem(rule="GR101", message=message, hint="keep one of the two")


def check_references(world: World) -> Iterator[Misfit]:
    yield from _aliases(world)
    for namespace in world.namespaces.values():
        if namespace.slot.namespace in UNUSABLE:
            message = f"{quoted(namespace.slot.namespace)} can't be a namespace: it is a path of the registry protocol"
            yield namespace, Problem(rule="GR504", message=message, pointer="/metadata/name")
    speller = Speller()
    names = Names(world.checked, speller)
    for package in world.packages:
        for problem in _package(package, world, names, speller):
            yield package, problem
    yield from _replacements(world.packages, speller)
    yield from check_names(world.checked, names)
    yield from _without_namespace(world, speller)
    yield from check_discoveries(world.checked, world.namespaces)


def _aliases(world: World) -> Iterator[Misfit]:
    taken = set(world.namespaces) | {package.slot.namespace for package in world.packages}
    declared = [
        (one, alias, pointer)
        for one in world.namespaces.values()
        if isinstance(one.facts, NamespaceFacts)
        for alias, pointer in dict(one.facts.aliases).items()
    ]
    claims = Counter(alias for _, alias, _ in declared)
    for one, alias, pointer in declared:
        if alias in taken:
            message = f"the alias {quoted(alias)} is itself a namespace of the catalog"
            yield one, Problem(rule="GR303", message=message, hint="remove it", pointer=pointer)
        elif claims[alias] > 1:
            message = f"another namespace has the alias {quoted(alias)} too"
            yield one, Problem(rule="GR303", message=message, hint="keep it in one of them", pointer=pointer)
        elif alias in RESERVED | UNUSABLE:
            yield one, Problem(rule="GR504", message=f"the name {quoted(alias)} is reserved", pointer=pointer)


def _without_namespace(world: World, speller: Speller) -> Iterator[Misfit]:
    for one in world.checked:
        if isinstance(one.facts, DiscoveryFacts) and one.slot.namespace not in world.namespaces:
            yield one, _undeclared(one.slot.namespace, one.facts.namespace_at, world, speller)


def _undeclared(name: str, pointer: str, world: World, speller: Speller) -> Problem:
    message = f"the namespace {quoted(name)} is not declared"
    hint = speller.nearest(name, world.namespaces) or f"add namespaces/{name}/namespace.yaml"
    return Problem(rule="GR301", message=message, hint=hint, pointer=pointer)


def _package(package: Checked, world: World, names: Names, speller: Speller) -> Iterator[Problem]:
    facts, address = package.facts, package.slot.address
    if not isinstance(facts, PackageFacts) or address is None:
        return
    namespace = world.namespaces.get(package.slot.namespace)
    if namespace is None:
        yield _undeclared(package.slot.namespace, facts.namespace_at, world, speller)
    if facts.source.type:
        yield from _source(facts, address, namespace, world)
    for name, pointer in facts.keys:
        if problem := names.problem("SigningKey", package.slot.namespace, name, pointer):
            yield problem
    for path, pointer in facts.folders:
        if is_inside(path) and not world.has_folder(path):
            message = f"{quoted(path)} is not a folder of the catalog"
            yield Problem(rule="GR304", message=message, hint="write it from the catalog's root", pointer=pointer)


def _source(facts: PackageFacts, address: PackageAddress, namespace: Checked | None, world: World) -> Iterator[Problem]:
    pointer = "/spec/source"
    if address.namespace in RESERVED and not is_mirror(facts.source, address):
        message = f"the namespace {quoted(address.namespace)} is reserved"
        hint = f"only a mirror of {address.path} may be here (source type registry); choose another namespace"
        yield Problem(rule="GR504", message=message, hint=hint, pointer=pointer, on_key=True)
    allowed = namespace.facts.allowed if namespace and isinstance(namespace.facts, NamespaceFacts) else None
    if allowed is not None and not is_allowed(facts.source, allowed, world.connections):
        message = f"the namespace {quoted(address.namespace)} does not allow this source"
        hint = "its allowedSources say what it does"
        yield Problem(rule="GR505", message=message, hint=hint, pointer=pointer, on_key=True)


def _replacements(packages: Iterable[Checked], speller: Speller) -> Iterator[Misfit]:
    packages = tuple(packages)
    if not any(isinstance(one.facts, PackageFacts) and one.facts.replacement for one in packages):
        return
    known: dict[tuple[bool, str], Checked] = {}
    names: dict[bool, set[str]] = {True: set(), False: set()}
    wanted: list[tuple[Checked, tuple[bool, str], str]] = []
    for one in packages:
        if one.slot.address is None or not isinstance(one.facts, PackageFacts):
            continue
        is_module = isinstance(one.slot.address, ModuleAddress)
        known[is_module, one.slot.address.path] = one
        names[is_module].add(one.slot.address.path)
        if one.facts.replacement:
            name, pointer = one.facts.replacement
            wanted.append((one, (is_module, name), pointer))
    onward = {id(one): target for one, target, _ in wanted}
    for one, target, pointer in wanted:
        if target not in known:
            message = f"the replacement {quoted(target[1])} is not in the catalog"
            own = one.slot.address.path if one.slot.address else ""
            hint = speller.nearest(target[1], names[target[0]], besides=own)
            yield one, Problem(rule="GR305", message=message, hint=hint, pointer=pointer)
        elif _comes_back(one, known, onward):
            message = f"the replacement {quoted(target[1])} leads back here"
            yield one, Problem(rule="GR306", message=message, pointer=pointer)


def _comes_back(
    start: Checked, known: Mapping[tuple[bool, str], Checked], onward: Mapping[int, tuple[bool, str]]
) -> bool:
    seen: set[int] = set()
    at = start
    while id(at) in onward and id(at) not in seen and len(seen) < _LONGEST_CHAIN:
        seen.add(id(at))
        following = known.get(onward[id(at)])
        if following is start or following is None:
            return following is start
        at = following
    return False
