"""Is this webhook from who it claims to be, and does it matter? Pure: bytes, headers and the time in, a verdict out.

The signature is checked over the raw bytes before anything is parsed. The payload is a hint for "look again" and
never data: an authentic payload that can't be read still counts.
"""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args
from urllib.parse import parse_qs

from gitopsreg.errors import ConfigError

ReceiverType = Literal["github", "gitlab", "generic-hmac", "bearer"]
Outcome = Literal["refused", "ping", "irrelevant", "relevant"]

_NAME = re.compile(r"[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?")
_SHORTEST_SECRET = 16
_CLOCK_SKEW = 300
_ZERO = "0" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """One hook, `/hooks/<name>`. Any of `secrets` will do, so that they can rotate; `refs` () means every ref.

    `refs` are full names, `*` stands for anything: `refs/heads/main`, `refs/tags/v*`. Raises ConfigError.
    """

    name: str
    type: ReceiverType
    secrets: tuple[bytes, ...]
    refs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(f'"{self.name}" is not a receiver name: use 1 to 63 of a-z, 0-9 and inner dashes')
        if self.type not in get_args(ReceiverType):
            known = ", ".join(get_args(ReceiverType))
            raise ConfigError(f'receiver "{self.name}" has the unknown type "{self.type}": write one of {known}')
        if not self.secrets:
            raise ConfigError(f'receiver "{self.name}" has no secret: without one anybody could call it')
        if any(len(secret) < _SHORTEST_SECRET for secret in self.secrets):
            raise ConfigError(
                f'receiver "{self.name}" has a secret of fewer than {_SHORTEST_SECRET} bytes: use 32, random'
            )
        for ref in self.refs:
            if not ref.startswith("refs/"):
                raise ConfigError(
                    f'receiver "{self.name}" has the ref "{ref}": write it in full, like "refs/heads/{ref}"'
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`delivery` names this delivery, "" when the sender does not; `message` is for logs and for the sender."""

    outcome: Outcome
    message: str
    delivery: str = ""


def judge(receiver: Receiver, headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
    """`headers` have lower-case names and latin-1 values, as HTTP delivers them."""
    if receiver.type == "github":
        return _github(receiver, headers, body)
    if receiver.type == "gitlab":
        return _gitlab(receiver, headers, body, now)
    if receiver.type == "generic-hmac":
        return _generic(receiver, headers, body, now)
    return _bearer(receiver, headers)


def _github(receiver: Receiver, headers: Mapping[str, str], body: bytes) -> Verdict:
    algorithm, _, signature = headers.get("x-hub-signature-256", "").partition("=")
    if algorithm != "sha256" or not _signed(receiver.secrets, body, signature, "sha256"):
        sha1 = "x-hub-signature-256" not in headers and "x-hub-signature" in headers
        return _refused(
            "X-Hub-Signature-256 is missing: SHA-1 is not enough" if sha1 else "the signature does not match"
        )
    event = headers.get("x-github-event", "")
    delivery = headers.get("x-github-delivery", "")
    if event == "ping":
        return Verdict(outcome="ping", message="pong", delivery=delivery)
    if event not in {"push", "create", "delete", "release"}:
        return _irrelevant(f"event {_short(event)}", delivery)
    return _by_ref(receiver, event, _github_ref(event, _payload(headers, body)), delivery)


def _github_ref(event: str, payload: Mapping[str, Any]) -> str:
    ref = payload.get("ref")
    if event == "release":
        release = payload.get("release")
        tag = release.get("tag_name") if isinstance(release, dict) else None
        return f"refs/tags/{tag}" if isinstance(tag, str) else ""
    if not isinstance(ref, str):
        return ""
    folder = {"branch": "refs/heads/", "tag": "refs/tags/"}.get(str(payload.get("ref_type")), "")
    return ref if event == "push" else folder + ref


def _gitlab(receiver: Receiver, headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
    if "webhook-signature" in headers:
        refusal = _standard_webhook(receiver.secrets, headers, body, now)
    elif _same(receiver.secrets, headers.get("x-gitlab-token", "")):
        refusal = ""
    else:
        refusal = "X-Gitlab-Token does not match"
    if refusal:
        return _refused(refusal)
    delivery = headers.get("webhook-id") or headers.get("idempotency-key") or headers.get("x-gitlab-event-uuid", "")
    event = headers.get("x-gitlab-event", "")
    payload = _payload(headers, body)
    if event == "System Hook":
        event = {"push": "Push Hook", "tag_push": "Tag Push Hook"}.get(str(payload.get("event_name")), event)
    if event == "Release Hook":
        tag = payload.get("tag")
        return _by_ref(receiver, event, f"refs/tags/{tag}" if isinstance(tag, str) else "", delivery)
    if event not in {"Push Hook", "Tag Push Hook"}:
        return _irrelevant(f"event {_short(event)}", delivery)
    ref = payload.get("ref")
    return _by_ref(receiver, event, ref if isinstance(ref, str) else "", delivery)


def _generic(receiver: Receiver, headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
    if "webhook-signature" in headers:
        refusal = _standard_webhook(receiver.secrets, headers, body, now)
        delivery = headers.get("webhook-id", "")
    else:
        algorithm, _, signature = headers.get("x-signature", "").partition("=")
        known = algorithm in {"sha256", "sha512"}
        authentic = known and _signed(receiver.secrets, body, signature, algorithm)
        refusal = "" if authentic else "X-Signature must be sha256=… or sha512=…, the HMAC of the body"
        delivery = headers.get("x-request-id", "")
    return _refused(refusal) if refusal else Verdict(outcome="relevant", message="called", delivery=delivery)


def _bearer(receiver: Receiver, headers: Mapping[str, str]) -> Verdict:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not _same(receiver.secrets, token.strip()):
        return _refused("the bearer token does not match")
    return Verdict(outcome="relevant", message="called", delivery=headers.get("x-request-id", ""))


def _by_ref(receiver: Receiver, event: str, ref: str, delivery: str) -> Verdict:
    """An unknown ref counts: one look too many is cheaper than one too few."""
    if ref and receiver.refs and not any(fnmatchcase(ref, pattern) for pattern in receiver.refs):
        return _irrelevant(f"{event} of {_short(ref)}", delivery)
    return Verdict(outcome="relevant", message=f"{event} {_short(ref)}".strip(), delivery=delivery)


def _payload(headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
    """{} for what can't be read. GitHub sends a form unless it is told to send JSON."""
    try:
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            body = parse_qs(body.decode(), max_num_fields=10).get("payload", [""])[0].encode()
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _signed(secrets: Iterable[bytes], body: bytes, signature: str, algorithm: str) -> bool:
    """Every secret is tried, so that the time taken tells nothing."""
    given = signature.lower().encode("latin-1", "replace")
    matches = [hmac.compare_digest(hmac.new(key, body, algorithm).hexdigest().encode(), given) for key in secrets]
    return any(matches)


def _same(secrets: Iterable[bytes], given: str) -> bool:
    matches = [hmac.compare_digest(secret, given.encode("latin-1", "replace")) for secret in secrets]
    return any(matches)


def _standard_webhook(secrets: Iterable[bytes], headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Why it is refused, "" when it is authentic (standardwebhooks.com; several signatures allow rotation)."""
    stamp = headers.get("webhook-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,12}", stamp) or abs(now - int(stamp)) > _CLOCK_SKEW:
        return "webhook-timestamp is missing, or more than five minutes away"
    signed = f"{headers.get('webhook-id', '')}.{stamp}.".encode("latin-1", "replace") + body
    given = [each.removeprefix("v1,") for each in headers["webhook-signature"].split() if each.startswith("v1,")]
    right = [base64.b64encode(hmac.digest(_key(secret), signed, "sha256")) for secret in secrets]
    matches = [hmac.compare_digest(good, each.encode("latin-1", "replace")) for good in right for each in given]
    return "" if any(matches) else "webhook-signature does not match"


def _key(secret: bytes) -> bytes:
    """`whsec_<base64>` is how these secrets are written down."""
    if not secret.startswith(b"whsec_"):
        return secret
    try:
        return base64.b64decode(secret.removeprefix(b"whsec_"), validate=True)
    except binascii.Error:
        return secret


def _short(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:120]


def _refused(message: str) -> Verdict:
    return Verdict(outcome="refused", message=message)


def _irrelevant(message: str, delivery: str) -> Verdict:
    return Verdict(outcome="irrelevant", message=message, delivery=delivery)
