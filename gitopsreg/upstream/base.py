"""What an upstream is: it finds versions cheaply, then makes complete, verified releases of the wanted ones."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gitopsreg.errors import UpstreamError
from gitopsreg.index.model import Blob, ModuleVersion, ProviderVersion, PublicKey
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.declaration import PackageDeclaration
from gitopsreg.model.digest import Sha256
from gitopsreg.model.quick import quick
from gitopsreg.model.version import Version


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A version that the upstream has. `ref` is the tag or the folder; `tree` is "" until fetched.

    `keys` are those that vouch for it now, where that is told without a fetch: of a provider that stays elsewhere.
    """

    version: Version
    ref: str
    commit: str
    tree: str = ""
    keys: tuple[PublicKey, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Something that looked like a version and is not published, with the reason for people."""

    ref: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """All that the upstream has. `state` changes whenever anything in it could: the skip key's share. `warnings` are
    its words to whoever uses the package.

    `held` are versions that are there and that the declaration does not let in (no key covers them, a platform is
    missing): none is published, and none of those that were published before is gone.
    """

    found: tuple[Found, ...]
    skipped: tuple[Skipped, ...]
    state: Sha256
    warnings: tuple[str, ...] = ()
    held: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Bytes to store under `blobs/<sha256>`; `open` may be called again and yields all of it."""

    blob: Blob
    open: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A version ready to publish: its record (listing "listed") and every byte the record names."""

    record: ModuleVersion | ProviderVersion
    payloads: tuple[Payload, ...]


class Gathering(Protocol):
    """An upstream of many packages at once: one look tells of all of them. Used by one thread at a time; the upstreams
    that it gives may be used side by side.
    """

    @property
    def url(self) -> str:
        """What declarations call it."""

    def look(self) -> str:
        """Ask for the newest state and keep to it until the next look; its name (a commit). Cheap when nothing moved.

        Raises UpstreamUnavailable; then what was seen last still stands, if anything was.
        """

    def state(self, declaration: PackageDeclaration) -> Sha256:
        """What `discover` would give as its `state`, for the price of a few look-ups: nothing is parsed."""

    def has(self, declaration: PackageDeclaration) -> bool:
        """Whether the package is there in the state that was seen last. Raises UpstreamUnavailable, IntegrityError."""

    def moved(self, since: str) -> Collection[str] | None:
        """The namespaces there, in lower case, in which something is not as at the state `since`; None when nobody
        knows: it may be all.
        """

    def prepare(self, declarations: Sequence[PackageDeclaration]) -> None:
        """These are asked next: read what they need in one go, and let go of what the last call read."""

    def upstream(self, declaration: PackageDeclaration) -> "Upstream":
        """One package's upstream at the state that was looked at last; it works without `prepare` too, only slower."""

    def addresses(self) -> Mapping[PackageAddress, str]:
        """All packages there, with how their files write the address (`Azure/aks/azurerm`): what a Discovery chooses
        from. Of names that differ only in case one is here, the others are in `skipped`.
        """

    def skipped(self) -> tuple[Skipped, ...]:
        """Files that are no package that could be declared, with the reason."""


class Upstream(Protocol):
    """One package's upstream, made for one declaration."""

    def discover(self) -> Discovery:
        """All versions, without fetching their content. Raises UpstreamUnavailable."""

    def releases(self, wanted: Sequence[Found]) -> Iterator[tuple[Found, Release | UpstreamError]]:
        """Each wanted version in turn, verified, or the error that is its own; one bad version costs one version.

        Payloads are valid until the next item is asked for. Raises UpstreamUnavailable when nothing could be fetched.
        """
