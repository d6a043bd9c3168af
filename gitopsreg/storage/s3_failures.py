"""What went wrong between us and S3, in words that say what to do.

Of a server's own words only the error's code is shown: what it says beside may echo what we sent.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gitopsreg.errors import KeyMissing, PublishConflict, StorageError, quoted

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_UNKNOWN = {
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidIdentityToken",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_ELSEWHERE = {"AuthorizationHeaderMalformed", "IncorrectEndpoint", "PermanentRedirect", "TemporaryRedirect"}
_KEY_STATES = re.compile(r"KMS\.[A-Za-z]+")
_CODE = re.compile(r"[0-9A-Za-z._-]{1,60}")
_PERMISSIONS = {
    "GetObject": "s3:GetObject and s3:ListBucket (without that one an absent key is denied too)",
    "HeadObject": "s3:GetObject and s3:ListBucket (without that one an absent key is denied too)",
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "DeleteObject": "s3:DeleteObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
}


class RangeBehindEnd(StorageError):
    """The object is there, and shorter than the first byte that was asked for."""


class UploadGone(StorageError):
    """The upload was completed already, or aborted."""


class NotSupported(StorageError):
    """The server knows no such condition."""


# What callers tell apart: the state of an object, no fault of the bucket.
_CHANGED = (PublishConflict, "was changed by another writer: read it again")
_STATES: Mapping[str, tuple[type[StorageError], str]] = {
    "NoSuchKey": (KeyMissing, "is not stored"),
    "412": _CHANGED,
    "PreconditionFailed": _CHANGED,
    "ConditionalRequestConflict": _CHANGED,
    "OperationAborted": _CHANGED,
    "InvalidRange": (RangeBehindEnd, "is shorter than that"),
    "416": (RangeBehindEnd, "is shorter than that"),
    "NoSuchUpload": (UploadGone, "could not be completed: its upload was aborted, by hand or by a lifecycle rule"),
    "NotImplemented": (NotSupported, "could not be treated so: the server can't do it"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that is an error. `code` as S3 names it, or the status where the answer has no body."""

    bucket: str
    endpoint: str
    operation: str  # as the API names it: "GetObject"
    key: str = ""
    role: str = ""
    code: str
    status: int
    region: str = ""  # where the bucket lies, if the server says so
    about_encryption: bool = False

    @property
    def shown(self) -> str:
        return self.code if _CODE.fullmatch(self.code) else str(self.status)


def explain(refusal: Refusal) -> StorageError:
    """The error to raise; the messages name the bucket, and never a credential."""
    if refusal.operation.startswith("AssumeRole"):
        return _no_role(refusal)
    if refusal.code == "404" and refusal.operation == "HeadObject":
        return KeyMissing(f'"{refusal.key}" is not stored')
    kind, words = _STATES.get(refusal.code, (None, ""))
    return _of_bucket(refusal) if kind is None else kind(f'"{refusal.key}" {words}')


def _of_bucket(refusal: Refusal) -> StorageError:
    found = (advice for applies, advice in _ADVICE if applies(refusal))
    return next(found, _unexpected)(refusal)


def _no_bucket(refusal: Refusal) -> StorageError:
    return StorageError(
        f'there is no bucket "{refusal.bucket}" at {refusal.endpoint}: create it, or mend the store\'s address'
    )


def _no_role(refusal: Refusal) -> StorageError:
    role = f'the role "{refusal.role}"' if refusal.role else "the role that AWS_ROLE_ARN names"
    return StorageError(
        f"{role} can't be assumed ({refusal.shown}): its trust policy must name who asks (sts:AssumeRole, or "
        "sts:AssumeRoleWithWebIdentity and the token's issuer) and the same external_id"
    )


def _expired(refusal: Refusal) -> StorageError:
    return StorageError(
        f'the credentials for the bucket "{refusal.bucket}" have expired ({refusal.shown}): renew them, or use a role, '
        "which renews itself"
    )


def _unknown(refusal: Refusal) -> StorageError:
    return StorageError(
        f'the credentials for the bucket "{refusal.bucket}" are not valid at {refusal.endpoint} ({refusal.shown}): '
        "check the access key, its secret and the session token"
    )


def _elsewhere(refusal: Refusal) -> StorageError:
    region = refusal.region if re.fullmatch(r"[0-9a-z-]{1,64}", refusal.region) else "…"
    return StorageError(
        f'the bucket "{refusal.bucket}" lies in another region: write "region={region}" into the store\'s address'
    )


def _no_encryption(refusal: Refusal) -> StorageError:
    return StorageError(
        f'the bucket "{refusal.bucket}" can\'t use its encryption key ({refusal.shown}): check that it is enabled, and '
        "allow kms:GenerateDataKey and kms:Decrypt to these credentials"
    )


def _denied(refusal: Refusal) -> StorageError:
    needed = _PERMISSIONS.get(refusal.operation, "s3:PutObject")
    object_ = f' for "{refusal.key}"' if refusal.key else ""
    return StorageError(
        f'the bucket "{refusal.bucket}" denies {refusal.operation}{object_}: allow {needed} to these credentials'
    )


def _wrong_clock(refusal: Refusal) -> StorageError:
    return StorageError(f'this machine\'s clock and that of the bucket "{refusal.bucket}" differ: set the clock')


def _busy(refusal: Refusal) -> StorageError:
    return StorageError(f'the bucket "{refusal.bucket}" is busy or out of order ({refusal.shown}): try again later')


def _unexpected(refusal: Refusal) -> StorageError:
    return StorageError(
        f'the bucket "{refusal.bucket}" refused {refusal.operation} for {quoted(refusal.key)}: {refusal.shown} '
        f"(HTTP status {refusal.status})"
    )


_ADVICE: tuple[tuple[Callable[[Refusal], bool], Callable[[Refusal], StorageError]], ...] = (
    (lambda it: it.code == "NoSuchBucket" or (it.operation == "HeadBucket" and it.status == 404), _no_bucket),
    (lambda it: it.code in _EXPIRED, _expired),
    (lambda it: it.code in _UNKNOWN, _unknown),
    (lambda it: it.code in _ELSEWHERE or 300 <= it.status < 400, _elsewhere),
    (lambda it: it.code == "RequestTimeTooSkewed", _wrong_clock),
    (lambda it: bool(_KEY_STATES.match(it.code)) or it.about_encryption, _no_encryption),
    (lambda it: it.status in {401, 403}, _denied),
    (lambda it: it.status in {429, 500, 502, 503, 504}, _busy),
)
