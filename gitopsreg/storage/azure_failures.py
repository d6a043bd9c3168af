"""What went wrong between us and Azure, in words that say what to do.

Of the service's own words only the error's code is shown: what it says beside may echo what we sent.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from gitopsreg.errors import KeyMissing, PublishConflict, StorageError, quoted

_CODE = re.compile(r"[0-9A-Za-z]{1,60}")
_ROLES = 'the role "Storage Blob Data Contributor" (a server that only reads: "Storage Blob Data Reader")'
SOURCES = (
    "set AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or give this machine an "
    "identity (AZURE_CLIENT_ID, …)"
)


class RangeBehindEnd(StorageError):
    """The blob is there, and shorter than the first byte that was asked for."""


class BlocksGone(StorageError):
    """Another writer of the same key committed in between, which discards everybody's staged blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that is an error. `container` is "account/container", `code` as Azure names it."""

    container: str
    endpoint: str
    key: str
    code: str
    status: int

    @property
    def shown(self) -> str:
        return self.code if _CODE.fullmatch(self.code) else str(self.status)


def explain(refusal: Refusal) -> StorageError:
    """The error to raise; the messages name the container, and never a credential."""
    return _of_blob(refusal) or _of_container(refusal)


def _of_blob(refusal: Refusal) -> StorageError | None:
    """What callers tell apart."""
    key = f'"{refusal.key}"'
    match refusal.code:
        case "BlobNotFound":
            return KeyMissing(f"{key} is not stored")
        case "ConditionNotMet" | "BlobAlreadyExists":
            return PublishConflict(f"{key} was changed by another writer: read it again")
        case "InvalidRange":
            return RangeBehindEnd(f"{key} is shorter than that")
        case "InvalidBlockList":
            return BlocksGone(f"another writer stored {key} at the same moment: try again")
        case _:
            return None


def _of_container(refusal: Refusal) -> StorageError:
    found = (advice for applies, advice in _ADVICE if applies(refusal))
    return next(found, _unexpected)(refusal)


def _no_container(refusal: Refusal) -> StorageError:
    return StorageError(
        f'there is no container "{refusal.container}" at {refusal.endpoint}: create it, or mend the store\'s address'
    )


def _not_valid(refusal: Refusal) -> StorageError:
    return StorageError(
        f'the credentials for the container "{refusal.container}" are not valid at {refusal.endpoint} '
        f"({refusal.shown}): check the account key or SAS token, that it has not expired, and this machine's clock"
    )


def _denied(refusal: Refusal) -> StorageError:
    blob = f' for "{refusal.key}"' if refusal.key else ""
    return StorageError(
        f'the container "{refusal.container}" denies access{blob} ({refusal.shown}): allow it with {_ROLES} or in the '
        "SAS token, and let this network pass the account's firewall"
    )


def _leased(refusal: Refusal) -> StorageError:
    return StorageError(f'"{refusal.key}" is under a lease ({refusal.shown}): end it, nobody else may hold one')


def _not_here(refusal: Refusal) -> StorageError:
    return StorageError(
        f"{refusal.endpoint} does not answer like Azure Blob Storage ({refusal.shown}): mend the store's address"
    )


def _busy(refusal: Refusal) -> StorageError:
    return StorageError(
        f'the container "{refusal.container}" is busy or out of order ({refusal.shown}): try again later'
    )


def _unexpected(refusal: Refusal) -> StorageError:
    about = f"an access to {quoted(refusal.key)}" if refusal.key else "an access"
    return StorageError(
        f'the container "{refusal.container}" refused {about}: {refusal.shown} (HTTP status {refusal.status})'
    )


_ADVICE: tuple[tuple[Callable[[Refusal], bool], Callable[[Refusal], StorageError]], ...] = (
    (lambda it: it.code in {"ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled"}, _no_container),
    (lambda it: it.code in {"AuthenticationFailed", "InvalidAuthenticationInfo"} or it.status == 401, _not_valid),
    (lambda it: it.code.startswith("Lease"), _leased),
    (lambda it: it.status == 403 or it.code == "PublicAccessNotPermitted", _denied),
    (lambda it: it.status in {301, 302, 307, 308, 404, 405}, _not_here),
    (lambda it: it.status in {408, 429, 500, 502, 503, 504}, _busy),
)
