"""Get published versions again from their upstreams, where their stored bytes were lost or altered.

What comes is stored only when it has the digests that were published, so a repair can't change a version.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from gitopsreg.errors import GitopsregError, UpstreamError
from gitopsreg.reconcile.events import Reporter
from gitopsreg.reconcile.prepare import Planner
from gitopsreg.reconcile.resolve import Resolved
from gitopsreg.reconcile.sync import sync
from gitopsreg.storage.base import BlobStore

# By package address and version, both as texts.
Replies = Mapping[tuple[str, str], GitopsregError]


class Repair(Protocol):
    """Never raises what a repair fails by."""

    def __call__(self, wanted: Mapping[str, Collection[str]]) -> Replies:
        """Try to store the wanted versions of packages again; why those failed that did."""


class UpstreamRepair:
    """From the upstreams that the catalog's newest commit names."""

    def __init__(self, planner: Planner, stores: Mapping[str, BlobStore], reporter: Reporter) -> None:
        self._planner = planner
        self._stores = stores
        self._reporter = reporter

    def __call__(self, wanted: Mapping[str, Collection[str]]) -> Replies:
        try:
            prepared = self._planner.prepare(force=True, only=wanted.keys())
        except GitopsregError as error:
            return {(package, version): error for package, versions in wanted.items() for version in versions}
        found = {str(item.draft.address): item for item in prepared.resolved}
        return {
            (package, version): error
            for package, versions in wanted.items()
            for version, error in self._mend(found.get(package), versions)
        }

    def _mend(self, item: Resolved | None, versions: Collection[str]) -> Iterator[tuple[str, GitopsregError]]:
        problem = _no_upstream(item)
        if item is None or problem is not None:
            yield from ((version, problem or _gone("it is not published any more")) for version in versions)
            return
        again = tuple(found for found in item.draft.again if found.version.text in versions)
        synced = sync(replace(item, draft=replace(item.draft, wanted=(), again=again)), self._stores, self._reporter)
        failures = {failure.version: failure.error for failure in synced.failures}
        reached = {found.version.text for found in again}
        for version in versions:
            if version not in reached:
                yield version, _gone("the upstream no longer has it as it was published")
            elif error := failures.get(version) or synced.error:
                yield version, error


def _no_upstream(item: Resolved | None) -> GitopsregError | None:
    if item is None or item.state == "removed":
        return _gone("the catalog does not declare the package")
    if item.error is not None:
        return item.error
    return _gone(f"its declaration is {item.state}") if item.upstream is None else None


def _gone(why: str) -> UpstreamError:
    return UpstreamError(f"{why}: restore the bytes from a copy of the store", reason="IncompleteRelease")
