import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import InvalidName
from gitopsreg.transport.location import Location


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "path"),
    [
        ("https://git.example.com/acme/vpc.git", "https", "git.example.com", 443, "/acme/vpc.git"),
        ("http://git.example.com:8080/x", "http", "git.example.com", 8080, "/x"),
        ("https://GIT.example.com", "https", "git.example.com", 443, "/"),
        ("https://[2001:db8::1]:8443/x", "https", "2001:db8::1", 8443, "/x"),
        ("ssh://git@git.example.com/acme/vpc", "ssh", "git.example.com", 22, "/acme/vpc"),
        ("ssh://git.example.com:2222/vpc", "ssh", "git.example.com", 2222, "/vpc"),
        ("git@git.example.com:acme/vpc.git", "ssh", "git.example.com", 22, "acme/vpc.git"),
        ("file:///srv/my catalog", "file", "", 0, "/srv/my catalog"),
        ("/srv/catalog", "file", "", 0, "/srv/catalog"),
        ("../catalog", "file", "", 0, "../catalog"),
        (".", "file", "", 0, "."),
        ("catalog", "file", "", 0, "catalog"),
        ("/srv/with:colon", "file", "", 0, "/srv/with:colon"),
    ],
)
def test_a_git_url_is_read(url: str, scheme: str, host: str, port: int, path: str) -> None:
    location = Location.parse(url)
    assert (location.scheme, location.host, location.port, location.path) == (scheme, host, port, path)
    assert location.is_local == (scheme == "file")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "git://git.example.com/x",
        "ext::sh -c whoami",
        "ext::whoami",
        "fd::17",
        "ftp://git.example.com/x",
        "https://",
        "https:///x",
        "https://a b/x",
        "https://good.example.com\\@evil.example.com/x",
        "https://good.example.com#@evil.example.com/x",
        "https://git.example.com/x?y=z",
        "https://git.example.com:99999/x",
        "https://git.example.com:0/x",
        "https://-oProxyCommand=x/y",
        "ssh://-oProxyCommand=x/y",
        "git@git.example.com:-x",
        "git@git.example.com:",
        "ssh://git.example.com",
        "https://git.example.com/\nx",
        "file://git.example.com/x",
        "file:///a%2fb",
        "https://git.example.com/" + "x" * 3000,
        "https://пример.example.com/x",
        "[127.0.0.1:22]:path",
        "[127.0.0.1]:path",
        "git@[::1:path",
        "ssh://[127.0.0.1:22]/x",
        "https://[1:2]/x",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(InvalidName):
        Location.parse(url)


def test_credentials_in_a_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidName, match="credentials file") as caught:
        Location.parse("https://user:secret@git.example.com/x")
    assert "secret" not in str(caught.value)
    assert "git.example.com" in str(caught.value)


@given(st.text(max_size=60))
def test_no_text_makes_it_stumble(text: str) -> None:
    for url in (text, f"https://{text}", f"ssh://{text}", f"git@{text}"):
        try:
            location = Location.parse(url)
        except InvalidName:
            continue
        assert location.is_local or (location.host and 0 < location.port < 65536)
