"""What one package's upstream says of its declaration: versions, pins, and whether the newest would pass the gate."""

from collections.abc import Iterator
from dataclasses import dataclass

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.nearest import Speller
from gitopsreg.catalog.problem import Problem
from gitopsreg.errors import IntegrityError, UpstreamError, UpstreamUnavailable, quoted
from gitopsreg.index.model import ProviderVersion
from gitopsreg.model.declaration import CatalogSource, GitSource, PackageDeclaration, Pin, ProviderDeclaration
from gitopsreg.model.version import Version
from gitopsreg.reconcile.online_keys import KeyUse
from gitopsreg.reconcile.resolve import UpstreamFactory
from gitopsreg.reconcile.select import pin_mismatch, select
from gitopsreg.upstream.base import Discovery, Found, Release

# How many releases a key has to show itself in, and how many of a module are packed to see whether they can be.
_RECENT = 10
_PACKED = 1
# These say that the host answered and that the repository is not there.
_GONE = {"NotFound", "Moved"}
_ABOUT_SIGNER = {"KeyNotTrusted", "KeyRevoked", "KeyExpired", "SignatureInvalid"}
_SOURCE = "/spec/source"

Outcome = tuple[Found, Release | UpstreamError]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking. Without a `discovery` nothing is known: `gone` says that there is no such repository."""

    declaration: PackageDeclaration
    discovery: Discovery | None = None
    outcomes: tuple[Outcome, ...] = ()
    gone: str = ""
    unchecked: str = ""

    @property
    def path(self) -> str:
        return self.declaration.path

    @property
    def uses(self) -> tuple[KeyUse, ...]:
        """How each key that the provider names did in its newest releases."""
        if not isinstance(self.declaration, ProviderDeclaration):
            return ()
        address = self.declaration.address
        judged = [found.version for found, outcome in self.outcomes if _shows_signer(outcome)]
        signed = {
            outcome.record.keys[0].key_id
            for _, outcome in self.outcomes
            if isinstance(outcome, Release) and isinstance(outcome.record, ProviderVersion)
        }
        return tuple(
            KeyUse(
                namespace=key.namespace,
                name=key.name,
                signers=frozenset(signed),
                releases=sum(key.covers(address, version) for version in judged),
                complete=not self.unchecked and len(judged) == len(self.outcomes),
            )
            for key in self.declaration.keys
        )

    def problems(self, root: Cursor) -> Iterator[Problem]:
        """In terms of the document that declares the package."""
        if self.gone:
            at = root / "spec" / "source" / "url"
            pointer = at.pointer if at.present else _SOURCE
            yield Problem(rule="GR601", message=self.gone, hint="write the URL of a repository", pointer=pointer)
        if self.discovery is not None:
            yield from _versions(self.declaration, self.discovery, root)
            yield from _pins(self.declaration, self.discovery, root)
        for found, outcome in self.outcomes:
            if isinstance(outcome, IntegrityError):
                yield _refused(self.declaration, found, outcome, root)


def _shows_signer(outcome: Release | UpstreamError) -> bool:
    """Whether it is known who signed the release: one that was refused for another reason may be anybody's."""
    return isinstance(outcome, Release) or outcome.reason in _ABOUT_SIGNER


def ask(declaration: PackageDeclaration, upstream_for: UpstreamFactory) -> Asked:
    """Look at the upstream's versions, then at the content of the newest."""
    discovery: Discovery | None = None
    outcomes: list[Outcome] = []
    try:
        upstream = upstream_for(declaration)
        discovery = upstream.discover()
        for outcome in upstream.releases(_newest(declaration, discovery)):
            outcomes.append(outcome)  # noqa: PERF402  what came before the upstream went away counts
    except UpstreamError as error:
        if discovery is None and error.reason in _GONE:
            return Asked(declaration=declaration, gone=str(error))
        return _asked(declaration, discovery, outcomes, str(error))
    lost = [str(error) for _, error in outcomes if isinstance(error, UpstreamUnavailable)]
    lost += [f'the folder "{one.ref}" is not committed' for one in discovery.found if _is_uncommitted(declaration, one)]
    return _asked(declaration, discovery, outcomes, lost[0] if lost else "")


def _asked(declaration: PackageDeclaration, discovery: Discovery | None, outcomes: list[Outcome], lost: str) -> Asked:
    unchecked = f"{declaration.address}: {lost}" if lost else ""
    return Asked(declaration=declaration, discovery=discovery, outcomes=tuple(outcomes), unchecked=unchecked)


def _newest(declaration: PackageDeclaration, discovery: Discovery) -> tuple[Found, ...]:
    """What is looked into: the newest versions that would be published, but none whose pin says otherwise."""
    found = {
        one.version: one
        for one in discovery.found
        if not pin_mismatch(declaration.versions, one) and not _is_uncommitted(declaration, one)
    }
    admitted = [version for version in select(declaration.versions, _known(discovery)).admitted if version in found]
    count = _RECENT if isinstance(declaration, ProviderDeclaration) else _PACKED
    return tuple(found[version] for version in reversed(admitted[-count:]))


