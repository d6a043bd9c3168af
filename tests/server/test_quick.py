"""The memory on the wire: with it and without it the same is answered, whatever is asked and however it comes."""

import gzip
import random
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from gitopsreg.model.address import ModuleAddress
from gitopsreg.protocol.links import LinkSigner
from gitopsreg.server.app import Application, build_app
from gitopsreg.server.listen import Listen
from gitopsreg.server.quick import Memory
from gitopsreg.server.serve import serving
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.server.wire import BoundedProtocol
from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_module, a_module_version
from tests.server.house import KEY, ask, fill, publish_packages

NOON = 1_800_000_000.0
NO_HTTP = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
DATE = re.compile(rb"\r\ndate: [^\r]*")


LARGE = replace(a_module(), address=ModuleAddress("platform", "large", "aws"))
LARGE = replace(LARGE, versions=tuple(a_module_version(f"1.0.{number}") for number in range(100)))


class Twins:
    """The same registry twice: one that remembers, one that does not. Time stands still in both."""

    def __init__(self, stack: ExitStack, trusted: tuple[str, ...] = ()) -> None:
        self.store = MemoryStore()
        fill(self.store, LARGE)
        self.snapshots = Snapshots(self.store, stale_after=inf)
        self.snapshots.refresh()
        self.now = NOON
        self._tags: dict[str, list[bytes]] = {}
        apps = [self._app(), self._app()]
        self.memory: Memory = apps[0].state.memory
        del apps[1].state.memory
        listen = Listen("127.0.0.1", 0)
        self.quick = stack.enter_context(serving(apps[0], listen, trusted_proxies=trusted))
        self.plain = stack.enter_context(
            serving(Forgetful(apps[1]), listen, trusted_proxies=trusted, protocol=BoundedProtocol)
        )

    @property
    def hits(self) -> int:
        return self.memory.counts.total("remembered")

    def _app(self) -> Application:
        return build_app(
            self.snapshots,
            {"": self.store},
            LinkSigner(KEY),
            public_url="https://registry.example.com",
            clock=lambda: self.now,
        )

    def tagged(self, request: bytes) -> bytes:
        """With real tags in their places."""
        path = next((path for path in PATHS if path.encode() in request), PATHS[1])
        if path not in self._tags:
            plain, packed = (ask(self.plain, path, headers=headers) for headers in ({}, {"Accept-Encoding": "gzip"}))
            self._tags[path] = [answer.headers.get("etag", '"1"').encode() for answer in (plain, packed)]
        tag, packed_tag = self._tags[path]
        return request.replace(b"{tag}", tag).replace(b"{packed}", packed_tag)

    def both(self, pieces: list[bytes]) -> tuple[bytes, bytes]:
        for _ in range(5):
            with suppress(ConnectionError):
                return converse(self.quick, pieces), converse(self.plain, pieces)
        # A server that closes with bytes unread resets the connection, which may take away what it said last.
        reject()
        raise AssertionError


