"""Checks across files (GR101, GR3xx, GR504, GR505): what one file says of another must be so."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.discovered import check_discoveries
from gitopsreg.catalog.discovery import DiscoveryFacts
from gitopsreg.catalog.facts import NamespaceFacts, PackageFacts
from gitopsreg.catalog.legal import is_inside
from gitopsreg.catalog.named import Names
from gitopsreg.catalog.nearest import Speller
from gitopsreg.catalog.ownership import RESERVED, UNUSABLE, is_allowed, is_mirror
from gitopsreg.catalog.part import CheckedPart, discovery_facts
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.world import World
from gitopsreg.errors import quoted
from gitopsreg.model.address import ModuleAddress, PackageAddress

# Replacements are followed so far: a longer way round is nobody's slip.
_LONGEST_CHAIN = 64

# A file, and what is wrong with it.
Misfit = tuple[Checked, Problem]


def check_twins(checked: Iterable[Checked]) -> Iterator[Misfit]:
    """Paths that differ in letter case or ending only: both are wrong, since nobody can say which is meant."""
    by_path: dict[str, dict[str, Checked]] = defaultdict(dict)
    for one in checked:
        by_path[one.path.lower().removesuffix(".yaml").removesuffix(".yml")][one.path] = one
    for twins in by_path.values():
        for path, one in twins.items() if len(twins) > 1 else ():
            other = next(twin for twin in twins if twin != path)
            message = f"{quoted(other)} declares the same"
            yield one, Problem(rule="GR101", message=message, hint="keep one of the two")


def check_part(part: CheckedPart, world: World, names: Names, speller: Speller) -> Iterator[Misfit]:
    """What is wrong between the files of one part, and between them and those that lie in no namespace. Nothing else
    has a share in whether there is anything, only in what is proposed instead.
    """
    yield from check_twins(part.checked)
    for namespace in part.namespaces.values():
        if namespace.slot.namespace in UNUSABLE:
            message = f"{quoted(namespace.slot.namespace)} can't be a namespace: it is a path of the registry protocol"
            yield namespace, Problem(rule="GR504", message=message, pointer="/metadata/name")
    for package in part.packages:
        for problem in _package(package, part, world, names, speller):
            yield package, problem
    for one in part.checked:
        for problem in names.problems(one, "Namespace", among=False):
            yield one, problem
    for one in part.discoveries:
        if isinstance(one.facts, DiscoveryFacts) and one.slot.namespace not in part.namespaces:
            yield one, _undeclared(one.slot.namespace, one.facts.namespace_at, world, speller)


def check_references(world: World, names: Names, speller: Speller) -> Iterator[Misfit]:
    """What is wrong between namespaces."""
    yield from _aliases(world)
    yield from _folders(world)
    yield from _replacements(world, speller)
    for part in world.parts.values():
        for one in part.naming_namespaces:
            for problem in names.problems(one, "Namespace", among=True):
                yield one, problem
    yield from check_discoveries(discovery_facts(world.parts), world)


def _aliases(world: World) -> Iterator[Misfit]:
    declared = [
        (one, alias, pointer)
        for part in world.parts.values()
        for one in part.aliasing
        if isinstance(one.facts, NamespaceFacts)
        for alias, pointer in dict(one.facts.aliases).items()
    ]
    claims = Counter(alias for _, alias, _ in declared)
    for one, alias, pointer in declared:
        if _is_namespace(alias, world):
            message = f"the alias {quoted(alias)} is itself a namespace of the catalog"
            yield one, Problem(rule="GR303", message=message, hint="remove it", pointer=pointer)
        elif claims[alias] > 1:
            message = f"another namespace has the alias {quoted(alias)} too"
            yield one, Problem(rule="GR303", message=message, hint="keep it in one of them", pointer=pointer)
        elif alias in RESERVED | UNUSABLE:
            yield one, Problem(rule="GR504", message=f"the name {quoted(alias)} is reserved", pointer=pointer)


def _is_namespace(name: str, world: World) -> bool:
    part = world.parts.get(name.lower())
    if part is None:
        return False
    return name in part.namespaces or any(package.slot.namespace == name for package in part.packages)


def _folders(world: World) -> Iterator[Misfit]:
    for part in world.parts.values():
        for one in part.foldered:
            for path, pointer in one.facts.folders if isinstance(one.facts, PackageFacts) else ():
                if is_inside(path) and not world.has_folder(path):
                    message = f"{quoted(path)} is not a folder of the catalog"
                    hint = "write it from the catalog's root"
                    yield one, Problem(rule="GR304", message=message, hint=hint, pointer=pointer)


def _undeclared(name: str, pointer: str, world: World, speller: Speller) -> Problem:
    message = f"the namespace {quoted(name)} is not declared"
    hint = speller.nearest(name, world.namespaces) or f"add namespaces/{name}/namespace.yaml"
    return Problem(rule="GR301", message=message, hint=hint, pointer=pointer)


def _package(package: Checked, part: CheckedPart, world: World, names: Names, speller: Speller) -> Iterator[Problem]:
    facts, address = package.facts, package.slot.address
    if not isinstance(facts, PackageFacts) or address is None:
        return
    namespace = part.namespaces.get(package.slot.namespace)
    if namespace is None:
        yield _undeclared(package.slot.namespace, facts.namespace_at, world, speller)
    if facts.source.type:
        yield from _source(facts, address, namespace, world)
    for name, pointer in facts.keys:
        if problem := names.problem("SigningKey", package.slot.namespace, name, pointer):
            yield problem


def _source(facts: PackageFacts, address: PackageAddress, namespace: Checked | None, world: World) -> Iterator[Problem]:
    pointer = "/spec/source"
    if address.namespace in RESERVED and not is_mirror(facts.source, address):
        message = f"the namespace {quoted(address.namespace)} is reserved"
        hint = f"only a mirror of {address.path} may be here (source type registry); choose another namespace"
        yield Problem(rule="GR504", message=message, hint=hint, pointer=pointer, on_key=True)
    allowed = namespace.facts.allowed if namespace and isinstance(namespace.facts, NamespaceFacts) else None
    if allowed is not None and not is_allowed(facts.source, allowed, world.base_urls):
        message = f"the namespace {quoted(address.namespace)} does not allow this source"
        hint = "its allowedSources say what it does"
        yield Problem(rule="GR505", message=message, hint=hint, pointer=pointer, on_key=True)


def _replacements(world: World, speller: Speller) -> Iterator[Misfit]:
    wanted = [_replacement(one) for part in world.parts.values() for one in part.replaced]
    for one, target, pointer in wanted:
        if world.package(*target) is None:
            message = f"the replacement {quoted(target[1])} is not in the catalog"
            own = one.slot.address.path if one.slot.address else ""
            hint = speller.nearest(target[1], _paths(world, is_module=target[0]), besides=own)
            yield one, Problem(rule="GR305", message=message, hint=hint, pointer=pointer)
        elif _comes_back(one, world):
            message = f"the replacement {quoted(target[1])} leads back here"
            yield one, Problem(rule="GR306", message=message, pointer=pointer)


def _replacement(one: Checked) -> tuple[Checked, tuple[bool, str], str]:
    """(the package, the other one as World.package takes it, pointer to its name)"""
    name, pointer = (isinstance(one.facts, PackageFacts) and one.facts.replacement) or ("", "")
    return one, (isinstance(one.slot.address, ModuleAddress), name), pointer


def _paths(world: World, *, is_module: bool) -> set[str]:
    addresses = (one.slot.address for one in world.packages())
    return {each.path for each in addresses if each is not None and isinstance(each, ModuleAddress) == is_module}


def _comes_back(start: Checked, world: World) -> bool:
    seen: set[int] = set()
    at = start
    while isinstance(at.facts, PackageFacts) and at.facts.replacement and id(at) not in seen:
        seen.add(id(at))
        following = world.package(*_replacement(at)[1])
        if following is start or following is None or len(seen) == _LONGEST_CHAIN:
            return following is start
        at = following
    return False
