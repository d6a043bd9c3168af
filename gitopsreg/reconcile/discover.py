"""What discoveries find in upstreams of many packages, worked out anew only where something has changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitopsreg.errors import UpstreamError
from gitopsreg.index.model import Snapshot
from gitopsreg.index.status import PackageStatus
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.catalog import Catalog, Part
from gitopsreg.model.declaration import DiscoveryDeclaration
from gitopsreg.reconcile.candidates import Candidates, candidates
from gitopsreg.reconcile.look import Look
from gitopsreg.reconcile.search import Basis, Discovered, Left, Search, Unknown, search


@dataclass(frozen=True, slots=True)
class _Choice:
    """What a discovery chose of one state of its upstream ("" is the one that was there before this process was)."""

    discovery: DiscoveryDeclaration
    state: str
    candidates: Candidates


@dataclass(slots=True)
class Discoverer:
    """Remembers what was chosen and what came of it. Used by one run at a time."""

    _choices: dict[str, _Choice] = field(default_factory=dict)
    _left: Left = field(default_factory=dict)
    _last: tuple[Basis, Discovered] | None = None
    _parts: Mapping[str, Part] = field(default_factory=dict)

    def discover(
        self,
        catalog: Catalog,
        looks: Mapping[str, Look],
        published: Snapshot | None,
        known: Mapping[PackageAddress, PackageStatus],
    ) -> tuple[Catalog, tuple[Search, ...]]:
        """The catalog with what is found, and how it was; `looks` are by URL, for the rest see Basis."""
        if not (catalog.discoveries or catalog.idle_discoveries):
            return catalog, ()
        told = [
            (self._chosen(each, looks.get(each.url)), _trouble(looks.get(each.url))) for each in catalog.discoveries
        ]
        basis = Basis(catalog, told, published, known)
        if self._last is None or not self._last[0].is_as(basis):
            found, self._left = search(basis, self._left)
            self._last = basis, found
        found = self._last[1]
        catalog = found.added_to(catalog, self._parts)
        self._parts = catalog.parts
        return catalog, found.searches

    def _chosen(self, discovery: DiscoveryDeclaration, look: Look | None) -> Candidates | Unknown:
        if discovery.suspended_by:
            return Unknown("Suspended", discovery.suspended_by)
        known = self._choices.get(discovery.path)
        if known is not None and known.discovery == discovery and not (look and look.state not in {"", known.state}):
            return known.candidates
        if look is None or look.late:
            return Unknown("Progressing", "the upstream is slow to answer")
        return _trouble(look) or self._choose(discovery, look)

    def _choose(self, discovery: DiscoveryDeclaration, look: Look) -> Candidates | Unknown:
        try:
            chosen = candidates(discovery, look.gathering.addresses(), look.gathering.skipped())
        except UpstreamError as error:
            return Unknown(error.reason, str(error))
        except Exception as error:  # noqa: BLE001 - a fault of ours in one discovery must not stop the others
            return Unknown("InternalError", f"internal error: {error!r}")
        self._choices[discovery.path] = _Choice(discovery, look.state, chosen)
        return chosen


def _trouble(look: Look | None) -> Unknown | None:
    error = look.trouble if look else None
    return Unknown(error.reason, str(error)) if error else None
