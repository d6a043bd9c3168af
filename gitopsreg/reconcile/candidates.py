"""What one discovery chooses of an upstream of many packages, as declarations. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from gitopsreg.catalog.nearest import did_you_mean
from gitopsreg.errors import InvalidName, quoted
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.declaration import DiscoveryDeclaration, OpentofuGitSource, PackageDeclaration
from gitopsreg.model.digest import Sha256
from gitopsreg.upstream.base import Skipped

_FOLDERS = {"modules": "module", "providers": "provider"}


@dataclass(frozen=True, slots=True, eq=False)  # the same choice is the same object
class Candidates:
    """By the address that a package gets here. `skipped` names what is called so there."""

    packages: Mapping[PackageAddress, PackageDeclaration]
    skipped: tuple[Skipped, ...] = ()


def candidates(
    discovery: DiscoveryDeclaration, there: Mapping[PackageAddress, str], unfit: Iterable[Skipped]
) -> Candidates:
    """`there` are all addresses as the upstream writes them, `unfit` its files that are no package."""
    packages: dict[PackageAddress, PackageDeclaration] = {}
    skipped: list[Skipped] = []
    by_namespace = _by_namespace(discovery, there)
    for namespace in discovery.namespaces:
        if namespace not in by_namespace:
            skipped.append(Skipped(ref=namespace, reason=_no_namespace(namespace, there)))
        for address in sorted(by_namespace.get(namespace, ()), key=str):
            if covers(discovery, address):
                skipped += _take(discovery, address, there[address], packages)
    return Candidates(packages, (*skipped, *_unfit(discovery, unfit)))


def _no_namespace(name: str, there: Iterable[PackageAddress]) -> str:
    near = did_you_mean(name, sorted({address.namespace for address in there}))
    return "no namespace there has this name, or a package in it" + (f"; {near}" if near else "")


def covers(discovery: DiscoveryDeclaration, address: PackageAddress) -> bool:
    """Whether it is after packages of this kind and name, whatever their namespace."""
    wanted = any(template.address.kind == address.kind for template in discovery.templates)
    name = address.path.partition("/")[2]
    return wanted and (discovery.pattern is None or discovery.pattern.search(name))


def declared(discovery: DiscoveryDeclaration, address: PackageAddress, written: str) -> PackageDeclaration:
    """The declaration of a package that it covers; `written` is what the package is called there ("" for unknown)."""
    template = next(each for each in discovery.templates if each.address.kind == address.kind)
    # Neither is a field of the other's kind: mypy can't see that the kinds agree.
    return replace(
        template,
        address=address,  # type: ignore[arg-type]
        source=OpentofuGitSource(url=discovery.url, address=written),
        spec_digest=Sha256.of(f"{template.spec_digest} {written}".encode()),
    )


def _by_namespace(
    discovery: DiscoveryDeclaration, there: Iterable[PackageAddress]
) -> Mapping[str, list[PackageAddress]]:
    found: dict[str, list[PackageAddress]] = defaultdict(list)
    wanted = frozenset(discovery.namespaces)
    for address in there:
        if address.namespace in wanted:
            found[address.namespace].append(address)
    return found


def _take(
    discovery: DiscoveryDeclaration,
    address: PackageAddress,
    written: str,
    packages: dict[PackageAddress, PackageDeclaration],
) -> Iterator[Skipped]:
    """Add the package under the discovery's own namespace, or tell why not."""
    try:
        here = replace(address, namespace=discovery.namespace)
    except InvalidName as error:
        yield Skipped(ref=written, reason=str(error))
        return
    if here in packages:
        source = packages[here].source
        first = source.address if isinstance(source, OpentofuGitSource) else ""
        yield Skipped(ref=written, reason=f"{quoted(first)} has the same name, and its namespace stands first")
    else:
        packages[here] = declared(discovery, here, written)


def _unfit(discovery: DiscoveryDeclaration, unfit: Iterable[Skipped]) -> Iterator[Skipped]:
    """Those of its namespaces and kinds: files are called providers/g/grafana/x.json, modules/g/grafana/x/aws.json."""
    kinds = {template.address.kind for template in discovery.templates}
    for item in unfit:
        parts = item.ref.split("/")
        if len(parts) > 3 and _FOLDERS.get(parts[0]) in kinds and parts[2].lower() in discovery.namespaces:
            yield item
