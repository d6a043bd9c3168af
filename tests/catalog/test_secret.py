import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.secret import find, mask

SECRETS = [
    "ghp_" + "0" * 36, "gho_" + "0" * 36, "ghs_" + "0" * 36, "github_pat_" + "0" * 22, "glpat-" + "0" * 20,
    "AKIA" + "0" * 16, "-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----", "-----BEGIN PGP PRIVATE KEY BLOCK-----",
    "AIza" + "0" * 35, "npm_" + "0" * 36, "pypi-" + "0" * 60, "hf_" + "0" * 34, "hvs." + "0" * 24, "hvb." + "0" * 24,
    "dop_v1_" + "0" * 64, "SG." + "0" * 22 + "." + "0" * 43, "sk_live_" + "0" * 24, "rk_live_" + "0" * 24,
    "ATATT3" + "0" * 50, "xoxb-" + "0" * 12, "https://hooks.slack.com/services/" + "0" * 30,
    "0" * 14 + ".atlasv1." + "0" * 67, "gh" + "0" * 12 + ".atlasv1." + "0" * 67, "AccountKey=" + "0" * 86 + "==",
    "eyJ" + "0" * 20 + ".eyJ" + "0" * 20 + "." + "0" * 20,
]  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_found_and_blotted_out(secret: str) -> None:
    text = f'words: "{secret}" # more\n'
    assert [(text[start:end]) for start, end, _ in find(text)] == [secret]
    assert secret not in mask(text)
    assert len(mask(text)) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PGP PUBLIC KEY BLOCK-----",
        "a token starts with ghp_",
        "AKIA",
        "XAKIA" + "0" * 16,
        "glpat-x",
        "xxoxb-000000000000",
    ],
)
def test_words_about_secrets_are_none(text: str) -> None:
    assert list(find(text)) == []
    assert mask(text) == text


@given(st.sampled_from(SECRETS), st.text(max_size=20), st.text(alphabet=" \n\"'", min_size=1, max_size=3))
def test_what_is_blotted_out_holds_none(secret: str, words: str, gap: str) -> None:
    assert list(find(mask(words + gap + secret + gap + words))) == []


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        ("ghp_" + "0" * 36, "a GitHub token"),
        ("gh" + "0" * 12 + ".atlasv1." + "0" * 67, "a Terraform token"),
        ("AKIA" + "0" * 16, "an AWS access key"),
        ("AccountKey=" + "0" * 86, "an Azure storage key"),
    ],
)
def test_it_is_called_what_it_is(secret: str, kind: str) -> None:
    assert [kind for _, _, kind in find(f"x: {secret}\n")] == [kind]
