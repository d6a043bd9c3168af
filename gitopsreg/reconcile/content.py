"""What a run publishes and what it says of each package, once everything was fetched. Pure."""

from collections.abc import Iterable, Mapping

from gitopsreg.index.changed import Changed
from gitopsreg.index.model import Namespace, Package, Retention
from gitopsreg.index.repository import Content
from gitopsreg.index.statuses import PackageStatuses
from gitopsreg.model.address import PackageAddress
from gitopsreg.reconcile.apply import apply
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.conditions import Attempt, package_status
from gitopsreg.reconcile.expire import expire
from gitopsreg.reconcile.run import Prepared
from gitopsreg.reconcile.sync import Synced

Given = Mapping[PackageAddress, Package]


def given(prepared: Prepared, synced: Mapping[PackageAddress, Synced]) -> Given:
    """The packages that are not as they are published."""
    catalog = prepared.loaded.catalog
    changed: dict[PackageAddress, Package] = {}
    for item in prepared.resolved:
        result = synced.get(item.draft.address, Synced())
        after = apply(item.draft, result.records, time=stamp(prepared.now))
        if after is not None:
            # Declared again, though broken, suspended or late: then it waits for that, and its bytes with it.
            archive_for = catalog.registry.archive_for if item.state == "removed" else None
            after = expire(after, archive_for, prepared.now)
            if after is not item.draft.published:
                changed[item.draft.address] = after
    return changed


def content(prepared: Prepared, changed: Given) -> Content:
    catalog = prepared.loaded.catalog
    packages = Changed(prepared.base.packages, changed) if prepared.base else changed
    return Content(
        revision=catalog.revision,
        time=catalog.time,
        hostname=catalog.registry.hostname,
        namespaces=_namespaces(prepared, packages),
        packages=packages,
        retention=Retention(snapshots=catalog.retention.snapshots, grace=int(catalog.retention.grace.total_seconds())),
    )


def _namespaces(prepared: Prepared, packages: Given) -> tuple[Namespace, ...]:
    """The declared ones; one whose file is broken or gone is kept while packages of it are served."""
    before = prepared.base.root.namespaces if prepared.base else ()
    if prepared.settled and all(was.namespaces == now.namespaces for was, now in prepared.changes):
        return before
    declared = {
        item.name: Namespace(name=item.name, display_name=item.display_name, aliases=item.aliases)
        for item in prepared.loaded.catalog.namespaces
    }
    gone = [item for item in before if item.name not in declared]
    used = {address.namespace for address in packages} if gone else set()
    kept = (item for item in gone if item.name in used)
    return tuple(sorted((*declared.values(), *kept), key=lambda item: item.name))


def statuses(prepared: Prepared, synced: Mapping[PackageAddress, Synced], changed: Given) -> PackageStatuses:
    """Of all declared packages; what the run did not touch is as it was."""
    before = prepared.known.packages
    new = {
        item.draft.address: package_status(
            item,
            synced.get(item.draft.address, Synced()),
            changed.get(item.draft.address, item.draft.published),
            Attempt(now=prepared.now, revision=prepared.loaded.catalog.revision, before=before.get(item.draft.address)),
        )
        for item in prepared.resolved
        if item.state != "removed"
    }
    return before.changed(new, _undeclared(prepared))


def _undeclared(prepared: Prepared) -> list[PackageAddress]:
    """Packages with a status that the catalog declares no more."""
    catalog = prepared.loaded.catalog
    if prepared.settled:
        there: Iterable[PackageAddress] = (address for was, _ in prepared.changes for address in was.by_address)
    else:
        there = prepared.known.packages
    return [address for address in there if catalog.find(address) is None]


def served_after(prepared: Prepared, changed: Given) -> int:
    """How many packages are served once `changed` is published."""
    before = prepared.base.packages if prepared.base else {}
    entries = prepared.base.entries if prepared.base else {}
    were = sum(not entries[address].archived for address in changed if address in before)
    return prepared.served - were + sum(package.archived is None for package in changed.values())