class Forgetful:
    """An app whose layer that remembers is asked something new each time."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, object], receive: object, send: object) -> None:
        headers = [*scope.get("headers", []), (b"range", b"none")]  # type: ignore[misc]
        await self._app({**scope, "headers": headers}, receive, send)  # type: ignore[arg-type]


GOODBYE = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
SILENCE = 20.0


def converse(url: str, pieces: list[bytes]) -> bytes:
    """All that the server says to these bytes, sent piece by piece, until it closes; dates left out.

    Raises ConnectionError when the connection was reset.
    """
    host, _, port = url.removeprefix("http://").partition(":")
    said = bytearray()
    with socket.create_connection((host, int(port)), timeout=SILENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (*pieces, GOODBYE):
            connection.sendall(piece)
        while more := connection.recv(65536):
            said += more
    return DATE.sub(b"", bytes(said))


@pytest.fixture(scope="module")
def twins() -> Iterator[Twins]:
    with ExitStack() as stack:
        yield Twins(stack)


PATHS = (
    "/.well-known/terraform.json",
    "/v1/modules/platform/vpc/aws/versions",
    "/v1/modules/platform/large/aws/versions",
    "/v1/modules/platform/vpc/aws/1.0.0/download",
    "/v1/modules/platform/vpc/aws/1.4.0/download",
    "/v1/modules/platform/nothing/aws/versions",
    "/v1/providers/platform/hello/versions",
    "/v1/providers/platform/hello/1.0.0/download/linux/amd64",
    "/v1/providers/platform/hello/1.0.0/download/plan9/amd64",
    "/v1/mirror/registry.example.com/platform/hello/index.json",
    "/v1/mirror/registry.example.com/platform/hello/1.0.0.json",
    "/healthz",
    "/nowhere",
)
# `{tag}` and `{packed}` are the tags that the answer has, as it is and packed.
LINES = (
    "If-None-Match: {tag}",
    "If-None-Match: W/{tag}",
    'If-None-Match: "0", {tag}',
    "If-None-Match: {packed}",
    'If-None-Match: W/{packed}, "0"',
    "Accept-Encoding: gzip, deflate;q=0.5",
    "Accept-Encoding: gzip;q=0",
    "Accept-Encoding: *",
    "Accept-Encoding: identity, gzip;q=0.5",
    "Connection: Close",
    "Connection: close",
    "Connection: keep-alive",
    "Upgrade: websocket",
    "If-None-Match: *",
    'If-None-Match: "0"',
    "Authorization: Bearer secret",
    "Accept-Encoding: gzip",
    "User-Agent: Terraform/1.11.4",
    "Expect: 100-continue",
    "Range: bytes=0-1",
    "Content-Length: 0",
    "X-Forwarded-Proto: https",
    "Host: other.example.com",
    "X Bad: 1",
)
METHODS = st.sampled_from(["GET"] * 6 + ["HEAD", "HEAD", "POST", "OPTIONS", "get", "DELETE"])
TARGETS = st.one_of(
    st.sampled_from(PATHS),
    st.builds(
        lambda path, query: f"{path}?{query}",
        st.sampled_from(PATHS),
        st.sampled_from(["", "a=b", "%zz", "a#b", '"', "a?b"]),
    ),
    st.builds(lambda path: f"http://other.example.com{path}", st.sampled_from(PATHS)),
    st.builds(lambda path: path.replace("platform", "%70latform"), st.sampled_from(PATHS)),
)
VERSIONS = st.sampled_from(["HTTP/1.1"] * 8 + ["HTTP/1.0", "HTTP/2.0", "HTTP/1"])
HOSTS = st.sampled_from(["Host: registry.example.com\r\n"] * 6 + ["", "Host: bad host\r\n"])
REQUESTS = st.builds(
    lambda method, target, version, host, lines: (
        f"{method} {target} {version}\r\n{host}{''.join(f'{line}{chr(13)}{chr(10)}' for line in lines)}\r\n".encode()
    ),
    METHODS,
    TARGETS,
    VERSIONS,
    HOSTS,
    st.lists(st.sampled_from(LINES), max_size=3),
)
ODD = st.sampled_from([b"", b"\r\n", b"\r\n\r\n", b"GARBAGE\r\n\r\n", b"\x00"])


@settings(max_examples=1200, deadline=None)
@given(requests=st.lists(REQUESTS, min_size=1, max_size=4), tail=ODD, cuts=st.lists(st.integers(0, 600), max_size=3))
def test_what_is_said_is_the_same_with_a_memory(
    twins: Twins, requests: list[bytes], tail: bytes, cuts: list[int]
) -> None:
    said = b"".join(map(twins.tagged, requests)) + tail
    edges = [0, *sorted(min(cut, len(said)) for cut in cuts), len(said)]
    pieces = [said[start:end] for start, end in pairwise(edges)]
    quick, plain = twins.both(pieces)
    ours, refused, _ = quick.partition(NO_HTTP)
    theirs, too, _ = plain.partition(NO_HTTP)
    if refused or too:
        # What is no HTTP ends the connection at once. Answers to what came before it may be unsaid then, and one of
        # them may have ended it already: how far it went is a matter of time.
        assert ours.startswith(theirs) or theirs.startswith(ours)
    else:
        assert quick == plain


@pytest.mark.parametrize("line", ["Content-Length: 4", "Transfer-Encoding: chunked"])
def test_a_question_with_a_body_is_answered_as_ever(twins: Twins, line: str) -> None:
    body = b"body" if "Length" in line else b"4\r\nbody\r\n0\r\n\r\n"
    said = a_get(PATHS[1]) + a_get(PATHS[1], line) + body + a_get(PATHS[1])
    quick, plain = twins.both([said])
    assert quick == plain


def a_get(path: str, *lines: str) -> bytes:
    rows = (f"GET {path} HTTP/1.1", "Host: registry.example.com", *lines, "", "")
    return "\r\n".join(rows).encode()


@pytest.mark.parametrize("path", PATHS)
def test_wherever_the_bytes_are_cut(twins: Twins, path: str) -> None:
    said = a_get(path) + a_get(PATHS[1]) + a_get(path)
    _, whole = twins.both([said])
    rng = random.Random(path)
    for cut in {0, 1, len(said) - 1, *(rng.randrange(len(said)) for _ in range(40))}:
        assert converse(twins.quick, [said[:cut], said[cut:]]) == whole


def test_one_byte_at_a_time(twins: Twins) -> None:
    said = a_get(PATHS[1]) + a_get(PATHS[2])
    quick, plain = twins.both([said[at : at + 1] for at in range(len(said))])
    assert quick == plain


def test_many_requests_in_one_breath(twins: Twins) -> None:
    said = b"".join(a_get(path) for path in PATHS * 50)
    quick, plain = twins.both([said])
    assert quick == plain
    assert quick.count(b"HTTP/1.1 ") == len(PATHS) * 50 + 1


def test_a_second_question_is_answered_from_memory(twins: Twins) -> None:
    for path in PATHS[:2]:
        ask(twins.quick, path)
        before = twins.hits
        answers = [ask(twins.quick, path, headers={"User-Agent": str(number)}) for number in range(3)]
        assert twins.hits == before + 3
        assert len({answer.body for answer in answers}) == 1


def test_what_the_client_has_is_304_from_memory_too(twins: Twins) -> None:
    etag = ask(twins.quick, PATHS[1]).headers["etag"]
    ask(twins.quick, PATHS[1], headers={"If-None-Match": etag})
    before = twins.hits
    again = ask(twins.quick, PATHS[1], headers={"If-None-Match": etag})
    assert (again.status, again.body, twins.hits) == (304, b"", before + 1)


def test_links_are_signed_anew_when_their_window_ends() -> None:
    with ExitStack() as stack:
        twins = Twins(stack)
        first = ask(twins.quick, PATHS[3]).headers["x-terraform-get"]
        assert ask(twins.quick, PATHS[3]).headers["x-terraform-get"] == first
        twins.now += 601
        assert ask(twins.quick, PATHS[3]).headers["x-terraform-get"] != first


def test_a_publish_is_seen_at_once() -> None:
    with ExitStack() as stack:
        twins = Twins(stack)
        before = [ask(twins.quick, PATHS[1]).body for _ in range(2)]
        newer = replace(a_module(), versions=(a_module_version("9.9.9"),))
        publish_packages(twins.store, newer)
        twins.snapshots.refresh()
        after = [ask(twins.quick, PATHS[1]).body for _ in range(2)]
        assert before[0] == before[1] != after[0] == after[1]
        assert b"9.9.9" in after[1]


def test_a_trusted_proxy_still_names_the_scheme() -> None:
    with ExitStack() as stack:
        twins = Twins(stack, ("127.0.0.1",))
        for path in PATHS:
            said = a_get(path) + a_get(path, "X-Forwarded-Proto: https") + a_get(path)
            quick, plain = twins.both([said])
            assert quick == plain


def test_an_old_snapshot_is_not_remembered_since_its_age_is_told() -> None:
    with ExitStack() as stack:
        store = MemoryStore()
        fill(store)
        now = [0.0]
        snapshots = Snapshots(store, stale_after=30, clock=lambda: now[0])
        snapshots.refresh()
        app = build_app(snapshots, {"": store}, LinkSigner(KEY))
        url = stack.enter_context(serving(app, Listen("127.0.0.1", 0)))
        ages = []
        for now[0] in (1.0, 2.0, 40.0, 41.0):
            ages.append(ask(url, PATHS[1]).headers.get("x-gitopsreg-snapshot-age"))
        assert ages == [None, None, "40", "41"]
        snapshots.refresh()
        assert "x-gitopsreg-snapshot-age" not in ask(url, PATHS[1]).headers


@pytest.mark.parametrize("status", [200, 304])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_packed_answers_are_remembered_as_such(twins: Twins, method: str, status: int) -> None:
    path = PATHS[2]
    plain, packed = (ask(twins.plain, path, headers={"Accept-Encoding": how}) for how in ("identity", "gzip"))
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3
    assert packed.headers["etag"] != plain.headers["etag"]
    assert {plain.headers["vary"], packed.headers["vary"]} == {"Accept-Encoding"}
    # However a client says that it takes gzip, it is the same question.
    for wanted, how in ((packed, ("gzip", "br, gzip", "*")), (plain, ("identity", "", "gzip;q=0"))):
        condition = {"If-None-Match": wanted.headers["etag"]} if status == 304 else {}
        ask(twins.quick, path, method, {"Accept-Encoding": how[0]} | condition)
        before = twins.hits
        for said in how:
            answer = ask(twins.quick, path, method, {"Accept-Encoding": said} | condition)
            assert answer.status == status
            assert answer.headers["etag"] == wanted.headers["etag"]
            assert answer.body == (wanted.body if (method, status) == ("GET", 200) else b"")
            if status == 200:
                assert answer.headers["content-length"] == str(len(wanted.body))
                assert answer.headers.get("content-encoding") == wanted.headers.get("content-encoding")
        assert twins.hits == before + len(how)


def test_a_tag_of_one_form_is_not_one_of_the_other(twins: Twins) -> None:
    tag = ask(twins.quick, PATHS[2]).headers["etag"]
    asked = {"If-None-Match": tag, "Accept-Encoding": "gzip"}
    assert [ask(twins.quick, PATHS[2], headers=asked).status for _ in range(2)] == [200, 200]


def test_small_answers_are_never_packed(twins: Twins) -> None:
    answer = ask(twins.quick, PATHS[1], headers={"Accept-Encoding": "gzip"})
    assert not {"content-encoding", "vary"} & answer.headers.keys()


@pytest.mark.parametrize("path", [path for path in PATHS if "nothing" in path or "plan9" in path or "1.4.0" in path])
def test_what_is_not_there_is_remembered_until_it_is_published(path: str) -> None:
    with ExitStack() as stack:
        twins = Twins(stack)
        first = ask(twins.quick, path)
        before = twins.hits
        assert ask(twins.quick, path) == first
        assert first.status in {404, 410}
        assert first.headers["cache-control"] == "no-store"
        assert twins.hits == before + 1
        nothing = replace(a_module("1.4.0"), address=ModuleAddress("platform", "nothing", "aws"))
        publish_packages(twins.store, nothing, a_module("1.4.0"))
        twins.snapshots.refresh()
        found = ask(twins.quick, path)
        assert found.status == (404 if "plan9" in path else 200 if path.endswith("versions") else 204)


def test_an_artifact_that_is_no_longer_served_is_not_remembered(twins: Twins) -> None:
    """Whether a link is good depends on the time."""
    before = twins.hits
    assert [ask(twins.quick, "/artifacts/x/y.zip?expires=1&signature=0").status for _ in range(3)] == [403] * 3
    assert twins.hits == before


def test_a_query_is_answered_as_without_one_and_takes_no_room(twins: Twins) -> None:
    for path in (PATHS[1], PATHS[5], PATHS[7]):
        first = ask(twins.quick, path)
        before = twins.hits
        assert [ask(twins.quick, f"{path}?a={number}") for number in range(3)] == [first] * 3
        assert twins.hits == before + 3


def test_each_token_is_a_question_of_its_own(twins: Twins) -> None:
    headers = [{"Authorization": f"Bearer {number}"} for number in range(3)]
    answers = [ask(twins.quick, PATHS[1], headers=each) for each in headers]
    before = twins.hits
    assert [ask(twins.quick, PATHS[1], headers=each) for each in headers] == answers
    assert twins.hits == before + 3
