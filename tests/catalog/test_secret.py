import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.secret import find, mask

SECRETS = [
    "ghp_" + "0" * 36, "gho_" + "0" * 36, "ghs_" + "0" * 36, "github_pat_" + "0" * 22, "glpat-" + "0" * 20,
    "AKIA" + "0" * 16, "-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----", "-----BEGIN PGP PRIVATE KEY BLOCK-----",
]  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_found_and_blotted_out(secret: str) -> None:
    text = f'words: "{secret}" # more\n'
    assert [(text[start:end]) for start, end, _ in find(text)] == [secret]
    assert secret not in mask(text)
    assert len(mask(text)) == len(text)


@pytest.mark.parametrize(
    "text", ["-----BEGIN PGP PUBLIC KEY BLOCK-----", "a token starts with ghp_", "AKIA", "XAKIA" + "0" * 16, "glpat-x"]
)
def test_words_about_secrets_are_none(text: str) -> None:
    assert list(find(text)) == []
    assert mask(text) == text


@given(st.sampled_from(SECRETS), st.text(max_size=20), st.text(alphabet=" \n\"'", min_size=1, max_size=3))
def test_what_is_blotted_out_holds_none(secret: str, words: str, gap: str) -> None:
    assert list(find(mask(words + gap + secret + gap + words))) == []
