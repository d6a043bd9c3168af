"""Where a registry sends clients for a module, if that is Git: go-getter's addresses, read as the clients read them.

https://github.com/hashicorp/go-getter#url-format
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from gitopsreg.errors import InvalidName, quoted

_HOSTS = ("github.com", "gitlab.com", "bitbucket.org")
_SCP = re.compile(r"(?P<user>[0-9A-Za-z._-]+)@(?P<host>[0-9A-Za-z.-]+):(?P<path>[^:]+)")
_FORCED = re.compile(r"(?P<getter>[A-Za-z0-9]+)::(?P<rest>.+)")
_OWNER_AND_NAME = 2
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class GitPlace:
    """A folder ("" is all) of a repository at a ref: a tag, or a commit of 40 hex digits."""

    url: str
    path: str
    ref: str

    @property
    def is_commit(self) -> bool:
        return COMMIT.fullmatch(self.ref) is not None


def git_place(location: str) -> GitPlace:
    """Raises InvalidName for what is no address of a tag or commit in Git, with what it is."""
    forced = _FORCED.fullmatch(location)
    if forced and forced["getter"] != "git":
        raise InvalidName(f"{quoted(location)} is fetched by {quoted(forced['getter'])}, not from Git")
    address, _, query = (forced["rest"] if forced else location).partition("?")
    url, folder = _split(address)
    found = url if forced else _detected(url)
    if not found or url.startswith((".", "/")):
        raise InvalidName(f"{quoted(location)} is an archive, not a Git repository")
    ref = parse_qs(query).get("ref", [""])[0]
    if not ref:
        raise InvalidName(f"{quoted(location)} names no tag and no commit")
    return GitPlace(url=_plain(found), path=unquote(folder).strip("/"), ref=ref)


def _split(address: str) -> tuple[str, str]:
    """(repository, folder inside): what stands behind a `//` that is not the scheme's."""
    scheme, found, rest = address.partition("://")
    before, _, folder = (rest if found else address).partition("//")
    return (f"{scheme}://{before}" if found else before), folder


def _detected(url: str) -> str:
    """The repository that clients take a location without `git::` for; "" for none."""
    if _SCP.fullmatch(url):
        return url
    bare = url.removeprefix("https://")
    host, _, path = bare.partition("/")
    parts = [part for part in path.split("/") if part]
    if url.startswith("https://"):
        return url if url.endswith(".git") else ""
    if host in _HOSTS and len(parts) == _OWNER_AND_NAME:
        return f"https://{host}/{parts[0]}/{parts[1].removesuffix('.git')}.git"
    return ""


def _plain(url: str) -> str:
    """Without what only go-getter needs: `git::` of an scp-like address is one of ssh."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return url if parts.scheme != "git+ssh" else "ssh" + url.removeprefix("git+ssh")
