from collections.abc import Iterator
from datetime import timedelta

import pytest

from gitopsreg.errors import IntegrityError, UpstreamUnavailable
from gitopsreg.transport.http_download import Downloads
from tests.file_server import FileServer

LIMIT = 1000
MINUTE = timedelta(minutes=1)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as running:
        running.files["file"] = b"x" * 600
        yield running


def fetched(url: str, *, limit: int = LIMIT, timeout: timedelta = MINUTE, allow_local: bool = True) -> bytes:
    with Downloads(allow_local=allow_local, pause=lambda _: None) as downloads:
        return b"".join(downloads.pieces(url, limit=limit, timeout=timeout))


def refused(url: str, *, timeout: timedelta = MINUTE, allow_local: bool = True) -> UpstreamUnavailable:
    with pytest.raises(UpstreamUnavailable) as caught:
        fetched(url, timeout=timeout, allow_local=allow_local)
    return caught.value


def test_a_file_comes_whole(server: FileServer) -> None:
    assert fetched(server.url("file")) == b"x" * 600


def test_redirects_are_followed(server: FileServer) -> None:
    server.moved |= {"a": "/b", "b": server.url("file")}
    assert fetched(server.url("a")) == b"x" * 600


def test_not_for_ever(server: FileServer) -> None:
    server.moved["a"] = "/a"
    assert refused(server.url("a")).reason == "Moved"
    assert len(server.requests) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.com/x", "http://user:pw@example.com/"])
def test_not_to_anything_else(server: FileServer, target: str) -> None:
    server.moved["a"] = target
    assert "leads to" in str(refused(server.url("a")))


def test_not_to_where_clouds_keep_credentials(server: FileServer) -> None:
    server.moved["a"] = "http://169.254.169.254/latest/meta-data"
    assert "metadata" in str(refused(server.url("a")))


def test_neither_this_machine_nor_plain_http_without_permission(server: FileServer) -> None:
    assert "over https:// only" in str(refused(server.url("file"), allow_local=False))
    assert "the registry's own machine" in str(refused("https://127.0.0.1:1/x", allow_local=False))
    assert server.requests == []


@pytest.mark.parametrize("announced", [True, False])
def test_a_file_that_is_too_large_is_given_up(server: FileServer, announced: bool) -> None:
    server.files["large"] = b"x" * (LIMIT + 1)
    server.length = None if announced else LIMIT
    if announced:
        with pytest.raises(IntegrityError) as caught:
            fetched(server.url("large"))
        assert caught.value.reason == "TooLarge"
    else:  # what is more than was announced is not part of the answer
        assert len(fetched(server.url("large"))) == LIMIT


def test_a_file_that_is_cut_short_is_an_error(server: FileServer) -> None:
    server.length = 700
    assert "can't be read" in str(refused(server.url("file")))


def test_a_server_that_drips_is_given_up(server: FileServer) -> None:
    server.drip = True
    assert refused(server.url("file"), timeout=timedelta(seconds=0.3)).reason == "Timeout"


def test_what_may_pass_is_tried_again(server: FileServer) -> None:
    server.failing["file"] = [503, 429]
    assert fetched(server.url("file")) == b"x" * 600
    server.failing["file"] = [503, 503, 503]
    assert "status 503" in str(refused(server.url("file")))


@pytest.mark.parametrize(
    ("status", "reason"), [(404, "NotFound"), (403, "AuthenticationFailed"), (400, "UpstreamError")]
)
def test_what_does_not_is_not(server: FileServer, status: int, reason: str) -> None:
    server.failing["file"] = [status]
    assert refused(server.url("file")).reason == reason
    assert len(server.requests) == 1


def test_nobody_there(server: FileServer) -> None:
    assert "can't be read" in str(refused("http://127.0.0.1:9/x"))
