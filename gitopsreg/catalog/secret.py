"""Literal secrets in text: finds them and blots them out, so that no report repeats one."""

import re
from collections.abc import Iterator

_SECRET = re.compile(
    r"gh[oprsu]_[0-9A-Za-z]{8,}"
    r"|github_pat_[0-9A-Za-z_]{8,}"
    r"|glpat-[0-9A-Za-z_-]{8,}"
    r"|(?<![0-9A-Za-z])(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])"
    r"|-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
    r"|(?<![0-9A-Za-z])(?:AIza[0-9A-Za-z_-]{35}|npm_[0-9A-Za-z]{36}|pypi-[0-9A-Za-z_-]{50,}|hf_[0-9A-Za-z]{30,}"
    r"|hv[bs]\.[0-9A-Za-z_-]{24,}|dop_v1_[0-9a-f]{64}|SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"
    r"|[rs]k_live_[0-9A-Za-z]{16,}|ATATT3[0-9A-Za-z_=-]{40,}|xox[abeoprs]-[0-9A-Za-z-]{10,})"
    r"|https://hooks\.slack\.com/services/[0-9A-Za-z/]{20,}"
    r"|(?<![0-9A-Za-z])[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60,}"
    r"|AccountKey=[0-9A-Za-z+/]{40,}={0,2}"
    r"|(?<![0-9A-Za-z])eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}"
)
# Each of them holds one of these: most texts hold none, and looking for plain words is quick.
_MARKS = (
    "gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_", "glpat-", "AKIA", "ASIA", "PRIVATE KEY", "AIza", "npm_",
    "pypi-", "hf_", "hvb.", "hvs.", "dop_v1_", "SG.", "k_live_", "ATATT3", "xox", "hooks.slack.com", ".atlasv1.",
    "AccountKey=", "eyJ",
)  # fmt: skip
_USER = re.compile(r"(?<=://)[^\s/\"'<>]{1,500}(?=@)")
_SCP_USER = re.compile(r"(?<![^\s\"'])[^\s/:@\"'<>]{1,200}:[^\s/@\"'<>]{1,200}(?=@)")
_PARAMETER = re.compile(
    r"(?i)(?<=[?&])((?:access_|private_|auth_)?token|api_?key|key|password|secret|sig|signature)=[^\s&\"']+"
)
_KINDS = (
    ("github_pat_", "a GitHub token"), ("gh", "a GitHub token"), ("glpat-", "a GitLab token"),
    ("-----", "a private key"), ("AIza", "a Google API key"), ("npm_", "an npm token"), ("pypi-", "a PyPI token"),
    ("hf_", "a Hugging Face token"), ("hv", "a Vault token"), ("dop_", "a DigitalOcean token"),
    ("SG.", "a SendGrid key"), ("rk_", "a Stripe key"), ("sk_", "a Stripe key"), ("ATATT3", "an Atlassian token"),
    ("xox", "a Slack token"), ("https", "a Slack webhook"), ("AccountKey", "an Azure storage key"),
    ("eyJ", "a signed token (JWT)"), ("AKIA", "an AWS access key"), ("ASIA", "an AWS access key"),
)  # fmt: skip


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and kind of each literal secret."""
    if not any(mark in text for mark in _MARKS):
        return
    for found in _SECRET.finditer(text):
        yield found.start(), found.end(), _kind(found[0])


def _kind(secret: str) -> str:
    if ".atlasv1." in secret:
        return "a Terraform token"
    return next(kind for start, kind in _KINDS if secret.startswith(start))


def has_credentials(url: str) -> bool:
    """Whether an http(s) URL carries a user name, or any URL a password or a token."""
    if "://" not in url:
        return bool(_SCP_USER.match(url))
    scheme, _, rest = url.partition("://")
    user, at, _ = rest.partition("/")[0].rpartition("@")
    bare = scheme.lower() in {"http", "https"}
    return bool(at and (bare or ":" in user)) or bool(_PARAMETER.search(url))


def mask(text: str) -> str:
    """The text with every secret blotted out by as many asterisks; safe to show."""
    masked = _SECRET.sub(lambda found: found[0][:4] + "*" * (len(found[0]) - 4), text)
    masked = _PARAMETER.sub(lambda found: found[1] + "=" + "*" * (len(found[0]) - len(found[1]) - 1), masked)
    masked = _SCP_USER.sub(lambda found: "*" * len(found[0]), masked)
    return _USER.sub(lambda found: found[0] if found[0] == "git" else "*" * len(found[0]), masked)