def _is_uncommitted(declaration: PackageDeclaration, found: Found) -> bool:
    """Whether it is a folder of the catalog that only the working tree holds; what nothing holds is found offline."""
    return isinstance(declaration.source, CatalogSource) and not found.tree


def _known(discovery: Discovery) -> list[Version]:
    return [one.version for one in discovery.found]


def _versions(declaration: PackageDeclaration, discovery: Discovery, root: Cursor) -> Iterator[Problem]:
    known, rules = _known(discovery), declaration.versions
    newest = max(known, default=None)
    if newest is None:
        yield _no_versions(declaration, discovery, root)
    elif rules.constraint and not any(rules.constraint.admits(one, prereleases=rules.prereleases) for one in known):
        message = f"{quoted(rules.constraint.text)} admits none of the {len(known)} versions there are"
        hint = f"the newest is {newest}" + (", a pre-release (prereleases: true)" if newest.is_prerelease else "")
        yield Problem(rule="GR603", message=message, hint=hint, pointer=_nearest(root, "constraint"))
    elif not (selection := select(rules, known)).admitted:
        why = next((skipped.reason for skipped in selection.left_out if skipped.ref == newest.text), "")
        message = f"the rules leave none of the {len(known)} versions there are"
        yield Problem(rule="GR604", message=message, hint=f"{newest}: {why}", pointer=_nearest(root), on_key=True)


def _no_versions(declaration: PackageDeclaration, discovery: Discovery, root: Cursor) -> Problem:
    source = declaration.source
    prefix = source.tag_prefix if isinstance(source, GitSource) else None
    pointer = root / "spec" / "source" / "tagPrefix"
    at = pointer.pointer if pointer.present else _SOURCE
    if discovery.skipped:
        message = f"none of its {len(discovery.skipped)} tags is a version"
        first = discovery.skipped[0]
        return Problem(rule="GR602", message=message, hint=f"{first.ref}: {first.reason}", pointer=at)
    what = f" that begin with {quoted(prefix)}" if prefix else ""
    hint = "tag a version, like v1.0.0" if not prefix else "write the prefix of its tags"
    return Problem(rule="GR602", message=f"the repository has no version tags{what}", hint=hint, pointer=at)


def _nearest(root: Cursor, key: str = "") -> str:
    """The pointer to a rule of `spec.versions`, or to the nearest that the file holds (defaults stand elsewhere)."""
    versions = root / "spec" / "versions"
    if key and (versions / key).present:
        return (versions / key).pointer
    return versions.pointer if versions.present else "/spec"


def _pins(declaration: PackageDeclaration, discovery: Discovery, root: Cursor) -> Iterator[Problem]:
    found = {one.version: one for one in discovery.found}
    skipped = {one.ref: one.reason for one in discovery.skipped}
    known, speller = [version.text for version in found], Speller()
    for pin in declaration.versions.pins:
        one = found.get(pin.version)
        if one is None:
            message = f"the version {quoted(pin.version.text)} is pinned and does not exist"
            near = speller.nearest(pin.version.text, known)
            hint = skipped.get(pin.version.text) or skipped.get(f"v{pin.version}") or near
            yield Problem(rule="GR605", message=message, hint=hint, pointer=_pin(root, pin, "version"))
        elif reason := pin_mismatch(declaration.versions, one):
            yield Problem(rule="GR606", message=reason, pointer=_pin(root, pin, "commit"))


def _pin(root: Cursor, pin: Pin, key: str) -> str:
    at = next((one for one in root / "spec" / "versions" / "pins" if (one / "version").text == pin.version.text), None)
    return (at / key).pointer if at else "/spec"


def _refused(declaration: PackageDeclaration, found: Found, error: IntegrityError, root: Cursor) -> Problem:
    message = f"the version {found.version} would be refused: {error}"
    if isinstance(declaration.source, CatalogSource):
        pinned = next((pin for pin in declaration.versions.pins if pin.version == found.version), None)
        pointer = _pin(root, pinned, "version") if pinned else _SOURCE
        incomplete = error.reason == "IncompleteRelease" and isinstance(declaration, ProviderDeclaration)
        return Problem(rule="GR609" if incomplete else "GR608", message=message, pointer=pointer)
    path = root / "spec" / "source" / "path"
    if error.reason == "IncompleteRelease" and path.present:
        hint = "write the folder as it is in the newest version"
        return Problem(rule="GR607", message=message, hint=hint, pointer=path.pointer)
    return Problem(rule="GR608", message=message, pointer=_SOURCE, on_key=True)
