"""Every error raised on purpose, sorted by who can mend it.

GitopsregError
├── InvalidName            a string that is no legal name, version, constraint, digest or platform
├── ConfigError            the operator: a setting is wrong or missing
├── CatalogError
│   ├── CheckoutFailed     nobody, or the network: tried again
│   └── CatalogInvalid     the author of the catalog: all problems at once
├── UpstreamError          (carries `reason`, the stable CamelCase word that status shows)
│   ├── UpstreamUnavailable  the network or the upstream: tried again
│   └── IntegrityError       the publisher: never published, never retried hot, always loud
├── StorageError           the operator of the store: tried again
│   ├── KeyMissing         nothing is stored under the key
│   └── PublishConflict    somebody else moved the pointer first
├── LeaseError             nobody: another reconciler is at work, tried again
│   ├── LeaseHeld          it has the lease
│   └── LostLease          ours could not be kept, or it was taken
├── UnsafePlan             a person must confirm
├── PublishHeld            a person holds back whatever is to be published
├── NotPublished           the client asked for something that is not in the snapshot
│   └── Blocked            it is, and may not be served
├── BundleRefused          who made or carried the bundle: it is torn, altered, not trusted, or not for this store
└── LinkRefused            the client's link to stored bytes has expired or was altered

A message is lower case, names the offending value in quotes and says what would be right.
"""

from typing import Protocol


class Located(Protocol):
    """A problem that knows its place: what `CatalogInvalid` carries (see catalog.report)."""

    @property
    def path(self) -> str: ...

    def __str__(self) -> str: ...


class GitopsregError(Exception):
    """Base of all: expected, explained, and shown without a traceback.

    `next_step` is what to do about it where that is known better than for its whole family (see cli.failures).
    """

    next_step: str | None = None


class InvalidName(GitopsregError, ValueError):
    """A string that is not what it should name."""


class ConfigError(GitopsregError):
    """A setting is wrong or missing; only the operator can mend it."""


class CatalogError(GitopsregError):
    """The catalog could not be read or is not valid."""


class CheckoutFailed(CatalogError):
    """The catalog's repository could not be reached or has no such ref."""

    def __init__(self, message: str, *, reason: str = "FetchFailed") -> None:
        super().__init__(message)
        self.reason = reason


class CatalogInvalid(CatalogError):
    """The catalog breaks its rules; `problems` holds every finding, never only the first."""

    def __init__(self, problems: tuple[Located, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class UpstreamError(GitopsregError):
    """Something about an upstream; `reason` is a stable CamelCase word (status, metrics)."""

    default_reason = "UpstreamError"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason or self.default_reason


class UpstreamUnavailable(UpstreamError):
    """No answer, or not the right one: tried again with back-off.

    Reasons: `AuthenticationFailed`, `NotFound`, `Moved`, `HostKeyMismatch`, `TLSFailed`, `Timeout`, `UpstreamError`.
    """


class IntegrityError(UpstreamError):
    """Bytes that may not be published.

    Reasons: `ChecksumMismatch`, `SignatureInvalid`, `KeyNotTrusted`, `KeyRevoked`, `KeyExpired`, `IncompleteRelease`,
    `PinMismatch`, `UnsafeArchive`, `TooLarge`; of provider releases also `ChecksumsInvalid`, `ManifestInvalid` and
    `ArchiveInvalid` (a zip that no client could install).
    """

    default_reason = "ChecksumMismatch"


class StorageError(GitopsregError):
    """The store did not do what it was asked; tried again."""


class KeyMissing(StorageError, LookupError):
    """Nothing is stored under this key."""


class PublishConflict(StorageError):
    """The pointer is no longer the one that this change was built on."""


class LeaseError(GitopsregError):
    """The lease is not ours: no fault of the store, and nothing is lost but time."""


class LeaseHeld(LeaseError):
    """Another reconciler is at work. `until` (RFC 3339, by its own clock) is when it has to renew the lease."""

    def __init__(self, message: str, *, until: str) -> None:
        super().__init__(message)
        self.until = until


class LostLease(LeaseError):
    """What was built under this lease may not be published. `taken` when another reconciler is at work since."""

    def __init__(self, message: str, *, taken: bool) -> None:
        super().__init__(message)
        self.taken = taken


class UnsafePlan(GitopsregError):
    """A guard stopped the plan; a person can approve exactly this one by its digest."""

    def __init__(self, message: str, *, reason: str, digest: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.digest = digest


class PublishHeld(GitopsregError):
    """A hold is in force: nothing is published until it ends or is released."""


class NotPublished(GitopsregError, LookupError):
    """Not in the snapshot, or not for this caller."""


class Blocked(NotPublished):
    """Published once and now withheld: malware, leaked secrets, or bytes that were let go. The message says why."""


class BundleRefused(GitopsregError):
    """A file that should carry a snapshot and can't be imported; nothing that is served has changed."""


class LinkRefused(GitopsregError):
    """A link to stored bytes that was altered, never signed, or has expired."""


def quoted(text: str) -> str:
    """An untrusted value for a message: in quotes, one line, nothing a terminal would act on, and never long."""
    shown = text if len(text) <= 80 else text[:79] + "…"
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown) + '"'
