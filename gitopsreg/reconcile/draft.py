"""What should become of one package: drafted from its declaration, the ledger and what its upstream has. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gitopsreg.index.model import ModuleVersion, Package, ProviderVersion, PublicKey, PublishedVersion, Remote
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.declaration import CatalogSource, PackageDeclaration, ProviderDeclaration
from gitopsreg.model.version import Version
from gitopsreg.reconcile.select import Selection, newest, pin_mismatch, select
from gitopsreg.upstream.base import Discovery, Found, Skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with one version (or, with version "", with the package). `reason` is CamelCase and stable."""

    version: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One package's next state, all but the bytes.

    `keep` means: serve exactly what is published. Without a declaration (and without `keep`) the package is archived.
    `admitted` are version texts that may be listed once they are in the ledger (the newest `keep_latest` of them are);
    `wanted` are those to fetch; `again` are published ones whose content is to be fetched and verified once more.
    `warnings` are the upstream's words, None where it was not asked; `keys` those that vouch anew for versions whose
    bytes stay elsewhere: they are no part of a version's content, and authors register them late.
    """

    address: PackageAddress
    published: Package | None
    declaration: PackageDeclaration | None = None
    keep: bool = False
    wanted: tuple[Found, ...] = ()
    again: tuple[Found, ...] = ()
    admitted: frozenset[str] = frozenset()
    mutated: tuple[Problem, ...] = ()
    refused: tuple[Problem, ...] = ()
    left_out: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] | None = None
    keys: Mapping[Version, tuple[PublicKey, ...]] = field(default_factory=dict)


def draft(
    declaration: PackageDeclaration, published: Package | None, discovery: Discovery | None, *, force: bool = False
) -> Draft:
    """The draft of a declared package.

    Without a discovery (the upstream is out of reach) nothing is added, but what the catalog says of versions already
    published (yanks, blocks, words) still holds.
    """
    found = {item.version: item for item in discovery.found} if discovery else {}
    there = found | {item.version: item for item in discovery.held} if discovery else {}
    ledger = {record.version: record for record in published.versions} if published else {}
    selection = select(declaration.versions, _known_versions(declaration, found, ledger, reached=discovery is not None))
    admitted = frozenset(version.text for version in selection.admitted)
    capped = newest(declaration.versions, selection.admitted)
    new = [found[version] for version in capped if version in found and version not in ledger]
    refused = (*_refused(declaration, new, ledger), *(_lost_pins(declaration, found, ledger) if discovery else ()))
    bad = {problem.version for problem in refused}
    return Draft(
        address=declaration.address,
        published=published,
        declaration=declaration,
        wanted=tuple(item for item in new if item.version.text not in bad),
        again=tuple(_again(found, ledger, selection.admitted, force=force)),
        admitted=admitted,
        mutated=tuple(_mutations(declaration, there, ledger)) if discovery else (),
        refused=refused,
        left_out=(discovery.skipped if discovery else ()) + selection.left_out + _older(declaration, selection, capped),
        warnings=discovery.warnings if discovery else None,
        keys=dict(_keys(declaration, there, ledger)),
    )


def _older(declaration: PackageDeclaration, selection: Selection, capped: Sequence[Version]) -> tuple[Skipped, ...]:
    reason = f"older than the newest {declaration.versions.keep_latest} (keepLatest)"
    older = selection.admitted[: len(selection.admitted) - len(capped)]
    return tuple(Skipped(ref=version.text, reason=reason) for version in older)


def _known_versions(
    declaration: PackageDeclaration,
    found: Mapping[Version, Found],
    ledger: Mapping[Version, PublishedVersion],
    *,
    reached: bool,
) -> Iterable[Version]:
    """A version that vanished upstream stays: only the catalog removes (and a catalog source *is* the catalog)."""
    if isinstance(declaration.source, CatalogSource) and reached:
        return found.keys()
    return found.keys() | ledger.keys()


def _keys(
    declaration: PackageDeclaration, there: Mapping[Version, Found], ledger: Mapping[Version, PublishedVersion]
) -> Iterator[tuple[Version, tuple[PublicKey, ...]]]:
    for version, record in ledger.items():
        told = there[version].keys if version in there else None
        if told is None or not isinstance(record, ProviderVersion) or not isinstance(record.signature, Remote):
            continue
        keys = _vouching(declaration, record.keys, told)
        if keys != record.keys:
            yield version, keys


def _vouching(
    declaration: PackageDeclaration, known: tuple[PublicKey, ...], told: tuple[PublicKey, ...]
) -> tuple[PublicKey, ...]:
    """The catalog's keys are the whole truth; upstream's own only come to those that were there: it takes none away."""
    if isinstance(declaration, ProviderDeclaration) and declaration.keys:
        return told
    return (*known, *(key for key in told if key not in known))


def _refused(
    declaration: PackageDeclaration, new: Sequence[Found], ledger: Mapping[Version, PublishedVersion]
) -> Iterator[Problem]:
    taken = {version.without_build: version.text for version in ledger}
    for item in new:
        mismatch = pin_mismatch(declaration.versions, item)
        other = taken.setdefault(item.version.without_build, item.version.text)
        if mismatch:
            yield Problem(version=item.version.text, reason="PinMismatch", message=mismatch)
        elif other != item.version.text:
            message = f'"{item.version}" differs from the published "{other}" in build metadata only: raise the version'
            yield Problem(version=item.version.text, reason="DuplicateVersion", message=message)


def _lost_pins(
    declaration: PackageDeclaration, found: Mapping[Version, Found], ledger: Mapping[Version, PublishedVersion]
) -> Iterator[Problem]:
    for pin in declaration.versions.pins:
        if pin.version not in found and pin.version not in ledger:
            message = (
                f'"{pin.version}" is pinned, and the upstream has no such version: remove the pin or publish it there'
            )
            yield Problem(version=pin.version.text, reason="PinMismatch", message=message)


def _mutations(
    declaration: PackageDeclaration, found: Mapping[Version, Found], ledger: Mapping[Version, PublishedVersion]
) -> Iterator[Problem]:
    """Published versions whose upstream is no longer what we stored. Ours go on being served."""
    for version, record in ledger.items():
        if record.listing in {"archived", "blocked"} and version not in found:
            continue
        item = found.get(version)
        if item is None:
            if not isinstance(declaration.source, CatalogSource):
                yield Problem(version=version.text, reason="TagDeleted", message=f"{_gone(record)}; {_kept(record)}")
        elif _moved(item, record):
            yield _moved_problem(item, record)


def _moved(item: Found, record: PublishedVersion) -> bool:
    if isinstance(record, ModuleVersion) and isinstance(record.archive, Remote) and not record.origin.commit:
        return item.ref != record.origin.ref  # a commit that is recorded late is none that moved
    return item.tree != record.origin.tree if item.tree else item.commit != record.origin.commit


def _again(
    found: Mapping[Version, Found],
    ledger: Mapping[Version, PublishedVersion],
    admitted: Collection[Version],
    *,
    force: bool,
) -> Iterator[Found]:
    """Published versions whose content is fetched once more: to verify it, or because it was discarded meanwhile."""
    for version, record in ledger.items():
        wanted = version in admitted if record.discarded else force and record.downloadable
        if wanted and version in found and not _differs(found[version], record):
            yield found[version]


def _differs(item: Found, record: PublishedVersion) -> bool:
    return _moved(item, record) or (bool(item.tree) and item.tree != record.origin.tree)


def _moved_problem(item: Found, record: PublishedVersion) -> Problem:
    if item.tree:
        what = f'"{item.ref}" changed after it was published'
        if not _stays_elsewhere(record):
            what += f' (tree "{record.origin.tree[:12]}" became "{item.tree[:12]}")'
        reason = "AssetReplaced"
    else:
        what = f'tag "{item.ref}" moved from "{record.origin.commit[:12]}" to "{item.commit[:12]}"'
        reason = "TagMoved"
    message = f"{what}; {_kept(record)}: publish a new version instead"
    return Problem(version=record.version.text, reason=reason, message=message)


def _gone(record: PublishedVersion) -> str:
    if _stays_elsewhere(record) and record.origin.path:
        return f'the upstream no longer lists it in "{record.origin.path}"'
    return f'the upstream no longer has "{record.origin.ref}"'


def _kept(record: PublishedVersion) -> str:
    """What goes on all the same."""
    if _stays_elsewhere(record):
        return "clients are still given what was recorded when it was published"
    return "the stored bytes go on being served"


def _stays_elsewhere(record: PublishedVersion) -> bool:
    content = record.archive if isinstance(record, ModuleVersion) else None
    content = record.signature if isinstance(record, ProviderVersion) else content
    return isinstance(content, Remote)
