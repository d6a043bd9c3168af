from pathlib import Path

import pytest

from gitopsreg.transport.http import redirect_target
from tests.repositories import GitServer


@pytest.fixture
def server(tmp_path: Path) -> GitServer:
    return GitServer(tmp_path)


def test_a_redirect_is_read_and_not_followed(server: GitServer) -> None:
    with server:
        server.redirects = {"/old": "https://git.example.com/new", "/here": "/there"}
        assert redirect_target(server.url("old.git/x"), seconds=5) == "https://git.example.com/new.git/x"
        assert redirect_target(server.url("here"), seconds=5) == server.url("there")
        assert len(server.requests) == 2


def test_no_redirect_and_no_answer_are_none(server: GitServer) -> None:
    with server:
        server.status = 404
        assert redirect_target(server.url("x"), seconds=5) is None
        server.stall = True
        assert redirect_target(server.url("x"), seconds=0.2) is None
    assert redirect_target(server.url("x"), seconds=1) is None
    assert redirect_target("http://[", seconds=1) is None
