"""Literal secrets in text: finds them and blots them out, so that no report repeats one."""

import re
from collections.abc import Iterator

_SECRET = re.compile(
    r"gh[oprsu]_[0-9A-Za-z]{8,}"
    r"|github_pat_[0-9A-Za-z_]{8,}"
    r"|glpat-[0-9A-Za-z_-]{8,}"
    r"|(?<![0-9A-Za-z])(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])"
    r"|-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
)
_USER = re.compile(r"(?<=://)[^\s/\"'<>]{1,500}(?=@)")
_SCP_USER = re.compile(r"(?<![^\s\"'])[^\s/:@\"'<>]{1,200}:[^\s/@\"'<>]{1,200}(?=@)")
_PARAMETER = re.compile(
    r"(?i)(?<=[?&])((?:access_|private_|auth_)?token|api_?key|key|password|secret|sig|signature)=[^\s&\"']+"
)
_KINDS = (
    ("github_pat_", "a GitHub token"), ("gh", "a GitHub token"), ("glpat-", "a GitLab token"),
    ("-----", "a private key"), ("A", "an AWS access key"),
)  # fmt: skip


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and kind of each literal secret."""
    for found in _SECRET.finditer(text):
        yield found.start(), found.end(), next(kind for start, kind in _KINDS if found[0].startswith(start))


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
