"""What a run publishes and what it says of each package, once everything was fetched. Pure."""

from collections.abc import Mapping

from gitopsreg.index.model import Namespace, Package, Retention, Snapshot
from gitopsreg.index.repository import Content
from gitopsreg.index.status import PackageStatus
from gitopsreg.model.address import PackageAddress
from gitopsreg.reconcile.apply import apply
from gitopsreg.reconcile.backoff import stamp
from gitopsreg.reconcile.conditions import Attempt, package_status
from gitopsreg.reconcile.expire import expire
from gitopsreg.reconcile.run import Prepared
from gitopsreg.reconcile.sync import Synced


def content(prepared: Prepared, synced: Mapping[PackageAddress, Synced]) -> Content:
    catalog = prepared.loaded.catalog
    packages: dict[PackageAddress, Package] = dict(prepared.base.packages) if prepared.base else {}
    for item in prepared.resolved:
        result = synced.get(item.draft.address, Synced())
        after = apply(item.draft, result.records, time=stamp(prepared.now))
        if after is not None:
            # Declared again, though broken, suspended or late: then it waits for that, and its bytes with it.
            archive_for = catalog.registry.archive_for if item.state == "removed" else None
            packages[item.draft.address] = expire(after, archive_for, prepared.now)
    return Content(
        revision=catalog.revision,
        time=catalog.time,
        hostname=catalog.registry.hostname,
        namespaces=_namespaces(prepared, packages),
        packages=packages,
        retention=Retention(snapshots=catalog.retention.snapshots, grace=int(catalog.retention.grace.total_seconds())),
    )


def _namespaces(prepared: Prepared, packages: Mapping[PackageAddress, Package]) -> tuple[Namespace, ...]:
    """The declared ones; one whose file is broken or gone is kept while packages of it are served."""
    declared = {
        item.name: Namespace(name=item.name, display_name=item.display_name, aliases=item.aliases)
        for item in prepared.loaded.catalog.namespaces
    }
    used = {address.namespace for address in packages}
    before = {item.name: item for item in prepared.base.root.namespaces if item.name in used} if prepared.base else {}
    return tuple(sorted((before | declared).values(), key=lambda item: item.name))


def statuses(
    prepared: Prepared, synced: Mapping[PackageAddress, Synced], snapshot: Snapshot | None
) -> tuple[PackageStatus, ...]:
    """Of all declared packages, in the order of their addresses' text; what the run did not touch is as it was."""
    before = prepared.known.by_address
    published = snapshot.packages if snapshot else {}
    new = {
        item.draft.address: package_status(
            item,
            synced.get(item.draft.address, Synced()),
            published.get(item.draft.address),
            Attempt(now=prepared.now, revision=prepared.loaded.catalog.revision, before=before.get(item.draft.address)),
        )
        for item in prepared.resolved
        if item.state != "removed"
    }
    catalog = prepared.loaded.catalog
    declared = {item.address for item in (*catalog.packages, *catalog.invalid)}
    if new.keys() <= before.keys() and len(declared) == len(before):  # the same packages, in the same order
        return tuple(new.get(item.address, item) for item in prepared.known.packages)
    kept = (item for address, item in before.items() if address in declared and address not in new)
    return tuple(sorted((*kept, *new.values()), key=lambda item: str(item.address)))
