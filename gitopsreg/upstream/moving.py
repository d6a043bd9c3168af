"""Which modules of another registry are wanted, and where Git has each: one module's trouble is its own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from gitopsreg.errors import ConfigError, InvalidName, UpstreamUnavailable, quoted
from gitopsreg.model.address import ModuleAddress, namespace_name
from gitopsreg.model.constraint import Constraint
from gitopsreg.model.version import Version
from gitopsreg.upstream.getter_address import GitPlace, git_place
from gitopsreg.upstream.git_origin import GitOrigin, git_origin
from gitopsreg.upstream.module_registry import ModuleRegistry, NoListing, address_of

_MOST_MODULES = 40_000

# pool.map, or map
Parallel = Callable[[Callable[[Version], Any], Iterable[Version]], Iterable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """`modules` () are all of `namespaces`, and those () all there are. `into` "" leaves each in its own namespace."""

    modules: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    into: str = ""
    constraint: Constraint | None = None

    @classmethod
    def parse(cls, modules: Sequence[str], *, namespaces: Sequence[str], into: str, constraint: str) -> Self:
        """Raises InvalidName, and ConfigError for what contradicts itself."""
        if modules and namespaces:
            raise ConfigError("addresses and --namespace are given: write one of the two")
        for name in namespaces:
            _check_namespace("--namespace", name)
        if into:
            _check_namespace("--into", into)
        for module in modules:
            address_of(module, into)
        return cls(
            modules=tuple(dict.fromkeys(modules)),
            namespaces=tuple(dict.fromkeys(namespaces)),
            into=into,
            constraint=Constraint.parse(constraint, "module") if constraint else None,
        )

    def admits(self, version: Version) -> bool:
        return self.constraint is None or self.constraint.admits(version, prereleases=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """One module as it can be declared. `left_out` are versions that its source does not explain, with the reason."""

    module: str
    address: ModuleAddress
    origin: GitOrigin
    versions: tuple[Version, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def prereleases(self) -> bool:
        return any(version.is_prerelease for version in self.versions)


def wanted(registry: ModuleRegistry, wish: Wish) -> tuple[str, ...]:
    """The modules, as the registry writes them; none where it lists none. Raises ConfigError where they can't be found
    without their addresses, and for a namespace without any.
    """
    if wish.modules:
        return wish.modules
    found: dict[str, None] = {}
    for namespace in wish.namespaces or ("",):
        module = ""
        for module in _listed(registry, namespace):
            found[module] = None
            if len(found) > _MOST_MODULES:
                raise ConfigError(f"it lists more than {_MOST_MODULES:,} modules: choose with --namespace")
        if namespace and not module:
            right = "check how it is written, or leave --namespace out and take all"
            raise ConfigError(f"the registry lists no modules in the namespace {quoted(namespace)}: {right}")
    return tuple(found)


def _listed(registry: ModuleRegistry, namespace: str) -> Iterator[str]:
    """Raises ConfigError where nothing is listed."""
    try:
        yield from registry.modules(namespace)
    except NoListing as error:
        lacks = f"has no namespace {quoted(namespace)}, or " if namespace else ""
        right = "write their addresses, like platform/vpc/aws"
        raise ConfigError(f"this registry {lacks}does not list its modules ({error}): {right}") from error


def moving(registry: ModuleRegistry, module: str, wish: Wish, parallel: Parallel = map) -> Moving:
    """Raises InvalidName for a module that can't be declared with a source of type git, UpstreamUnavailable."""
    address = address_of(module, wish.into)
    texts = registry.versions(module)
    versions, left_out = _versions(texts, wish)
    if not versions:
        raise InvalidName(_nothing(texts, wish))
    found = zip(versions, parallel(partial(_place, registry, module, versions), versions), strict=True)
    places: dict[Version, GitPlace] = {}
    for version, place in found:
        if isinstance(place, GitPlace):
            places[version] = place
        else:
            left_out.append((version.text, place))
    if not places:
        raise InvalidName(left_out[-1][1])
    origin = git_origin(places)
    left_out += [(version.text, reason) for version, reason in origin.unexplained]
    explained = {version for version, _ in origin.unexplained}
    kept = tuple(sorted(version for version in places if version not in explained))
    return Moving(module=module, address=address, origin=origin, versions=kept, left_out=tuple(left_out))


def _nothing(texts: Sequence[str], wish: Wish) -> str:
    """Why no version of these is taken."""
    if wish.constraint is None or not texts:
        return "it has no versions"
    return f"--constraint {quoted(wish.constraint.text)} admits none of its versions, like {quoted(texts[0])}"


def _check_namespace(flag: str, name: str) -> None:
    """Raises InvalidName that says where the name was written."""
    try:
        namespace_name(name.lower())
    except InvalidName as error:
        right = str(error).rpartition(": ")[2]
        raise InvalidName(f"{flag} {quoted(name)} is no namespace: {right}") from error


def _versions(texts: Iterable[str], wish: Wish) -> tuple[dict[Version, str], list[tuple[str, str]]]:
    """Versions with how the registry writes them; what is no version is left out."""
    versions: dict[Version, str] = {}
    left_out: list[tuple[str, str]] = []
    for text in texts:
        try:
            version = Version.parse(text.removeprefix("v"))
        except InvalidName as error:
            left_out.append((text, str(error)))
            continue
        if wish.admits(version):
            versions.setdefault(version, text)
    return versions, left_out


def _place(registry: ModuleRegistry, module: str, texts: dict[Version, str], version: Version) -> GitPlace | str:
    """Where the version lies, or why it can't be taken from Git."""
    try:
        return git_place(registry.location(module, texts[version]))
    except InvalidName as error:
        return str(error)


def moves(
    registry: ModuleRegistry, modules: Iterable[str], wish: Wish, parallel: Parallel = map
) -> Iterator[tuple[str, Moving | str]]:
    """Each module, or why it is left out."""
    seen: dict[ModuleAddress, str] = {}
    for module in modules:
        try:
            found = moving(registry, module, wish, parallel)
            other = seen.setdefault(found.address, module)
            yield module, found if other == module else f'"{other}" has that address already'
        except (InvalidName, UpstreamUnavailable) as error:
            yield module, str(error)
