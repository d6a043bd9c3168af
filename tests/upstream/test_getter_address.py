import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import InvalidName
from gitopsreg.upstream.getter_address import GitPlace, git_place

COMMIT = "9c1d0f3b5b1b4a0e2f6c7d8e9f00112233445566"


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("git::https://e.com/a/b?ref=v1.0.0", GitPlace("https://e.com/a/b", "", "v1.0.0")),
        ("git::https://e.com/b.git//mods/x?ref=v1.0.0&depth=1", GitPlace("https://e.com/b.git", "mods/x", "v1.0.0")),
        (f"git::https://github.com/a/b?ref={COMMIT}", GitPlace("https://github.com/a/b", "", COMMIT)),
        ("git::ssh://git@e.com:2222/a/b.git?ref=v1", GitPlace("ssh://git@e.com:2222/a/b.git", "", "v1")),
        ("git::git@e.com:a/b.git//x?ref=v1", GitPlace("git@e.com:a/b.git", "x", "v1")),
        ("git@github.com:a/b.git//x?ref=x%2Fv1", GitPlace("git@github.com:a/b.git", "x", "x/v1")),
        ("github.com/a/b//x/y?ref=v1", GitPlace("https://github.com/a/b.git", "x/y", "v1")),
        ("gitlab.com/a/b.git?ref=v1", GitPlace("https://gitlab.com/a/b.git", "", "v1")),
        ("https://e.com/a/b.git?ref=v1", GitPlace("https://e.com/a/b.git", "", "v1")),
    ],
)  # fmt: skip
def test_what_clients_take_for_git(location: str, place: GitPlace) -> None:
    assert git_place(location) == place
    assert place.is_commit == (place.ref == COMMIT)


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("https://e.com/m.tar.gz", "is an archive"),
        ("https://api.github.com/repos/a/b/tarball/v1.0.0//*?archive=tar.gz", "is an archive"),
        ("/artifacts/x.tar.gz?archive=tar.gz", "is an archive"),
        ("./x.zip", "is an archive"),
        ("s3::https://s3.amazonaws.com/x/y.zip", 'fetched by "s3"'),
        ("hg::https://e.com/a?ref=v1", 'fetched by "hg"'),
        ("git::https://e.com/a/b", "names no tag"),
        ("github.com/a/b?ref=", "names no tag"),
        ("github.com/a?ref=v1", "is an archive"),
        ("", "is an archive"),
    ],
)
def test_what_is_no_place_in_git(location: str, why: str) -> None:
    with pytest.raises(InvalidName) as caught:
        git_place(location)
    assert why in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_a_place_or_refused(text: str) -> None:
    """Whatever a stranger's server says: a value, or one error of ours."""
    try:
        assert git_place(text).ref
    except InvalidName as error:
        assert "\n" not in str(error)  # noqa: PT017
