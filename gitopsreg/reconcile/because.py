"""Why packages leave, in words: of one that a discovery found nobody ever wrote a declaration. Pure."""

from collections.abc import Iterator, Mapping

from gitopsreg.model.address import parse_address
from gitopsreg.reconcile.run import Prepared
from gitopsreg.reconcile.search import Search


def because(prepared: Prepared) -> Mapping[str, str]:
    """What to say instead of "no longer declared", by the addresses of the packages that the plan archives."""
    return dict(_found(prepared))


def _found(prepared: Prepared) -> Iterator[tuple[str, str]]:
    searches = {search.discovery.path: search for search in prepared.searches}
    gone = {str(address): search.discovery.url for search in prepared.searches for address in search.gone}
    for change in prepared.plan.changes:
        if change.action != "archive" or change.address.startswith("namespace:"):
            continue
        known = prepared.known.packages.get(parse_address(change.address))
        path = known.path if known is not None else ""
        if change.address in gone:
            yield change.address, f"no longer in {gone[change.address]}"
        elif "/discoveries/" in path:
            yield change.address, _left(path, searches.get(path))


def _left(path: str, search: Search | None) -> str:
    return f"no longer chosen by {path}" if search is not None else f"{path}, which found it, is no longer declared"
