from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.model.version import Version
from gitopsreg.upstream.getter_address import GitPlace
from gitopsreg.upstream.git_origin import git_origin
from gitopsreg.upstream.git_tags import read_tags
from tests.model.strategies import versions

URL = "https://e.com/a/b.git"
COMMIT = "9c1d0f3b5b1b4a0e2f6c7d8e9f00112233445566"
PREFIXES = st.sampled_from(["", "v", "vpc/v", "release-", "modules/vpc/"])


def v(text: str) -> Version:
    return Version.parse(text)


def at(ref: str, path: str = "", url: str = URL) -> GitPlace:
    return GitPlace(url, path, ref)


@given(st.sets(versions, min_size=1, max_size=6), PREFIXES)
def test_a_prefix_that_all_tags_share_is_found_and_finds_them(found: set[Version], prefix: str) -> None:
    """What is derived is what a source of type git then reads: the same versions from the same tags."""
    tags = {version: f"{prefix}{version}" for version in found}
    origin = git_origin({version: at(tag) for version, tag in tags.items()})
    assert origin.unexplained == origin.pins == ()
    read = read_tags(dict.fromkeys(tags.values(), COMMIT), origin.tag_prefix)
    expected = {version.without_build for version in found}
    assert {item.version.without_build for item in read.found} == expected


def test_with_and_without_a_v_needs_no_prefix() -> None:
    origin = git_origin({v("1.0.0"): at("v1.0.0"), v("1.1.0"): at("1.1.0")})
    assert (origin.tag_prefix, origin.unexplained) == (None, ())


def test_commits_become_pins() -> None:
    origin = git_origin({v("1.0.0"): at(COMMIT, "x"), v("1.1.0"): at("v1.1.0", "x")})
    assert (origin.url, origin.path, origin.tag_prefix) == (URL, "x", None)
    assert origin.pins == ((v("1.0.0"), COMMIT),)


def test_what_the_newest_does_not_explain_is_told() -> None:
    places = {
        v("1.0.0"): at("v1.0.0", url="https://e.com/old.git"),
        v("1.1.0"): at("v1.1.0", "elsewhere"),
        v("1.2.0"): at("final"),
        v("1.3.0"): at("v1.3.0"),
    }
    origin = git_origin(places)
    assert [str(version) for version, _ in origin.unexplained] == ["1.0.0", "1.1.0", "1.2.0"]
    assert "https://e.com/old.git" in origin.unexplained[0][1]
    assert 'folder "elsewhere"' in origin.unexplained[1][1]
    assert '"final"' in origin.unexplained[2][1]
