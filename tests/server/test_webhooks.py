"""Webhooks on a real server."""

import hmac
import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from gitopsreg.errors import ConfigError
from gitopsreg.server.app import build_hooks_app
from gitopsreg.server.listen import Listen
from gitopsreg.server.receivers import Receiver
from gitopsreg.server.serve import serving
from gitopsreg.server.webhooks import MAX_BODY, Bucket, Hook, build_router
from tests.server.house import Answer, a_registry, ask

SECRET = b"a secret of thirty-two bytes, ok"
GITHUB = Receiver(name="catalog", type="github", secrets=(SECRET,), refs=("refs/heads/main",))
TOKEN = Receiver(name="ci", type="bearer", secrets=(SECRET,))
NOW = 1_790_000_000.0


class Hooks:
    def __init__(self, url: str, reasons: list[str]) -> None:
        self.url = url
        self.reasons = reasons

    def push(
        self, ref: str = "refs/heads/main", *, event: str = "push", delivery: str = "1", name: str = "catalog"
    ) -> Answer:
        body = json.dumps({"ref": ref}).encode()
        headers = {
            "X-Hub-Signature-256": "sha256=" + hmac.new(SECRET, body, "sha256").hexdigest(),
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery,
        }
        return ask(self.url, f"/hooks/{name}", "POST", headers, body)

    def call(self, **headers: str) -> Answer:
        return ask(self.url, "/hooks/ci", "POST", {"Authorization": f"Bearer {SECRET.decode()}", **headers})


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    reasons: list[str] = []
    with a_registry(receivers=(GITHUB, TOKEN), trigger=reasons.append, clock=lambda: NOW) as url:
        yield Hooks(url, reasons)


def test_a_push_is_accepted_and_triggers(hooks: Hooks) -> None:
    assert hooks.push().status == 202
    assert hooks.reasons == ["webhook catalog: push refs/heads/main"]


def test_a_ping_is_answered_and_triggers_nothing(hooks: Hooks) -> None:
    answer = hooks.push(event="ping")
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "pong"})
    assert hooks.reasons == []


@pytest.mark.parametrize(("ref", "event"), [("refs/heads/other", "push"), ("refs/heads/main", "issues")])
def test_what_is_of_no_concern_is_204(hooks: Hooks, ref: str, event: str) -> None:
    assert hooks.push(ref, event=event).status == 204
    assert hooks.reasons == []


def test_a_delivery_counts_once(hooks: Hooks) -> None:
    assert [hooks.push(delivery=each).status for each in ("1", "1", "2")] == [202, 202, 202]
    assert len(hooks.reasons) == 2


def test_a_wrong_signature_is_401_and_an_unknown_receiver_404(hooks: Hooks) -> None:
    refused = ask(hooks.url, "/hooks/catalog", "POST", {"X-Hub-Signature-256": "sha256=00"}, b"{}")
    assert refused.status == 401
    assert json.loads(refused.body) == {"errors": ['receiver "catalog": the signature does not match']}
    assert hooks.push(name="nobody").status == 404
    assert hooks.reasons == []


def test_get_is_no_way_to_call(hooks: Hooks) -> None:
    answer = ask(hooks.url, "/hooks/catalog")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_a_storm_is_slowed_down(hooks: Hooks) -> None:
    answers = [hooks.call() for _ in range(32)]
    assert [answer.status for answer in answers] == [202] * 30 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) < 30
    assert hooks.push().status == 202


def test_strangers_use_up_nobody_s_tokens(hooks: Hooks) -> None:
    for _ in range(40):
        assert ask(hooks.url, "/hooks/ci", "POST", {"Authorization": "Bearer x"}).status == 401
    assert hooks.call().status == 202


def test_a_body_that_says_it_is_too_large_is_413(hooks: Hooks) -> None:
    assert ask(hooks.url, "/hooks/catalog", "POST", {"Content-Length": str(MAX_BODY + 1)}).status == 413


def test_a_body_that_is_too_large_is_not_read_to_its_end(hooks: Hooks) -> None:
    parts = urlsplit(hooks.url)
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=20) as connection:
        connection.sendall(b"POST /hooks/catalog HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(17):
            connection.sendall(piece)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413")


def test_a_body_of_just_the_right_size_is_read(hooks: Hooks) -> None:
    body = b" " * MAX_BODY
    headers = {
        "X-Hub-Signature-256": "sha256=" + hmac.new(SECRET, body, "sha256").hexdigest(),
        "X-GitHub-Event": "push",
    }
    assert ask(hooks.url, "/hooks/catalog", "POST", headers, body).status == 202


@pytest.mark.parametrize("settings", [{}, {"receivers": (GITHUB,)}, {"trigger": print}])
def test_without_receivers_or_a_reconciler_there_are_no_hooks(settings: dict[str, object]) -> None:
    with a_registry(**settings) as url:
        assert ask(url, "/hooks/catalog", "POST", body=b"{}").status == 404


def test_an_app_of_hooks_alone_serves_nothing_else() -> None:
    reasons: list[str] = []
    app = build_hooks_app((GITHUB,), reasons.append, clock=lambda: NOW)
    with serving(app, Listen("127.0.0.1", 0)) as url:
        assert Hooks(url, reasons).push().status == 202
        assert Hooks(url, reasons).push(name="nobody").status == 404
        assert [ask(url, "/healthz", method).status for method in ("GET", "HEAD")] == [200, 200]
        for path in ("/", "/docs", "/openapi.json", "/.well-known/terraform.json", "/artifacts/0/a"):
            assert ask(url, path).status == 404
    assert len(reasons) == 1


def test_two_receivers_can_not_share_a_name() -> None:
    with pytest.raises(ConfigError, match="the same name"):
        build_router((GITHUB, GITHUB), print)


def test_a_bucket_fills_again() -> None:
    bucket = Bucket(burst=2, per_second=0.5)
    assert [bucket.wait(0), bucket.wait(0)] == [0, 0]
    assert bucket.wait(0) == 2
    assert bucket.wait(1) == 1
    assert bucket.wait(2) == 0
    assert bucket.wait(1) > 0


def test_what_is_remembered_is_bounded() -> None:
    hook = Hook(TOKEN, Bucket())
    for number in range(1001):
        hook.remember(str(number), NOW)
    assert not hook.seen("0", NOW)
    assert hook.seen("1000", NOW)
    hook.remember("", NOW)
    assert not hook.seen("", NOW)


def test_a_long_delivery_id_counts_once_too() -> None:
    hook = Hook(TOKEN, Bucket())
    hook.remember("x" * 500, NOW)
    assert hook.seen("x" * 500, NOW)


def test_what_is_delivered_again_after_five_minutes_is_a_wish_for_another_look() -> None:
    reasons: list[str] = []
    now = [NOW]
    with a_registry(receivers=(GITHUB,), trigger=reasons.append, clock=lambda: now[0]) as url:
        hooks = Hooks(url, reasons)
        assert hooks.push().status == 202
        for later, runs in ((299, 1), (300, 2), (301, 2), (601, 3)):
            now[0] = NOW + later
            assert hooks.push().status == 202
            assert len(reasons) == runs, later
