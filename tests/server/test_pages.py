"""The pages for people, and the API document."""

import json
import re

import pytest

from gitopsreg.storage.memory import MemoryStore
from tests.server.house import ask, running


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_need_no_internet_and_no_scripts(url: str, path: str) -> None:
    answer = ask(url, path)
    page = answer.body.decode()
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in page
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)


def test_the_start_page_says_what_is_served(url: str) -> None:
    page = ask(url, "/").body.decode()
    assert "3 packages of catalog revision" in page
    assert "/v1/modules/" in page


def test_the_start_page_works_before_the_first_snapshot() -> None:
    with running(MemoryStore()) as url:
        assert "Nothing is published yet" in ask(url, "/").body.decode()


def test_every_route_is_described(url: str) -> None:
    document = json.loads(ask(url, "/openapi.json").body)
    page = ask(url, "/docs").body.decode()
    assert len(document["paths"]) == 11
    for path, methods in document["paths"].items():
        assert methods.keys() == {"get"}
        for operation in methods.values():
            assert operation["summary"]
            assert operation["responses"]
            assert operation["tags"]
        assert f"<code>GET {path}</code>" in page
