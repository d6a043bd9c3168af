"""One run's discoveries: what of all that they choose becomes declarations, what waits, what is left as it is. Pure.

A file of the same address always wins, then the discovery whose path comes first. Only the catalog removes: while a
discovery can't look, or can't be acted on, what it found before is left as it is.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gitopsreg.errors import quoted
from gitopsreg.index.model import Snapshot
from gitopsreg.index.status import PackageStatus
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.catalog import Catalog, InvalidPackage, Part, parts_of
from gitopsreg.model.declaration import DiscoveryDeclaration, IdleDiscovery, PackageDeclaration
from gitopsreg.reconcile.candidates import Candidates, covers, declared
from gitopsreg.upstream.base import Skipped

# What is left as it is, by the path of its discovery and its address.
Left = Mapping[tuple[str, PackageAddress], PackageDeclaration]


@dataclass(frozen=True, slots=True)
class Unknown:
    """What a discovery chooses can't be said now. `reason` is CamelCase."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What came of one discovery. `found` counts what it chooses, `own` those of them that a file declares.

    `taken` are declared now, `pending` wait for a person, `barred` counts new ones where there are too many (`free`:
    what it finds without `own` and what others found first), `gone` are published and no longer there. `trouble` is why
    its upstream can't be asked; a `blind` search knows nothing of it.
    """

    discovery: DiscoveryDeclaration
    found: int = 0
    own: int = 0
    free: int = 0
    taken: tuple[PackageAddress, ...] = ()
    pending: tuple[PackageAddress, ...] = ()
    barred: int = 0
    gone: tuple[PackageAddress, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    trouble: Unknown | None = None
    blind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """What a catalog's discoveries add to it."""

    packages: tuple[PackageDeclaration, ...] = ()
    invalid: tuple[InvalidPackage, ...] = ()
    searches: tuple[Search, ...] = ()

    def added_to(self, catalog: Catalog, before: Mapping[str, Part]) -> Catalog:
        """The catalog with them; of the parts `before`, those that are the same again stay the same objects."""
        parts = dict(catalog.parts)
        for name, found in parts_of(self.packages, self.invalid).items():
            own = parts.get(name, found)
            packages, invalid = (*own.packages, *found.packages), (*own.invalid, *found.invalid)
            whole = found if own is found else replace(own, packages=packages, invalid=invalid)
            known = before.get(name)
            parts[name] = known if known is not None and known == whole else whole
        return replace(catalog, parts=parts)


@dataclass(frozen=True, slots=True)
class Basis:
    """All that a run's discoveries rest on. `told` is what each of them chooses, and the trouble with its upstream;
    `published` is the newest snapshot, `known` how the last run went.
    """

    catalog: Catalog
    told: Sequence[tuple[Candidates | Unknown, Unknown | None]]
    published: Snapshot | None
    known: Mapping[PackageAddress, PackageStatus]

    def is_as(self, other: "Basis") -> bool:
        """A snapshot by identity: to compare two would cost as much as the work that it saves."""
        one, two = self.catalog, other.catalog
        files = one.parts == two.parts
        same = one.discoveries == two.discoveries and one.idle_discoveries == two.idle_discoveries
        there = self.published is other.published and self.known == other.known
        return there and files and same and self.told == other.told


def search(basis: Basis, left: Left) -> tuple[Discovered, Left]:
    """What came of all discoveries; and, for the next run, what is left as it is, as in `left` if it was so before."""
    run = _Run(basis, left)
    for discovery, (choice, trouble) in zip(basis.catalog.discoveries, basis.told, strict=True):
        if isinstance(choice, Unknown):
            run.wait(discovery, choice)
        else:
            run.search(discovery, choice, trouble)
    for idle in basis.catalog.idle_discoveries:
        run.keep(idle)
    found = Discovered(packages=tuple(run.packages), invalid=tuple(run.invalid), searches=tuple(run.searches))
    return found, run.left


