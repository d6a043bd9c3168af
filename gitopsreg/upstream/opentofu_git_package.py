"""One package of a registry in Git, published by reference: its records name URLs, and nothing is fetched."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

from gitopsreg.errors import UpstreamError, UpstreamUnavailable
from gitopsreg.index.model import ProviderVersion, PublicKey
from gitopsreg.model.declaration import ProviderDeclaration
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.upstream.base import Discovery, Found, Release, Skipped
from gitopsreg.upstream.opentofu_git_listing import Listed, Listing
from gitopsreg.upstream.opentofu_git_providers import KeysOf
from gitopsreg.upstream.signature import read_key


class ReferencedPackage:
    """An Upstream. `read` gives what the package's file lists, and is called once, by whoever asks first."""

    def __init__(self, read: Callable[[], Listing], state: Sha256) -> None:
        self._read = read
        self._state = state

    @cached_property
    def listing(self) -> Listing:
        """Raises UpstreamUnavailable and IntegrityError."""
        return self._read()

    def discover(self) -> Discovery:
        return Discovery(
            found=tuple(item.found for item in self.listing.listed.values()),
            skipped=self.listing.skipped,
            state=self._state,
            warnings=self.listing.warnings,
            held=tuple(item.found for item in self.listing.held),
        )

    def releases(self, wanted: Sequence[Found]) -> Iterator[tuple[Found, Release | UpstreamError]]:
        for found in wanted:
            item = self.listing.listed.get(found.version)
            if item is None:
                yield found, UpstreamUnavailable(f'"{found.version}" is no longer listed', reason="NotFound")
            else:
                yield found, Release(record=item.record, payloads=())


def declared_keys(declaration: ProviderDeclaration, of_upstream: tuple[PublicKey, ...]) -> KeysOf:
    """Which keys vouch for a version: those that the catalog names, and the upstream's own where it names none.

    Raises IntegrityError when one of the catalog's can't be read.
    """
    if not declaration.keys:
        return lambda _: of_upstream
    usable = [
        (key, public) for key in declaration.keys if key.status != "revoked" and (public := _usable(key.public_key))
    ]

    def covering(version: Version) -> tuple[PublicKey, ...]:
        return tuple(public for key, public in usable if key.covers(declaration.address, version))

    return covering


def unnamed_keys(declaration: ProviderDeclaration, of_upstream: tuple[PublicKey, ...]) -> tuple[Skipped, ...]:
    """The upstream's keys that the catalog does not name, where it names any: nothing is trusted in silence."""
    named = {key.fingerprint.upper()[-16:] for key in declaration.keys}
    reason = "it is a key of the upstream that verify.keys does not name: declare and name it if you trust it"
    return tuple(Skipped(ref=key.key_id, reason=reason) for key in of_upstream if named and key.key_id not in named)


@lru_cache(maxsize=1024)
def _usable(armor: str) -> PublicKey | None:
    """One for all versions that it vouches for; None when its owner has revoked it."""
    key = read_key(armor)
    return None if key.revoked else PublicKey(key_id=key.key_id, armor=key.armor)


def as_declared(listing: Listing, declaration: ProviderDeclaration) -> Listing:
    """Less what no key of the catalog covers, where it names any, and what lacks a platform that it requires: those are
    held. With `required-platforms` less all other platforms.
    """
    if not declaration.platforms and not declaration.keys:
        return listing
    kept: dict[Version, Listed] = {}
    held: list[Listed] = []
    skipped: list[Skipped] = []
    for version, item in listing.listed.items():
        record = item.record
        assert isinstance(record, ProviderVersion)  # noqa: S101 - a provider's listing holds nothing else
        if why := _why_held(record, declaration):
            skipped.append(Skipped(ref=item.tag, reason=why))
            held.append(item)
        else:
            kept[version] = replace(item, record=_narrowed(record, declaration))
    return replace(listing, listed=kept, held=tuple(held), skipped=(*listing.skipped, *skipped))


def _why_held(record: ProviderVersion, declaration: ProviderDeclaration) -> str:
    if declaration.keys and not record.keys:
        return "none of the keys in verify.keys covers it"
    missing = [str(platform) for platform in declaration.platforms if record.build(platform) is None]
    return f"it has no build for {', '.join(missing)}" if missing else ""


def _narrowed(record: ProviderVersion, declaration: ProviderDeclaration) -> ProviderVersion:
    if declaration.completeness != "required-platforms":
        return record
    wanted = set(declaration.platforms)
    return replace(record, builds=tuple(build for build in record.builds if build.platform in wanted))
