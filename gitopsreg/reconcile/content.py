"""What a run publishes and what it says of each package, once everything was fetched. Pure."""

from collections.abc import Mapping

from gitopsreg.index.changed import Changed
from gitopsreg.index.model import Namespace, Package, Retention
from gitopsreg.index.repository import Content
from gitopsreg.index.status import PackageStatus
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
    declared = {
        item.name: Namespace(name=item.name, display_name=item.display_name, aliases=item.aliases)
        for item in prepared.loaded.catalog.namespaces
    }
    gone = [item for item in prepared.base.root.namespaces if item.name not in declared] if prepared.base else []
    used = {address.namespace for address in packages} if gone else set()
    kept = (item for item in gone if item.name in used)
    return tuple(sorted((*declared.values(), *kept), key=lambda item: item.name))


def statuses(prepared: Prepared, synced: Mapping[PackageAddress, Synced], changed: Given) -> tuple[PackageStatus, ...]:
    """Of all declared packages, in the order of their addresses' text; what the run did not touch is as it was."""
    before = prepared.known.by_address
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
    catalog = prepared.loaded.catalog
    declared = {item.address for item in (*catalog.packages, *catalog.invalid)}
    if new.keys() <= before.keys() and len(declared) == len(before):  # the same packages, in the same order
        return tuple(new.get(item.address, item) for item in prepared.known.packages)
    kept = (item for address, item in before.items() if address in declared and address not in new)
    return tuple(sorted((*kept, *new.values()), key=lambda item: str(item.address)))
