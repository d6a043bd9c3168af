import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.urls import below, matches, url_problem


def rule(url: str, *, git: bool = True) -> str:
    problem = url_problem(url, "/spec/source/url", git=git)
    return problem.rule if problem else ""


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/vpc.git", "https://git.example.com:8443/a/b", "ssh://git@git.example.com/a.git",
        "ssh://git.example.com:22/a.git", "git@github.com:acme/vpc.git", "file:///srv/git/vpc.git",
        "file://localhost/srv/vpc.git", "https://[2001:db8::1]/a.git", "https://example.com/~me/a.git",
        "https://example.com/a%20b.git", "https://dev.azure.com/acme/p/_git/r",
    ],
)  # fmt: skip
def test_urls_of_repositories(url: str) -> None:
    assert rule(url) == ""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://git.example.com/a.git", "GR506"),
        ("HTTP://git.example.com/a.git", "GR506"),
        ("http://u:p@git.example.com/a.git", "GR502"),
        ("https://token@github.com/a.git", "GR502"),
        ("https://github.com/a.git?access_token=x", "GR502"),
        ("ssh://git:p@github.com/a.git", "GR502"),
        ("git:p@github.com:a.git", "GR502"),
        ("git://github.com/a.git", "GR503"),
        ("ftp://github.com/a.git", "GR503"),
        ("ext::sh -c id", "GR503"),
        ("/srv/git", "GR503"),
        ("./vpc", "GR503"),
        ("github.com/acme/vpc", "GR503"),
        ("github.com:acme/vpc", "GR503"),
        ("-u", "GR503"),
        ("--upload-pack=id", "GR503"),
        ("ssh://-oProxyCommand=id/a", "GR503"),
        ("git@-oProxyCommand=id:a", "GR503"),
        ("git@host:-a", "GR503"),
        ("https://", "GR503"),
        ("https:///a", "GR503"),
        ("https://exa mple.com/a", "GR503"),
        ("https://example.com/a b", "GR503"),
        ("https://example.com\\@evil.com/a", "GR502"),
        ("https://example.com/../a", "GR503"),
        ("https://example.com/a/%2E%2e/b", "GR503"),
        ("https://example.com/a\n", "GR503"),
        ("http://example.com/../a", "GR503"),
        ("file://server/share", "GR503"),
        ("git@host:../a", "GR503"),
    ],
)
def test_other_urls(url: str, expected: str) -> None:
    assert rule(url) == expected


def test_a_place_of_files_is_read_over_https_only() -> None:
    assert rule("https://releases.example.com/", git=False) == ""
    assert rule("ssh://git@example.com/a", git=False) == "GR503"
    assert rule("file:///a", git=False) == "GR503"
    assert rule("git@example.com:a", git=False) == "GR503"


@pytest.mark.parametrize(
    ("pattern", "url", "expected"),
    [
        ("https://github.com/acme/*", "https://github.com/acme/vpc.git", True),
        ("https://github.com/acme/*", "https://GitHub.com/acme/vpc/", True),
        ("https://github.com/acme/*", "https://github.com/acme/group/vpc", False),
        ("https://github.com/acme/**", "https://github.com/acme/group/vpc", True),
        ("https://github.com/acme/*", "https://github.com/acme-evil/vpc", False),
        ("https://github.com/acme/*", "https://github.com.evil.com/acme/vpc", False),
        ("https://*.example.com/*", "https://evil.com/.example.com/x", False),
        ("https://github.com/acme/terraform-*-vpc", "https://github.com/acme/terraform-aws-vpc.git", True),
        ("https://github.com/acme/vpc", "https://github.com/acme/vpc.git", True),
        ("https://github.com/acme/vpc.git", "https://github.com/acme/vpc", True),
        ("git@github.com:acme/*", "git@github.com:acme/vpc.git", True),
        ("https://github.com/Acme/*", "https://github.com/acme/vpc", False),
        ("*", "https://github.com/acme/vpc", False),
        ("**", "https://github.com/acme/vpc", True),
        ("", "https://github.com/acme/vpc", False),
    ],
)
def test_patterns_of_allowed_sources(pattern: str, url: str, expected: bool) -> None:
    assert matches(pattern, url) is expected


@given(st.text(alphabet="a/*", max_size=8), st.text(alphabet="ab/", max_size=10))
def test_patterns_mean_what_the_plain_regular_expression_means(pattern: str, text: str) -> None:
    pieces = re.findall(r"\*+|[^*]", pattern.rstrip("/"))
    plain = "".join(".*" if p.startswith("**") else "[^/]*" if p == "*" else re.escape(p) for p in pieces)
    assert matches(pattern, text) is bool(re.fullmatch(plain, text.rstrip("/")))


def test_a_long_pattern_is_matched_at_once() -> None:
    assert not matches("*a" * 200 + "b", "a" * 2000)


def test_what_lies_below_a_base() -> None:
    assert below("https://GitHub.com/", "https://github.com/acme/vpc.git") == "acme/vpc"
    assert below("https://github.com", "https://github.com.evil.com/acme/vpc") is None
    assert below("", "https://github.com/acme/vpc") is None
