"""What `gitopsreg explain` says of a package without a file: which discovery found it, or may find it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitopsreg.errors import InvalidName
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.index.statuses import RegistryStatus
    from gitopsreg.model.address import PackageAddress
    from gitopsreg.model.declaration import DiscoveryDeclaration

How = Literal["found", "pending", "covered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """A discovery and what it has to do with a package: it found it (called `origin` there), holds it for approval, or
    covers its address.
    """

    subject: str
    package: str
    path: str
    url: str
    how: How
    origin: str = ""

    @property
    def words(self) -> str:
        match self.how:
            case "found":
                there = f" as {self.origin}" if self.origin else ""
                return f"found by {self.path}{there} in {self.url}"
            case "pending":
                return f"found by {self.path} in {self.url}, and waits for approval"
            case "covered":
                return f"{self.path} would find it if it is in {self.url}"


def finder(settings: Settings, discoveries: "Sequence[DiscoveryDeclaration]", text: str) -> Finder | None:
    """Told by the store's status where one is given, else by the catalog alone. Raises StorageError."""
    if not discoveries:
        return None
    status = _status(settings) if settings.store else None
    for address in _meant(text):
        for discovery in discoveries:
            if (how := _how(discovery, address, status)) is not None:
                known = status.packages.get(address) if status else None
                return Finder(
                    subject=f"discovery:{discovery.namespace}/{discovery.name}",
                    package=str(address),
                    path=discovery.path,
                    url=discovery.url,
                    how=how,
                    origin=known.origin if known and how == "found" else "",
                )
    return None


def _how(discovery: "DiscoveryDeclaration", address: "PackageAddress", status: "RegistryStatus | None") -> How | None:
    from gitopsreg.reconcile.candidates import covers

    known = status.packages.get(address) if status else None
    if known is not None:
        return "found" if known.path == discovery.path else None
    told = (each for each in status.discoveries if each.path == discovery.path) if status else ()
    if any(str(address) in each.pending for each in told):
        return "pending"
    return "covered" if address.namespace == discovery.namespace and covers(discovery, address) else None


def _meant(text: str) -> "Iterator[PackageAddress]":
    from gitopsreg.cli.status import address_of

    try:
        yield address_of(text)
    except InvalidName:
        return


def _status(settings: Settings) -> "RegistryStatus":
    from gitopsreg.index.status_store import read_status
    from gitopsreg.wiring import stores

    return read_status(stores.open_reader(settings))
