"""Whether a package's upstream is asked in this run, and by what a later run knows that nothing has changed. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from gitopsreg.index.status import PackageStatus
from gitopsreg.index.statuses import PackageStatuses
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.catalog import Catalog, InvalidPackage, Part, differing
from gitopsreg.model.declaration import CatalogSource, OpentofuGitSource, PackageDeclaration, ProviderDeclaration
from gitopsreg.reconcile.look import Look
from gitopsreg.upstream.base import Discovery

# Raised when the same input would resolve to something else, so that nothing is skipped on old knowledge.
RESOLVER = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How the last run went, and what is asked of this one.

    `settled` are the parts of the catalog that this process has seen applied to the snapshot that is still the newest:
    the same object again is the same declaration. `looks` are those at upstreams of many packages, by URL.
    """

    now: str
    known: Mapping[PackageAddress, PackageStatus]
    everything: bool
    force: bool = False
    settled: Mapping[str, Part] = field(default_factory=dict)
    looks: Mapping[str, Look] = field(default_factory=dict)

    def is_due(self, declaration: PackageDeclaration) -> bool:
        """A catalog source always is: it costs no network. Where nothing is due nothing is rendered or compared."""
        before = self.known.get(declaration.address)
        if before is None or self.force or self._is_changed(declaration, before) or self._is_time(before):
            return True
        if isinstance(declaration.source, OpentofuGitSource):
            return self._has_news(declaration, before)
        return self.everything or isinstance(declaration.source, CatalogSource)

    def is_settled(self, declaration: PackageDeclaration) -> bool:
        """Whether this very declaration is what this process applied last."""
        part = self.settled.get(declaration.address.namespace)
        return not self.force and part is not None and part.by_address.get(declaration.address) is declaration

    def may_be_due(self, catalog: Catalog) -> Iterable[PackageDeclaration]:
        """All but those of which nothing can be new, told without going through them where that can be."""
        if self.force or not self.settled or not isinstance(self.known, PackageStatuses):
            return catalog.packages
        found = {item.address: item for _, part in differing(self.settled, catalog.parts) for item in part.packages}
        moved = {url: look.moved_namespaces for url, look in self.looks.items() if look.moved}
        for name, part in catalog.parts.items():
            some = part.alone if self.everything else part.of_catalog
            if moved and any(url in moved and _may_have_moved(part, name, moved[url]) for url in part.looks):
                some = part.packages
            found.update((item.address, item) for item in some)
        known = [*self.known.due(self.now), *self.known.unfinished, *(self.known.unwell if self.everything else ())]
        named = (catalog.find(status.address) for status in known)
        found.update((item.address, item) for item in named if item and not isinstance(item, InvalidPackage))
        return found.values()

    def outdated(self, catalog: Catalog) -> set[str]:
        """The URLs of upstreams of many packages where one that is due was not there at the last look: it may have come
        since then, as it does where somebody publishes a package and then declares it.
        """
        if all(look.is_new for look in self.looks.values()):
            return set()
        found = set()
        for item in self.may_be_due(catalog):
            if isinstance(item.source, OpentofuGitSource) and not item.suspend and self.is_due(item):
                look = self.looks.get(item.source.url)
                found |= {item.source.url} if look is not None and look.lacks(item) else set()
        return found

    def look_of(self, declaration: PackageDeclaration) -> Look | None:
        """The look at its upstream, where that has many packages."""
        source = declaration.source
        return self.looks.get(source.url) if isinstance(source, OpentofuGitSource) else None

    def clock_went_back(self, before: PackageStatus) -> bool:
        """Then schedules made by the wrong clock may lie years ahead: they count for nothing."""
        return before.last_attempt > self.now

    def _is_changed(self, declaration: PackageDeclaration, before: PackageStatus) -> bool:
        if before.skip_key and self.is_settled(declaration):
            return False
        return not before.skip_key.startswith(f"{declaration_key(declaration)}.")

    def _is_time(self, before: PackageStatus) -> bool:
        if not before.next_attempt:
            return False
        return before.next_attempt <= self.now or self.clock_went_back(before)

    def _has_news(self, declaration: PackageDeclaration, before: PackageStatus) -> bool:
        """Whether there is more to learn of a package than the last look told."""
        if self.everything and len(before.conditions) > 1:  # something is wrong with it: whoever asks is told again
            return True
        look = self.look_of(declaration)
        if look is None or not look.moved:
            return False
        return before.skip_key.partition(".")[2] != look.gathering.state(declaration).hex


def _may_have_moved(part: Part, name: str, namespaces: Collection[str] | None) -> bool:
    """Whether packages of the part called `name` may be others where only these namespaces are (None: all)."""
    return namespaces is None or name in namespaces or not part.named_there.isdisjoint(namespaces)


def skip_key(declaration: PackageDeclaration, discovery: Discovery) -> str:
    """Covers everything that feeds the result: effective spec, trust set, resolver, and what the upstream has."""
    return f"{declaration_key(declaration)}.{discovery.state.hex}"


def declaration_key(declaration: PackageDeclaration) -> str:
    """The share of the skip key that is known before the upstream is asked."""
    digest = sha256(f"{RESOLVER} {declaration.spec_digest}".encode())
    if isinstance(declaration, ProviderDeclaration):
        for key in declaration.keys:
            digest.update(repr(key).encode())
    return digest.hexdigest()
