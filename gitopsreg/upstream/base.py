"""What an upstream is: it finds versions cheaply, then makes complete, verified releases of the wanted ones."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from gitopsreg.errors import UpstreamError
from gitopsreg.index.model import Blob, ModuleVersion, ProviderVersion
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A version that the upstream has. `ref` is the tag or the folder; `tree` is "" until fetched."""

    version: Version
    ref: str
    commit: str
    tree: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Something that looked like a version and is not published, with the reason for people."""

    ref: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """All that the upstream has. `state` changes whenever anything in it could: the skip key's share."""

    found: tuple[Found, ...]
    skipped: tuple[Skipped, ...]
    state: Sha256


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


class Upstream(Protocol):
    """One package's upstream, made for one declaration."""

    def discover(self) -> Discovery:
        """All versions, without fetching their content. Raises UpstreamUnavailable."""

    def releases(self, wanted: Sequence[Found]) -> Iterator[tuple[Found, Release | UpstreamError]]:
        """Each wanted version in turn, verified, or the error that is its own; one bad version costs one version.

        Payloads are valid until the next item is asked for. Raises UpstreamUnavailable when nothing could be fetched.
        """