class _Run:
    """What one discovery has taken is no longer there for the next."""

    def __init__(self, basis: Basis, left: Left) -> None:
        catalog = basis.catalog
        self._files = {item.address for item in (*catalog.packages, *catalog.invalid)}
        self._paths = {each.path for each in catalog.discoveries} | {each.path for each in catalog.idle_discoveries}
        self._served = _served(basis.published)
        self._known = basis.known
        self._before = left
        self._finders: dict[PackageAddress, str] = {}
        self.packages: list[PackageDeclaration] = []
        self.invalid: list[InvalidPackage] = []
        self.searches: list[Search] = []
        self.left: dict[tuple[str, PackageAddress], PackageDeclaration] = {}

    def search(self, discovery: DiscoveryDeclaration, choice: Candidates, trouble: Unknown | None) -> None:
        others = [address for address in choice.packages if address not in self._files]
        free = [address for address in others if address not in self._finders]
        clashes = [self._clash(address) for address in others if address in self._finders]
        # What is served stays with who found it: else an upstream's author could take another's package over.
        theirs = {address: finder for address in free if (finder := self._other_finder(discovery, address))}
        free = [address for address in free if address not in theirs]
        clashes += [_found_by(address, finder) for address, finder in theirs.items()]
        gone = self._gone(discovery, choice.packages)
        taken, waiting = self._sorted_out(discovery, free)
        self._finders |= dict.fromkeys(free, discovery.path)
        self.packages += [choice.packages[address] for address in taken]
        kept = self._leave(discovery, gone, _gone_words(discovery)) if discovery.on_disappear == "keep" else ()
        too_many = len(free) > discovery.max_packages
        self.searches.append(
            Search(
                discovery=discovery,
                found=len(choice.packages),
                own=len(choice.packages) - len(others),
                free=len(free),
                taken=(*taken, *kept),
                pending=() if too_many else tuple(waiting),
                barred=len(waiting) if too_many else 0,
                gone=tuple(gone),
                skipped=(*choice.skipped, *clashes),
                trouble=trouble,
            )
        )

    def wait(self, discovery: DiscoveryDeclaration, why: Unknown) -> None:
        """What it found before stays as it is for so long."""
        kept = self._leave(discovery, self._gone(discovery, ()), why.message)
        self.searches.append(Search(discovery=discovery, taken=kept, trouble=why, blind=True))

    def keep(self, idle: IdleDiscovery) -> None:
        """What it found before keeps its last good versions."""
        for address in self._served.get(idle.namespace, ()):
            status = self._known.get(address)
            lost = status is None and idle.reason != "SourceUnsupported"
            is_its_own = lost or (status is not None and status.path == idle.path)
            if is_its_own and address not in self._files and address not in self._finders:
                self._finders[address] = idle.path
                self.invalid.append(
                    InvalidPackage(address=address, path=idle.path, reason=idle.reason, message=idle.message)
                )

    def _sorted_out(
        self, discovery: DiscoveryDeclaration, free: list[PackageAddress]
    ) -> tuple[list[PackageAddress], list[PackageAddress]]:
        """(declared, not declared): new ones only without approval, and only while there are not too many."""
        if _takes_new(discovery, free):
            return free, []
        served = frozenset(self._served.get(discovery.namespace, ()))
        stays = {address for address in free if address in served and self._found(discovery, address)}
        return [a for a in free if a in stays], [a for a in free if a not in stays]

    def _gone(self, discovery: DiscoveryDeclaration, chosen: Container[PackageAddress]) -> list[PackageAddress]:
        """Served, found by this discovery once, and neither chosen nor declared otherwise now."""
        return [
            address
            for address in self._served.get(discovery.namespace, ())
            if address not in chosen
            and address not in self._files
            and address not in self._finders
            and covers(discovery, address)
            and self._found(discovery, address)
        ]

    def _found(self, discovery: DiscoveryDeclaration, address: PackageAddress) -> bool:
        """Whether it was this discovery that found it, in this file or one that is no more. Where nobody knows it was:
        too much is kept rather than too little.
        """
        status = self._known.get(address)
        if status is None:
            return True
        is_orphan = status.path not in self._paths and status.path.startswith(_folder(discovery))
        return (is_orphan or status.path == discovery.path) and _is_in_scope(discovery, status.origin)

    def _other_finder(self, discovery: DiscoveryDeclaration, address: PackageAddress) -> str:
        """The path of the other discovery that found a served package and is still there, "" for none."""
        status = self._known.get(address)
        if status is None or status.path == discovery.path or status.path not in self._paths:
            return ""
        return status.path if address in self._served.get(discovery.namespace, ()) else ""

    def _leave(
        self, discovery: DiscoveryDeclaration, addresses: Iterable[PackageAddress], why: str
    ) -> tuple[PackageAddress, ...]:
        """Declare them as they are, and no longer followed."""
        every = tuple(addresses)
        for address in every:
            status = self._known.get(address)
            made = declared(discovery, address, status.origin if status else "")
            made = replace(made, suspend=True, suspended_by=why)
            key = discovery.path, address
            before = self._before.get(key)
            self.left[key] = before if before is not None and before == made else made
            self.packages.append(self.left[key])
            self._finders[address] = discovery.path
        return every

    def _clash(self, address: PackageAddress) -> Skipped:
        return Skipped(ref=str(address), reason=f"{quoted(self._finders[address])} finds it too, and comes first")


def _found_by(address: PackageAddress, finder: str) -> Skipped:
    return Skipped(ref=str(address), reason=f"{quoted(finder)} found it, and it is published")


def _takes_new(discovery: DiscoveryDeclaration, free: Sequence[PackageAddress]) -> bool:
    return discovery.approval == "auto" and len(free) <= discovery.max_packages


def _folder(discovery: DiscoveryDeclaration) -> str:
    return discovery.path.rpartition("/")[0] + "/"


def _is_in_scope(discovery: DiscoveryDeclaration, origin: str) -> bool:
    return not origin or origin.partition("/")[0].lower() in discovery.namespaces


def _gone_words(discovery: DiscoveryDeclaration) -> str:
    return f"it is no longer in {quoted(discovery.url)} and stays as it is (onDisappear: keep)"


def _served(published: Snapshot | None) -> Mapping[str, list[PackageAddress]]:
    """By namespace, archived packages left out."""
    found: dict[str, list[PackageAddress]] = defaultdict(list)
    for address, entry in published.entries.items() if published else ():
        if not entry.archived:
            found[address.namespace].append(address)
    return found
