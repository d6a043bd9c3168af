"""Who sent a webhook, and whether it matters."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import ConfigError
from gitopsreg.server.receivers import Receiver, ReceiverType, Verdict, judge

SECRET = b"It's a Secret to Everybody"
OTHER = b"the secret before this one"
NOW = 1_790_000_000.0
MAIN = ("refs/heads/main",)


def _receiver(type_: ReceiverType, *, refs: tuple[str, ...] = MAIN, secrets: tuple[bytes, ...] = (SECRET,)) -> Receiver:
    return Receiver(name="catalog", type=type_, secrets=secrets, refs=refs)


def _hex(body: bytes, secret: bytes = SECRET, algorithm: str = "sha256") -> str:
    return hmac.new(secret, body, algorithm).hexdigest()


def _github(payload: Any, event: str = "push", **changes: Any) -> Verdict:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {
        "x-hub-signature-256": f"sha256={_hex(body)}",
        "x-github-event": event,
        "x-github-delivery": "guid",
        **changes.pop("headers", {}),
    }
    return judge(_receiver("github", **changes), headers, body, NOW)


def test_github_s_own_test_vector() -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"x-hub-signature-256": signature, "x-github-event": "push"}
    assert judge(_receiver("github"), headers, b"Hello, World!", NOW).outcome == "relevant"
    assert judge(_receiver("github"), headers, b"Hello, World?", NOW).outcome == "refused"


def test_github_push_to_the_catalog_s_ref_matters() -> None:
    expected = Verdict(outcome="relevant", message="push refs/heads/main", delivery="guid")
    assert _github({"ref": "refs/heads/main"}) == expected


@pytest.mark.parametrize(
    ("event", "payload", "refs", "outcome"),
    [
        ("push", {"ref": "refs/heads/other"}, MAIN, "irrelevant"),
        ("push", {"ref": "refs/tags/main"}, MAIN, "irrelevant"),
        ("push", {"ref": "refs/heads/other"}, (), "relevant"),
        ("push", {"ref": "refs/tags/v1.0.0"}, ("refs/tags/v*",), "relevant"),
        ("create", {"ref": "v1.0.0", "ref_type": "tag"}, ("refs/tags/*",), "relevant"),
        ("delete", {"ref": "main", "ref_type": "branch"}, ("refs/tags/*",), "irrelevant"),
        ("release", {"release": {"tag_name": "v1.0.0"}}, ("refs/tags/*",), "relevant"),
        ("release", {"release": None}, MAIN, "relevant"),
        ("issues", {"ref": "refs/heads/main"}, MAIN, "irrelevant"),
        ("ping", {"zen": "x"}, MAIN, "ping"),
        ("push", b"no json", MAIN, "relevant"),
        ("push", b"[" * 100_000, MAIN, "relevant"),
        ("push", {"ref": 5}, MAIN, "relevant"),
    ],
)
def test_github_events_and_refs(event: str, payload: Any, refs: tuple[str, ...], outcome: str) -> None:
    assert _github(payload, event, refs=refs).outcome == outcome


def test_github_forms_hold_the_same_payload() -> None:
    body = urlencode({"payload": json.dumps({"ref": "refs/heads/other"})}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert _github(body, headers=headers).outcome == "irrelevant"


def test_github_sha1_is_refused_with_the_reason() -> None:
    body = b"{}"
    sha1 = hmac.new(SECRET, body, hashlib.sha1).hexdigest()
    verdict = judge(_receiver("github"), {"x-hub-signature": f"sha1={sha1}", "x-github-event": "push"}, body, NOW)
    assert verdict == Verdict(outcome="refused", message="X-Hub-Signature-256 is missing: SHA-1 is not enough")
    assert judge(_receiver("github"), {"x-hub-signature-256": f"sha1={sha1}"}, body, NOW).outcome == "refused"


@pytest.mark.parametrize("type_", ["github", "gitlab", "generic-hmac", "bearer"])
def test_without_a_signature_everything_is_refused(type_: ReceiverType) -> None:
    assert judge(_receiver(type_), {"x-github-event": "ping"}, b"{}", NOW).outcome == "refused"


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_secrets_rotate(secret: bytes) -> None:
    body = b"{}"
    headers = {"x-hub-signature-256": f"sha256={_hex(body, secret)}", "x-github-event": "push"}
    assert judge(_receiver("github", secrets=(SECRET, OTHER)), headers, body, NOW).outcome == "relevant"


def _gitlab(headers: Mapping[str, str], payload: Any = None, **changes: Any) -> Verdict:
    body = json.dumps(payload or {"ref": "refs/heads/main"}).encode()
    return judge(_receiver("gitlab", **changes), {"x-gitlab-token": SECRET.decode(), **headers}, body, NOW)


@pytest.mark.parametrize(
    ("event", "payload", "outcome"),
    [
        ("Push Hook", {"ref": "refs/heads/main"}, "relevant"),
        ("Push Hook", {"ref": "refs/heads/other"}, "irrelevant"),
        ("Tag Push Hook", {"ref": "refs/tags/v1"}, "irrelevant"),
        ("Release Hook", {"tag": "v1"}, "irrelevant"),
        ("System Hook", {"event_name": "push", "ref": "refs/heads/main"}, "relevant"),
        ("System Hook", {"event_name": "user_create"}, "irrelevant"),
        ("Issue Hook", {}, "irrelevant"),
    ],
)
def test_gitlab_events_and_refs(event: str, payload: Any, outcome: str) -> None:
    assert _gitlab({"x-gitlab-event": event}, payload).outcome == outcome


def test_gitlab_token_must_match() -> None:
    assert _gitlab({"x-gitlab-token": "nonsense", "x-gitlab-event": "Push Hook"}).outcome == "refused"
    assert _gitlab({"x-gitlab-token": "ü", "x-gitlab-event": "Push Hook"}).outcome == "refused"


def test_gitlab_delivery_is_what_stays_the_same_on_a_retry() -> None:
    headers = {"x-gitlab-event": "Push Hook", "x-gitlab-event-uuid": "event", "idempotency-key": "delivery"}
    assert _gitlab(headers).delivery == "delivery"


STANDARD = b"whsec_" + base64.b64encode(bytes(range(32)))


def _standard(
    type_: ReceiverType, *, body: bytes = b"{}", stamp: int = int(NOW), now: float = NOW, more: str = ""
) -> Verdict:
    signed = f"msg_1.{stamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(bytes(range(32)), signed, "sha256")).decode()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": f"v1,{more}wrong v1a,{signature} v1,{signature}" if not more else f"v1,{more}",
        "x-gitlab-event": "Push Hook",
    }
    return judge(_receiver(type_, secrets=(SECRET, STANDARD)), headers, body, now)


@pytest.mark.parametrize("type_", ["gitlab", "generic-hmac"])
def test_standard_webhooks_are_read(type_: ReceiverType) -> None:
    verdict = _standard(type_)
    assert (verdict.outcome, verdict.delivery) == ("relevant", "msg_1")
    assert _standard(type_, more="AAAA").outcome == "refused"


@pytest.mark.parametrize(
    ("away", "outcome"), [(299, "relevant"), (-299, "relevant"), (301, "refused"), (-301, "refused")]
)
def test_standard_webhooks_are_fresh(away: int, outcome: str) -> None:
    assert _standard("generic-hmac", now=NOW + away).outcome == outcome


def test_a_gitlab_signature_that_is_wrong_is_not_saved_by_a_token() -> None:
    headers = {"webhook-signature": "v1,AAAA", "webhook-timestamp": str(int(NOW)), "webhook-id": "x"}
    assert _gitlab(headers).outcome == "refused"


@pytest.mark.parametrize(
    ("algorithm", "outcome"), [("sha256", "relevant"), ("sha512", "relevant"), ("sha1", "refused"), ("", "refused")]
)
def test_generic_hmac_algorithms(algorithm: str, outcome: str) -> None:
    signature = _hex(b"body", algorithm=algorithm or "sha256")
    headers = {"x-signature": f"{algorithm}={signature}", "x-request-id": "7"}
    assert judge(_receiver("generic-hmac"), headers, b"body", NOW).outcome == outcome


@pytest.mark.parametrize(
    ("header", "outcome"),
    [
        (f"Bearer {SECRET.decode()}", "relevant"),
        (f"bearer {SECRET.decode()}", "relevant"),
        ("Bearer nonsense", "refused"),
        (f"Basic {SECRET.decode()}", "refused"),
        (SECRET.decode(), "refused"),
        ("", "refused"),
    ],
)
def test_bearer_tokens(header: str, outcome: str) -> None:
    assert judge(_receiver("bearer"), {"authorization": header}, b"", NOW).outcome == outcome


@given(st.binary(max_size=200), st.integers(0, 200), st.integers(1, 255))
def test_a_body_altered_anywhere_is_refused(body: bytes, at: int, change: int) -> None:
    headers = {"x-signature": f"sha256={_hex(body)}"}
    altered = bytearray(body or b"\0")
    altered[at % len(altered)] ^= change
    assert judge(_receiver("generic-hmac"), headers, bytes(altered), NOW).outcome == "refused"


@given(
    st.sampled_from(["github", "gitlab", "generic-hmac", "bearer"]), st.dictionaries(st.text(), st.text()), st.binary()
)
def test_what_strangers_send_is_refused_and_never_an_error(type_: Any, headers: dict[str, str], body: bytes) -> None:
    assert judge(_receiver(type_), headers, body, NOW).outcome == "refused"


def test_words_of_the_payload_are_cut_before_they_reach_a_log() -> None:
    message = _github({"ref": "refs/heads/\x1b[31m" + "x" * 1000}, refs=()).message
    assert message.isprintable()
    assert len(message) < 150


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Bad Name"}, "is not a receiver name"),
        ({"type": "gitea"}, "write one of github, gitlab"),
        ({"secrets": ()}, "has no secret"),
        ({"secrets": (b"short",)}, "fewer than 16 bytes"),
        ({"refs": ("main",)}, 'write it in full, like "refs/heads/main"'),
    ],
)
def test_a_receiver_that_makes_no_sense_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Receiver(**{"name": "catalog", "type": "github", "secrets": (SECRET,), **changes})
