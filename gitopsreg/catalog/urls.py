"""URLs of sources: which may be written at all, and which a namespace admits. Looks nothing up."""

import re
from functools import lru_cache

from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.secret import has_credentials
from gitopsreg.errors import quoted

_SCP = re.compile(r"(?:[0-9A-Za-z_][0-9A-Za-z._-]*@)(?P<host>[0-9A-Za-z][0-9A-Za-z.-]*):(?P<path>[^:\s].*)")
_URL = re.compile(r"(?P<scheme>[A-Za-z][0-9A-Za-z+.-]*)://(?P<authority>[^/]*)(?P<path>/.*|)")
_AUTHORITY = re.compile(
    r"(?:[0-9A-Za-z_][0-9A-Za-z._-]*@)?(?:[0-9A-Za-z][0-9A-Za-z.-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
)
_SCHEMES = {"https", "http", "ssh", "file"}
_GIT_ONLY = {"ssh", "file"}
# Warned of, not refused.
UNENCRYPTED = "GR506"
_THIS_MACHINE = {"", "localhost"}
_DOTS = re.compile(r"(?i)(?:^|/)(?:\.|%2e){1,2}(?:/|$)")
_RIGHT = "write https://, ssh:// or git@host:path"


def url_problem(url: str, pointer: str, *, git: bool) -> Problem | None:
    """Why this URL may not stand in the catalog. `git` admits what only Git can follow."""
    if has_credentials(url):
        hint = "remove and revoke them; name a connection instead"
        return Problem(rule="GR502", message="the URL holds credentials", hint=hint, pointer=pointer)
    if git and (found := _SCP.fullmatch(url)):
        return _unsafe(url, found["path"], pointer)
    right = _RIGHT if git else "write https://"
    found = _URL.fullmatch(url)
    if not found:
        return Problem(rule="GR503", message=f"{quoted(url)} is not a URL", hint=right, pointer=pointer)
    scheme = found["scheme"].lower()
    if scheme not in _SCHEMES or (scheme in _GIT_ONLY and not git):
        message = f"the scheme {quoted(found['scheme'])} is not allowed"
        return Problem(rule="GR503", message=message, hint=right, pointer=pointer)
    return (
        _unsafe(url, found["path"], pointer)
        or _odd_host(url, scheme, found["authority"], pointer)
        or _unencrypted(url, scheme, pointer)
    )


def _unencrypted(url: str, scheme: str, pointer: str) -> Problem | None:
    if scheme != "http":
        return None
    return Problem(rule=UNENCRYPTED, message=f"{quoted(url)} is not encrypted", hint="write https://", pointer=pointer)


def _unsafe(url: str, path: str, pointer: str) -> Problem | None:
    # Of white space only the space is printable.
    odd = not url.isprintable() or " " in url or "\\" in url
    if odd or path.startswith("-") or _DOTS.search(path):
        hint = 'write it without white space, backslashes and "." or ".." folders'
        return Problem(rule="GR503", message=f"{quoted(url)} is not a safe URL", hint=hint, pointer=pointer)
    return None


def _odd_host(url: str, scheme: str, authority: str, pointer: str) -> Problem | None:
    if authority in _THIS_MACHINE if scheme == "file" else _AUTHORITY.fullmatch(authority):
        return None
    if scheme == "file":
        message, hint = f"{quoted(url)} is on another machine", "write file:///path"
    else:
        message, hint = f"{quoted(url)} names no host", "write a host name behind ://"
    return Problem(rule="GR503", message=message, hint=hint, pointer=pointer)


@lru_cache(maxsize=65536)
def matches(pattern: str, text: str) -> bool:
    """Whether a URL or repository fits a pattern: `*` is anything inside one segment, `**` anything at all.

    All ways to match are followed at once, one bit each: time grows with the length of the text and with nothing else.
    """
    literals, in_segment, anywhere = _compiled(_normal(pattern))
    ways = 1
    for character in _normal(text):
        stay = anywhere if character == "/" else anywhere | in_segment
        ways = (ways & literals.get(character, 0)) << 1 | ways & stay
    end = 1 << sum(mask.bit_count() for mask in literals.values())
    return bool(ways & end)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> tuple[dict[str, int], int, int]:
    """Where each character leads on, and where any character but `/`, or any at all, may be skipped."""
    literals: dict[str, int] = {}
    in_segment = anywhere = at = 0
    for piece in re.findall(r"\*+|[^*]", pattern):
        if piece == "*":
            in_segment |= 1 << at
        elif piece.startswith("*"):
            anywhere |= 1 << at
        else:
            literals[piece] = literals.get(piece, 0) | 1 << at
            at += 1
    return literals, in_segment, anywhere


def is_same(one: str, other: str) -> bool:
    """Whether two URLs are of one repository."""
    return bool(one) and _normal(one) == _normal(other)


def below(base: str, url: str) -> str | None:
    """The repository of `url` when it lies below `base` (`https://github.com`), without `.git`; else None."""
    base, url = _normal(base), _normal(url)
    return url[len(base) + 1 :] if base and url.startswith(base + "/") else None


def _normal(url: str) -> str:
    """Host in lower case, no final slash, no `.git`: as hosts compare repositories."""
    scheme, found, rest = url.partition("://")
    if found:
        host, slash, path = rest.partition("/")
        url = f"{scheme.lower()}://{host.lower()}{slash}{path}"
    return url.rstrip("/").removesuffix(".git")
