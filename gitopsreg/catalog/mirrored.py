"""The catalog that declares a registry kept in Git as it is: what each of its files says. Pure; writes nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitopsreg.catalog import compose
from gitopsreg.catalog.canonical import WIDTH
from gitopsreg.catalog.defaults import Spec
from gitopsreg.catalog.facts import SourceFacts
from gitopsreg.catalog.layout import path_of
from gitopsreg.catalog.lookalike import twins_of
from gitopsreg.catalog.ownership import RESERVED, UNUSABLE, is_mirror
from gitopsreg.errors import quoted
from gitopsreg.model.address import ModuleAddress, PackageAddress, ProviderAddress
from gitopsreg.model.declaration import ContentDelivery

_TYPE = "opentofu-git"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for every package. `inherited` are the defaults of the catalog that it is added to, None where a new
    one is made: its registry.yaml says what is the same for all, elsewhere each file must.
    """

    url: str
    delivery: ContentDelivery
    constraint: str = ""
    inherited: Spec | None = None

    @property
    def spelt_out(self) -> bool:
        """Whether each file says how it is delivered, and that pre-releases count."""
        if self.inherited is None:
            return False
        versions = self.inherited.get("versions") or {}
        return self.inherited.get("delivery") != self.delivery or versions.get("prereleases") is not True


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """`files` are path → text, in an order of which any first part is a valid catalog. `refused` are (address, why);
    `keys` counts them; `similar` are pairs of namespaces that somebody may mistake for each other.
    """

    files: Mapping[str, str]
    packages: tuple[PackageAddress, ...]
    namespaces: tuple[str, ...]
    keys: int = 0
    refused: tuple[tuple[PackageAddress, str], ...] = ()
    similar: tuple[tuple[str, str], ...] = ()


def mirrored(
    packages: Mapping[PackageAddress, str],
    keys: Iterable[compose.NewKey],
    trusted: Mapping[ProviderAddress, tuple[str, ...]],
    terms: Terms,
) -> Mirrored:
    """`packages` are addresses with how the registry writes them; `trusted` are the names of keys by provider."""
    refused = {address: why for address, written in packages.items() if (why := _refusal(address, written))}
    by_namespace: dict[str, list[PackageAddress]] = defaultdict(list)
    for address in packages:
        if address not in refused:
            by_namespace[address.namespace].append(address)
    useful = [key for key in keys if key.namespace in by_namespace]
    files = {} if terms.inherited is not None else {path_of("Registry"): registry(terms)}
    for name, addresses in sorted(by_namespace.items()):
        files[path_of("Namespace", namespace=name)] = namespace(name)
        for key in (key for key in useful if key.namespace == name):
            files[path_of("SigningKey", namespace=name, name=key.name)] = compose.key(key)
        for address in addresses:
            names = trusted.get(address, ()) if isinstance(address, ProviderAddress) else ()
            files[place_of(address)] = package(address, packages[address], terms, names)
    return Mirrored(
        files=files,
        packages=tuple(address for address in packages if address not in refused),
        namespaces=tuple(sorted(by_namespace)),
        keys=len(useful),
        refused=tuple(refused.items()),
        similar=tuple(sorted({_sorted(pair) for pair in twins_of(by_namespace)})),
    )


def _sorted(pair: tuple[str, str]) -> tuple[str, str]:
    one, other = sorted(pair)
    return one, other


def namespace(name: str) -> str:
    *head, _ = compose.head("Namespace", f"{{name: {compose.value(name)}}}")
    return compose.whole([*head, "spec: {}"])


def registry(terms: Terms) -> str:
    """What the upstream lists is listed, from where the upstream says it is."""
    return compose.whole(
        [
            *compose.head("Registry", "{name: default}"),
            "  defaults: # what holds for every package that says nothing else",
            f"    delivery: {terms.delivery} # reference: clients fetch from the publisher; store: from here",
            "    versions: {prereleases: true} # as upstream lists them",
        ]
    )


def package(address: PackageAddress, written: str, terms: Terms, keys: Iterable[str] = ()) -> str:
    """`keys` are the names of those that may vouch for it."""
    is_module = isinstance(address, ModuleAddress)
    name = address.name if isinstance(address, ModuleAddress) else address.type
    kind = "Module" if is_module else "Provider"
    lines = compose.head(kind, f"{{name: {compose.value(name)}, namespace: {compose.value(address.namespace)}}}")
    if isinstance(address, ModuleAddress):
        lines += [f"  system: {compose.value(address.system)}"]
    elsewhere = f", address: {compose.value(written)}" if written != address.path else ""
    lines += [f"  source: {{type: {_TYPE}, url: {compose.value(terms.url)}{elsewhere}}}"]
    delivery = [f"  delivery: {terms.delivery}"] if terms.spelt_out else []
    trusted = _verify(list(map(compose.value, keys)))
    # As the schemas order them, and so the formatter.
    lines += [*_versions(terms), *delivery] if is_module else [*delivery, *trusted, *_versions(terms)]
    return compose.whole(lines)


def _verify(keys: list[str]) -> list[str]:
    """In one line while it is short, as the formatter has it."""
    line = f"  verify: {{keys: [{', '.join(keys)}]}}"
    if not keys or len(line) <= WIDTH:
        return [line] if keys else []
    line = f"    keys: [{', '.join(keys)}]"
    listed = [line] if len(line) <= WIDTH else ["    keys:", *(f"      - {key}" for key in keys)]
    return ["  verify:", *listed]


def _versions(terms: Terms) -> list[str]:
    said = ["prereleases: true"] if terms.spelt_out else []
    said += [f"constraint: {compose.quoted(terms.constraint)}"] if terms.constraint else []
    return [f"  versions: {{{', '.join(said)}}}"] if said else []


def place_of(address: PackageAddress) -> str:
    """The path of a package's declaration."""
    if isinstance(address, ModuleAddress):
        return path_of("Module", namespace=address.namespace, name=address.name, system=address.system)
    return path_of("Provider", namespace=address.namespace, name=address.type)


def _refusal(address: PackageAddress, written: str) -> str:
    """Why no catalog can declare it, "" when one can."""
    if address.namespace in UNUSABLE:
        return f"{quoted(address.namespace)} can't be a namespace: it is a path of the registry protocol"
    if address.namespace in RESERVED and not is_mirror(SourceFacts(type=_TYPE, address=written), address):
        return f"the namespace {quoted(address.namespace)} is reserved"
    return ""
